"""The built-in messages: they render for every patient, fit, read easily, and say nothing they must not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, time
from functools import lru_cache
from itertools import product

import pyphen
import pytest

from journey.domain.conditions import FactValue
from journey.domain.contact import LOCALES, Person
from journey.domain.facts import ARRIVAL_FACT
from journey.domain.pathway import Channel
from journey.domain.site import Site
from journey.domain.sms import measure
from journey.rendering import variables
from journey.rendering.context import build_context
from journey.rendering.message import Rendered, render_message, template_name
from journey.services.pathway_files import built_in_pathways, load_built_in

STEPS = [
    (key, step)
    for key in built_in_pathways()
    for step in (
        *(step.key for step in load_built_in(key).pathway.steps),
        load_built_in(key).pathway.correction.key,
    )
]
CASES = [(*place, locale) for place in STEPS for locale in LOCALES]
PERSON = Person(
    "Wolfeschlegelsteinhausen", "Bergerdorff-Nnamdi", "+447700900123", "w@example.org", None, None
)
LONGEST = Site(
    name="N" * 60,
    sms_name="W" * 20,
    phone="+44 20 7946 00000",
    address="A" * 120,
    office_hours="Mon-Fri 8.30-5pm",
    emergency_number="00999",
    emergency_place="the emergency room",
    urgent_advice_number="00111",
    booking_url="https://example.org/" + "b" * 20,
    lifting_limit="10 lb",
    activity_rest="10 weeks",
)
BRITISH = Site()
AMERICAN = Site(
    country="US", zone="America/Chicago", locale="en-US", phone="+1 201 555 0123",
    emergency_number="911", emergency_place="the ER", urgent_advice_number="", lifting_limit="10 lb",
)  # fmt: skip
WEDNESDAY = date(2026, 9, 30)
GRADE, SEGMENTS = 6.0, 2


def fact_combinations(pathway_key: str) -> list[dict[str, FactValue]]:
    facts = [fact for fact in load_built_in(pathway_key).pathway.facts if fact.key != ARRIVAL_FACT]
    values: list[tuple[FactValue, ...]] = [
        (True, False) if fact.type == "boolean" else fact.choices for fact in facts
    ]
    return [
        {fact.key: value for fact, value in zip(facts, chosen, strict=True)} for chosen in product(*values)
    ]


def rendered(
    pathway_key: str, step: str, locale: str, channel: Channel, site: Site
) -> Iterator[tuple[dict[str, FactValue], Rendered]]:
    """The message for every combination of facts, with and without an arrival time where it may lack."""
    content = load_built_in(pathway_key)
    is_correction = step == content.pathway.correction.key
    needs = not is_correction and content.pathway.step(step).needs_arrival
    for facts, arrival in product(fact_combinations(pathway_key), (time(12, 30), None)):
        if arrival is None and needs:
            continue
        context = build_context(
            site=site,
            person=PERSON,
            channel=channel,
            locale=locale,
            procedure_date=WEDNESDAY,
            arrival_time=arrival,
            facts=facts,
        )
        yield (
            facts,
            render_message(content.templates, step, locale, channel, context, unsubscribe="https://u"),
        )


def texts(place: tuple[str, str, str], channel: Channel, site: Site | None = None) -> set[str]:
    pathway_key, step, locale = place
    chosen = site or (AMERICAN if locale == "en-US" else BRITISH)
    return {
        " ".join((message.subject, message.text)) if channel is Channel.EMAIL else message.text
        for _, message in rendered(pathway_key, step, locale, channel, chosen)
    }


@pytest.mark.parametrize("place", CASES, ids=str)
def test_every_message_renders_for_every_patient_and_fits(place: tuple[str, str, str]) -> None:
    for text in texts(place, Channel.SMS, LONGEST):
        size = measure(text)
        assert size.encoding == "GSM-7", size.forced_by
        assert size.segments <= SEGMENTS, (size.characters, text)
        assert "{" not in text
        assert "  " not in text
    for text in texts(place, Channel.EMAIL, LONGEST):
        assert "{{" not in text
        assert "None" not in text


@lru_cache(maxsize=4096)
def _syllables(word: str) -> int:
    return len(_hyphens().inserted(word.lower()).split("-"))


@lru_cache(maxsize=1)
def _hyphens() -> pyphen.Pyphen:
    return pyphen.Pyphen(lang="en_US", left=1, right=1)


def reading_grade(text: str) -> float:
    """Flesch-Kincaid; a bullet, a heading and a line end a sentence, as a full stop does."""
    plain = re.sub(r"https?://\S+|\S*\d\S*", "", text)
    sentences = [part for part in re.split(r"[.!?:]+\s|\n+", plain) if re.search(r"[A-Za-z]", part)]
    words = re.findall(r"[A-Za-z][A-Za-z’']*", plain)
    syllables = sum(_syllables(word) for word in words)
    return 0.39 * len(words) / len(sentences) + 11.8 * syllables / len(words) - 15.59


def test_the_grade_tells_easy_from_hard() -> None:
    assert reading_grade("The cat sat on the mat. It was a fat cat.") < 1
    assert reading_grade("Discontinue anticoagulation preoperatively following consultation.") > 15


@pytest.mark.parametrize("place", CASES, ids=str)
def test_every_message_reads_at_grade_six_or_below(place: tuple[str, str, str]) -> None:
    for channel in Channel:
        for text in texts(place, channel):
            assert reading_grade(text.partition("\n--\n")[0]) <= GRADE, text


UNSAID_IN_A_TEXT = re.compile(
    r"\b(nerves?|ablation|basivertebral|spinal?|back|blood thinners?|bvna?)\b", re.I
)


@pytest.mark.parametrize("place", CASES, ids=str)
def test_a_text_on_a_locked_screen_tells_no_diagnosis(place: tuple[str, str, str]) -> None:
    site = Site(sms_name="Clinic")
    for text in texts(place, Channel.SMS, site):
        assert not UNSAID_IN_A_TEXT.search(text), text
        assert PERSON.given_name not in text
        assert PERSON.family_name not in text


@pytest.mark.parametrize("place", STEPS, ids=str)
def test_no_text_template_names_the_patient(place: tuple[str, str]) -> None:
    pathway_key, step = place
    for locale in LOCALES:
        source = load_built_in(pathway_key).templates[template_name(step, locale, Channel.SMS)]
        assert not {name for name in variables(source) if name.startswith("patient")}


@pytest.mark.parametrize("place", CASES, ids=str)
def test_no_message_ever_says_to_stop_a_medicine(place: tuple[str, str, str]) -> None:
    for channel in Channel:
        for text in texts(place, channel):
            assert not re.search(r"\b(stop|do not|don't|avoid|skip)\s+tak(e|ing)\b", text, re.I), text


BRITISH_ONLY = re.compile(r"anaesth\w*|jewellery|organis\w*|\bA&E\b|\b999\b|\bcolour|\blift home\b", re.I)
AMERICAN_ONLY = re.compile(r"\banesthe\w*|jewelry|organiz\w*|\b911\b|\bcolor\b|\bride home\b", re.I)


@pytest.mark.parametrize("place", CASES, ids=str)
def test_each_country_reads_its_own_spelling_and_numbers(place: tuple[str, str, str]) -> None:
    foreign = BRITISH_ONLY if place[2] == "en-US" else AMERICAN_ONLY
    for channel in Channel:
        for text in texts(place, channel):
            assert not foreign.search(text), foreign.search(text)


@pytest.mark.parametrize("place", CASES, ids=str)
def test_a_text_says_who_writes_and_an_email_how_to_reach_and_stop_them(place: tuple[str, str, str]) -> None:
    for text in texts(place, Channel.SMS, Site(sms_name="Spine Clinic")):
        assert text.startswith("Spine Clinic: ")
    for text in texts(place, Channel.EMAIL):
        footer = text.partition("\n--\n")[2]
        assert "To stop these e-mails: https://u" in footer


def test_the_first_text_says_how_to_end_texts() -> None:
    for locale in LOCALES:
        for text in texts(("bvn-ablation", "welcome", locale), Channel.SMS):
            assert "STOP" in text
            assert "HELP" in text


RED_FLAGS = ("numb", "weak", "pee", "fever", "discharge", "headache", "breath", "chest pain")


@pytest.mark.parametrize("step", ["going-home", "day-1", "day-3", "day-7"])
@pytest.mark.parametrize("locale", LOCALES)
def test_the_first_week_names_every_warning_sign_and_the_emergency_number(step: str, locale: str) -> None:
    for channel in Channel:
        for text in texts(("bvn-ablation", step, locale), channel):
            lowered = text.lower()
            assert [sign for sign in RED_FLAGS if sign not in lowered] == []
            assert ("911" if locale == "en-US" else "999") in text


def test_no_promise_of_a_date_for_relief() -> None:
    for place in CASES:
        for channel in Channel:
            for text in texts(place, channel):
                assert not re.search(
                    r"(pain|relief|better)\s+(will|is going to)\s+\w+\s+(in|within|by)\b", text, re.I
                )
