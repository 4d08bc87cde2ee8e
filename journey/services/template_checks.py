"""Renders every template of a pathway at its worst, before anybody can be enrolled in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, time
from functools import lru_cache
from itertools import product
from typing import Any

from journey.domain.conditions import FactValue
from journey.domain.contact import LOCALES, Person
from journey.domain.facts import ARRIVAL_FACT, Fact, list_written
from journey.domain.pathway import Channel, Pathway
from journey.domain.site import Site
from journey.domain.sms import GSM_7, measure
from journey.rendering.context import build_context
from journey.rendering.message import render_message, template_name
from journey.rendering.templates import TemplateError, comparisons, variables

MAX_SEGMENTS = 2
_MAX_COMBINATIONS = 512
_LONGEST: dict[str, Any] = {
    "name": "N" * 60,
    "sms_name": "N" * 20,
    "phone": "+44 20 7946 00000",
    "address": "A" * 120,
    "office_hours": "Mon-Fri 8.30-5pm",
    "emergency_place": "the emergency room",
    "booking_url": "https://example.org/" + "b" * 20,
    "lifting_limit": "10 lb",
    "activity_rest": "10 weeks",
    "wound_care": "Keep it dry. " * 15,
    "fasting_note": "Sip water only. " * 12,
}
_SITES = (
    Site(**_LONGEST, emergency_number="00999", urgent_advice_number="00111"),
    Site(**_LONGEST, emergency_number="911", urgent_advice_number=""),
)
_PERSON = Person("Wolfeschlegelsteinhausen", "Bergerdorff", "+447700900123", None, None, None)
_LONG_DATE = date(2026, 9, 30)  # a Wednesday in September: the longest to write
_ARRIVALS = (time(12, 30), None)


def check_templates(pathway: Pathway, templates: Mapping[str, str]) -> list[str]:
    """What is wrong with a pathway's templates, as "file:line: what, and what to do"."""
    waits = {step.key for step in pathway.steps if step.needs_arrival}
    faults: dict[str, None] = {}
    for key, channels in pathway.worded:
        for locale, channel in product(LOCALES, channels):
            source = templates[template_name(key, locale, channel)]
            faults |= dict.fromkeys(_faults_of(key, locale, channel, source, pathway.facts, key in waits))
    return list(faults)


# Whoever mends a pathway checks it again and again, and all but one of its files are as they were.
@lru_cache(maxsize=512)
def _faults_of(
    key: str, locale: str, channel: Channel, source: str, facts: tuple[Fact, ...], needs_arrival: bool
) -> tuple[str, ...]:
    name = template_name(key, locale, channel)
    if strange := _strange_words(facts, name, source):
        return tuple(strange)
    for site, chosen, arrival in _cases(facts, variables(source), needs_arrival):
        if fault := _fault({name: source}, key, locale, channel, site, chosen, arrival):
            return (fault,)
    return ()


def _strange_words(facts: tuple[Fact, ...], name: str, source: str) -> list[str]:
    """Comparisons with a value that the fact never has, which no case would ever come by."""
    declared = {fact.key: fact for fact in facts if fact.key != ARRIVAL_FACT}
    faults = []
    for variable, value, line in comparisons(source):
        fact = declared.get(variable.removeprefix("facts."))
        if fact is None or not variable.startswith("facts."):
            continue
        if value not in fact.possible:
            can_be = list_written(fact.possible)
            mend = f"it can be: {can_be}" if can_be else "it is not for comparing"
            faults.append(f"{name}:{line}: {variable} is never {value!r}; {mend}")
    return faults


def _fault(
    templates: Mapping[str, str],
    key: str,
    locale: str,
    channel: Channel,
    site: Site,
    facts: Mapping[str, FactValue],
    arrival: time | None,
) -> str | None:
    name = template_name(key, locale, channel)
    context = build_context(
        site=site,
        person=_PERSON,
        channel=channel,
        locale=locale,
        procedure_date=_LONG_DATE,
        arrival_time=arrival,
        facts=facts,
    )
    try:
        rendered = render_message(templates, key, locale, channel, context)
    except TemplateError as error:
        said = error.message
        return f"{name}:{error.line or 1}: {said}{_hint(said, arrival, channel)}"
    if not rendered.text:
        return f"{name}:1: renders to nothing; write the message"
    return _too_long(name, rendered.text, templates[name]) if channel is Channel.SMS else None


def _hint(said: str, arrival: time | None, channel: Channel) -> str:
    if arrival is None and ("fasting" in said or "filter" in said):
        return " (no arrival time is set: add needs: [arrival_time] to the step, or test for it)"
    if channel is Channel.SMS and "patient" in said:
        return " (names stay out of texts)"
    return ""


_PLAIN = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "\xa0": " "})


def _too_long(name: str, text: str, source: str) -> str | None:
    size = measure(text)
    if size.encoding != GSM_7:
        odd = str(size.forced_by)
        plain = odd.translate(_PLAIN)
        line = source[: max(source.find(odd), 0)].count("\n") + 1
        mend = "replace it" if plain == odd else f"write {plain} instead"
        return f"{name}:{line}: {odd!r} more than halves what fits in a text; {mend}"
    if size.segments > MAX_SEGMENTS:
        return (
            f"{name}:1: takes {size.segments} segments at its longest ({size.characters} "
            f"characters); shorten it to {MAX_SEGMENTS} (306 characters)"
        )
    return None


def _cases(
    facts: tuple[Fact, ...], names: frozenset[str], needs_arrival: bool
) -> Iterator[tuple[Site, dict[str, FactValue], time | None]]:
    """Every combination of the facts that the template mentions, with and without an arrival time."""
    defaults = {fact.key: fact.default for fact in facts if fact.key != ARRIVAL_FACT}
    mentioned = [fact for fact in facts if f"facts.{fact.key}" in names]
    values = [_values(fact) for fact in mentioned]
    combinations = list(product(*values))[:_MAX_COMBINATIONS]
    arrivals = _ARRIVALS[:1] if needs_arrival else _ARRIVALS
    for combination, site, arrival in product(combinations, _SITES, arrivals):
        chosen = {fact.key: value for fact, value in zip(mentioned, combination, strict=True)}
        yield site, {**defaults, **chosen}, arrival


def _values(fact: Fact) -> tuple[FactValue, ...]:
    """Everything that a fact can be, and empty where nothing stated means nothing known."""
    return fact.possible if fact.default is not None and fact.possible else (None, *fact.possible)
