"""The demonstration's pages: they render, they escape, their forms do what they say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from html import escape
from html.parser import HTMLParser

import pytest

from journey.domain.eligibility import EnrollmentStatus
from journey.domain.pathway import Channel
from journey.services import suppressing
from journey.store import enrollments, patients
from tests.clinic import ANNA, PROCEDURE, START, Clinic
from tests.web.hand_moved import Browser

ABROAD = {
    "given_name": "Grace",
    "family_name": "Lindqvist",
    "phone": "+447700900107",
    "email": "grace@example.org",
    "time_zone": "America/New_York",
}


@pytest.fixture
def browser(embedded_clinic: Clinic) -> Iterator[Browser]:
    opened = Browser(embedded_clinic)
    yield opened
    opened.close()


class _Outline(HTMLParser):
    """What a page has that it should or should not have."""

    def __init__(self) -> None:
        super().__init__()
        self.headings = self.mains = 0
        self.ids: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.headings += tag == "h1"
        self.mains += tag == "main"
        self.ids += [named["id"] or ""] if "id" in named else []
        is_inline = tag == "style" or (tag == "script" and "src" not in named)
        if is_inline or any(name == "style" or name.startswith("on") for name in named):
            self.inline.append(tag)


def read(browser: Browser, address: str, status: int = 200) -> str:
    """A page that keeps the house rules: one h1, one main, nothing inline, no id twice."""
    answer = browser.get(address)
    assert answer.status_code == status, answer.text
    outline = _Outline()
    outline.feed(answer.text)
    assert (outline.headings, outline.mains, outline.inline) == (1, 1, [])
    assert len(set(outline.ids)) == len(outline.ids)
    return answer.text


def test_a_clinic_without_patients_says_so_and_what_comes(browser: Browser) -> None:
    text = read(browser, "/demo")
    assert "Nobody is enrolled." in text
    assert "No texts yet." in text
    assert "Nothing more is planned." in text


def test_every_page_of_a_busy_clinic_renders(browser: Browser, embedded_clinic: Clinic) -> None:
    clinic = embedded_clinic
    ids = [clinic.enroll().enrollment_id, clinic.enroll(ABROAD).enrollment_id]
    ids.append(
        clinic.enroll({**ABROAD, "given_name": "Farah", "time_zone": None}, arrival=None).enrollment_id
    )
    for moment in (START, START + timedelta(days=13), START + timedelta(days=120)):
        clinic.run_until(moment)
        read(browser, "/demo")
        for one in ids:
            read(browser, f"/demo/patients/{one}")
    for message in clinic.messages(ids[0]):
        read(browser, f"/demo/messages/{message.id}")
        assert browser.get(f"/demo/messages/{message.id}/html").status_code == 200


def test_a_message_that_waits_for_the_arrival_time_says_so(browser: Browser, embedded_clinic: Clinic) -> None:
    patient = embedded_clinic.enroll(arrival=None).enrollment_id
    held = embedded_clinic.message(patient, "fasting-reminder")
    assert "need the arrival time" in read(browser, f"/demo/messages/{held.id}")


def test_the_clock_goes_to_the_next_message_which_then_is_on_the_phone(
    browser: Browser, embedded_clinic: Clinic
) -> None:
    embedded_clinic.enroll()
    before = browser.get("/demo/now").json()["version"]
    answer = browser.post("/demo/clock/next", data={"back": "/demo"})
    assert answer.url.path == "/demo"
    assert "1 text went out" in answer.text
    assert "We will text you about your procedure" in answer.text
    assert "2 segments" in answer.text
    assert browser.get("/demo/now").json()["version"] != before
    assert " went out" not in browser.post("/demo/clock/day").text
    assert embedded_clinic.clock.now() == START + timedelta(days=1)


def test_play_and_pause_take_turns(browser: Browser, embedded_clinic: Clinic) -> None:
    embedded_clinic.enroll()
    assert "Pause" in browser.post("/demo/clock/play").text
    assert "Pause" not in browser.post("/demo/clock/pause").text


def test_times_abroad_name_both_zones(browser: Browser, embedded_clinic: Clinic) -> None:
    one = embedded_clinic.enroll(ABROAD).enrollment_id
    text = read(browser, f"/demo/patients/{one}")
    assert "New York time; the clinic is in London" in text
    assert "That is 15:00 London." in text


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {},
    ],
)
def test_a_form_from_elsewhere_is_refused_and_changes_nothing(
    browser: Browser, embedded_clinic: Clinic, headers: dict[str, str]
) -> None:
    one = embedded_clinic.enroll().enrollment_id
    browser.headers.pop("sec-fetch-site")
    for address in ("/demo/clock/next", "/demo/clock/day", f"/demo/patients/{one}/cancel"):
        answer = browser.post(address, data={"revision": "0"}, headers=headers)
        assert answer.status_code == 403
        assert "came from another site" in answer.text
    assert embedded_clinic.clock.now() == START
    assert embedded_clinic.outbox() == []


def test_a_strange_name_for_this_machine_is_refused_however_the_form_looks(
    browser: Browser, embedded_clinic: Clinic
) -> None:
    for own in ({"sec-fetch-site": "same-origin"}, {"origin": "http://evil.example:8000"}):
        answer = browser.post("/demo/clock/day", headers={"host": "evil.example:8000", **own})
        assert answer.status_code == 403
        assert "does not go by this name" in answer.text
    assert embedded_clinic.clock.now() == START


def test_an_older_browser_is_known_by_its_origin(browser: Browser) -> None:
    browser.headers.pop("sec-fetch-site")
    for origin in ("http://127.0.0.1:8000", "http://localhost:9000"):
        own = {"origin": origin, "host": origin.removeprefix("http://")}
        assert browser.post("/demo/clock/day", headers=own).status_code == 200


@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example", "/demo\\@evil", "/u/x", "/demox"]
)
def test_a_form_never_leads_away(browser: Browser, back: str) -> None:
    answer = browser.post("/demo/clock/day", data={"back": back}, follow=False)
    assert answer.headers["location"] == "/demo"


def test_a_hostile_name_is_shown_as_text(browser: Browser, embedded_clinic: Clinic) -> None:
    clinic = embedded_clinic
    enrolled = clinic.enroll()
    hostile = "<script>alert(1)</script>\" onclick='x' {{ 7*7 }}"
    with clinic.database.write() as tx:
        known = patients.get(tx, enrolled.patient_id)
        assert known is not None
        person = replace(known.person, given_name=hostile, family_name=hostile)
        patients.update_details(tx, known.id, person, known.contact)
    suppressing.stop(clinic.app.context, Channel.SMS, str(ANNA["phone"]), source="tests")
    clinic.run_until(START + timedelta(days=1))
    mail = clinic.message(enrolled.enrollment_id, "welcome")
    pages = ["/demo", f"/demo/patients/{enrolled.enrollment_id}", f"/demo/messages/{mail.id}"]
    pages.append(f"/demo/patients/{enrolled.enrollment_id}/cancel")
    for address in pages:
        text = read(browser, address)
        assert "<script>alert" not in text
        assert escape("<script>alert(1)") in text
    assert "<script" not in browser.get(f"/demo/messages/{mail.id}/html").text


def test_an_email_is_framed_in_a_sandbox_of_its_own(browser: Browser, embedded_clinic: Clinic) -> None:
    one = embedded_clinic.enroll(sms=False).enrollment_id
    embedded_clinic.work()
    mail = embedded_clinic.message(one, "welcome")
    page = browser.get(f"/demo/messages/{mail.id}")
    assert "frame-src 'self'" in page.headers["content-security-policy"]
    frame = browser.get(f"/demo/messages/{mail.id}/html").headers["content-security-policy"]
    assert "default-src 'none'" in frame
    assert "sandbox" in frame
    assert "allow-scripts" not in frame + page.text
    assert "frame-src" not in browser.get("/demo").headers["content-security-policy"]


def test_a_new_date_is_shown_with_all_that_follows_before_it_is_done(
    browser: Browser, embedded_clinic: Clinic
) -> None:
    clinic = embedded_clinic
    one = clinic.enroll().enrollment_id
    clinic.work()
    preview = read(browser, f"/demo/patients/{one}/move")
    assert "1 message will correct what was said" in preview
    assert str(PROCEDURE + timedelta(days=7)) in preview
    assert _enrollment(clinic, one).procedure_date == PROCEDURE
    form = {"revision": "0", "day": "2026-12-22", "arrival": "09:00"}
    answer = browser.post(f"/demo/patients/{one}/move", data=form)
    assert answer.url.path == f"/demo/patients/{one}"
    assert "Date changed" in answer.text
    assert str(_enrollment(clinic, one).procedure_date) == "2026-12-22"
    late = browser.post(f"/demo/patients/{one}/cancel", data={"revision": "0"})
    assert late.status_code == 422
    assert "somebody else changed this enrollment" in late.text.lower()
    assert _enrollment(clinic, one).status is EnrollmentStatus.ACTIVE


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("day=2026-11-01", "is past; choose a later day"),
        ("day=", "New date: is missing"),
        ("day=31.12.2026", "is no date; write it as YYYY-MM-DD"),
        ("day=2026-12-30&arrival=9", "is not a time of day"),
    ],
)
def test_a_wrong_date_is_explained_beside_its_field_and_kept(
    browser: Browser, embedded_clinic: Clinic, typed: str, said: str
) -> None:
    one = embedded_clinic.enroll().enrollment_id
    text = read(browser, f"/demo/patients/{one}/move?{typed}", status=422)
    assert text.count(said) == 2  # in the summary and beside the field
    assert "aria-invalid" in text
    assert "<title>Error: " in text


def test_cancelling_and_stopping_texts_do_what_their_pages_say(
    browser: Browser, embedded_clinic: Clinic
) -> None:
    clinic = embedded_clinic
    one = clinic.enroll().enrollment_id
    clinic.work()
    assert "texts will go out by e-mail instead." in read(browser, f"/demo/patients/{one}/stop-texts")
    browser.post(f"/demo/patients/{one}/stop-texts", data={"revision": "0"})
    assert clinic.message(one, "confirm").channel is Channel.EMAIL
    assert "Stopped" in read(browser, f"/demo/patients/{one}")
    text = read(browser, f"/demo/patients/{one}/cancel")
    will_not = re.search(r"(\d+) messages will not go out", text)
    assert will_not is not None
    revision = str(_enrollment(clinic, one).revision)
    browser.post(f"/demo/patients/{one}/cancel", data={"revision": revision})
    cancelled = [m for m in clinic.messages(one) if m.status.value == "cancelled"]
    assert len(cancelled) == int(will_not[1])
    assert "Cancel the procedure" not in read(browser, f"/demo/patients/{one}")


def test_a_missing_arrival_time_is_set_and_its_messages_are_planned(
    browser: Browser, embedded_clinic: Clinic
) -> None:
    clinic = embedded_clinic
    one = clinic.enroll(arrival=None).enrollment_id
    assert "Set the arrival time" in read(browser, f"/demo/patients/{one}")
    preview = read(browser, f"/demo/patients/{one}/arrival?day={PROCEDURE}&arrival=10:15")
    assert "2 messages will wait no more." in preview
    form = {"revision": "0", "day": str(PROCEDURE), "arrival": "10:15"}
    browser.post(f"/demo/patients/{one}/arrival", data=form)
    assert clinic.message(one, "fasting-reminder").status.value == "planned"
    assert "Set the arrival time" not in read(browser, f"/demo/patients/{one}")


def test_what_is_not_there_is_said_on_a_page(browser: Browser, embedded_clinic: Clinic) -> None:
    one = embedded_clinic.enroll().enrollment_id
    nobody = "00000000-0000-0000-0000-000000000000"
    read(browser, f"/demo/patients/{nobody}", status=404)
    read(browser, f"/demo/messages/{nobody}", status=404)
    read(browser, f"/demo/patients/{one}/explode", status=404)
    read(browser, "/demo/nowhere", status=404)
    read(browser, "/demo/patients/no-id", status=404)


def _enrollment(clinic: Clinic, one: object) -> enrollments.Enrollment:
    with clinic.database.read() as tx:
        return next(found for found in enrollments.everyone(tx) if found.id == one)


def test_a_patient_answers_and_the_clinic_sees_it(browser: Browser, embedded_clinic: Clinic) -> None:
    one = embedded_clinic.enroll(email=False).enrollment_id
    embedded_clinic.work()
    message = embedded_clinic.message(one, "welcome").id
    address = f"/demo/messages/{message}/reply"
    assert f'action="{address}"' in browser.get(f"/demo/patients/{one}").text
    back = f"/demo/patients/{one}"
    page = browser.post(address, data={"text": "My leg is weak", "back": back}).text
    assert "My leg is weak" in page
    assert "Words that may be urgent" in page
    embedded_clinic.work()
    assert "Call 999 now" in browser.get(f"/demo/patients/{one}").text
