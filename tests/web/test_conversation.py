"""Replies and slips on the staff's pages: urgent ones first, the whole conversation, and an undo."""

from __future__ import annotations

from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from journey.domain.access import Role
from journey.domain.delivery import Status
from journey.domain.eligibility import EnrollmentStatus
from journey.store import audit, enrollments
from tests.clinic import ANNA, START, Clinic
from tests.services.test_replies import WEAK, say, tell
from tests.web.desk import Desk, fields_of

TOMORROW = START.date() + timedelta(days=1)


@pytest.fixture
def clinic(embedded_clinic: Clinic) -> Clinic:
    """On SQLite; what depends on the database is tested `on_both`."""
    return embedded_clinic


def reply_form(page: str) -> str:
    """The address of the form that answers the newest text."""
    return "/outbox/messages/" + page.partition('action="/outbox/messages/')[2].partition('"')[0]


def home(clinic: Clinic) -> str:
    """Today, for somebody who signs in now: sessions end while the clock is moved."""
    desk = Desk(clinic, Role.COORDINATOR)
    page = desk.get("/").text
    desk.close()
    return page


def test_an_urgent_reply_stands_first_with_its_words_and_the_number_to_call(
    clinic: Clinic, desk: Desk
) -> None:
    clinic.enroll(dict(ANNA) | {"phone": "+447700900102"}, arrival=None, day=TOMORROW)
    clinic.enroll(dict(ANNA) | {"record_number": "B-1"})
    clinic.clock.advance(timedelta(hours=2))
    say(clinic, f"{WEAK} <b>")
    page = home(clinic)
    urgent = page.index("Urgent reply")
    assert urgent < page.index("Arrival time")
    shown = page[urgent : page.index("Arrival time")]
    assert f"{WEAK} &lt;b&gt;" in shown
    assert "Numb or weak legs" in shown
    assert "07700 900101" in shown
    assert "/write" in shown


def test_however_much_is_open_an_urgent_reply_is_on_the_page(on_both: Clinic) -> None:
    clinic = on_both
    clinic.enroll()
    for number in range(30):
        tell(clinic, f"question {number}")
        tell(clinic, f"emergency {number}", sender="+447700900555")
        tell(clinic, f"emergency {number}", sender="+447700900556")
    clinic.clock.advance(timedelta(days=1))
    tell(clinic, "Sorry, I can't come")
    tell(clinic, WEAK)
    page = home(clinic)
    assert page.index(WEAK) < page.index(">emergency") < page.index("question")
    assert "come</p></blockquote>" in page
    assert 'href="/?every=1"' in page


def test_a_strangers_reply_shows_the_number_and_is_in_the_log(clinic: Clinic, desk: Desk) -> None:
    say(clinic, "I have a new phone, it is Anna", sender="+447700900555")
    page = desk.get("/").text
    assert "I have a new phone" in page
    assert "+44 7700 900555" in page
    with clinic.database.read() as tx:
        assert "reply.listed" in {entry["action"] for entry in audit.recent(tx)}


def test_the_patients_page_holds_the_whole_conversation(clinic: Clinic, desk: Desk) -> None:
    one = clinic.enroll().enrollment_id
    clinic.work()
    clinic.clock.advance(timedelta(minutes=1))
    say(clinic, f"{WEAK}")
    clinic.work()
    page = desk.get(f"/enrollments/{one}").text
    talk = page[page.index("Conversation") :]
    assert talk.index("Call 999 now") < talk.index(WEAK) < talk.index("Hello. We will text you")
    assert "Patient wrote" in page
    assert "Automatic answer: urgent" in page
    answer = clinic.message(one, "answer-urgent").id
    assert "Answers the patient’s reply by itself" in desk.get(f"/enrollments/{one}/messages/{answer}").text


def test_done_with_a_reply_it_leaves_the_page_and_stays_in_the_conversation(
    clinic: Clinic, desk: Desk
) -> None:
    one = clinic.enroll().enrollment_id
    say(clinic, "Where do I park?")
    (task,) = clinic.tasks()
    assert desk.post(f"/tasks/{task['id']}/done", back="/").status_code == 303
    assert "Where do I park?" not in desk.get("/").text
    assert "Where do I park?" in desk.get(f"/enrollments/{one}").text


def test_whoever_tries_journey_answers_as_the_patient(clinic: Clinic) -> None:
    one = clinic.enroll(email=False).enrollment_id
    clinic.run_until(clinic.message(one, "confirm").due_at)
    desk = Desk(clinic, Role.COORDINATOR)
    page = desk.get("/outbox").text
    address = reply_form(page)
    assert desk.post(address, text="").status_code == 422
    assert desk.post(address, text="Yes").status_code == 303
    with clinic.database.read() as tx:
        assert enrollments.everyone(tx)[0].is_confirmed
    with clinic.database.read() as tx:
        (played,) = [one for one in audit.recent(tx) if one["action"] == "reply.played"]
    assert played["actor"] == "coordinator@clinic.example"
    assert "from-patient" in desk.get("/outbox").text
    assert desk.post(f"/outbox/messages/{one}/reply", text="Yes").status_code == 404
    desk.close()


def test_nobody_answers_as_a_patient_where_texts_go_out_for_real(tmp_path: Path) -> None:
    twilio: dict[str, Any] = {"sms": "twilio", "twilio_account_sid": "AC1", "twilio_auth_token": "secret"}
    real = Clinic(tmp_path, **twilio, twilio_from="+15005550006", public_url="http://localhost:8000")
    desk = Desk(real, Role.ADMIN)
    one = real.enroll().enrollment_id
    assert desk.post(f"/outbox/messages/{one}/reply", text="STOP").status_code == 404
    desk.close()
    real.close()


@pytest.mark.parametrize("act", ["cancel", "postpone"])
def test_calling_off_is_one_click_and_so_is_taking_it_back(clinic: Clinic, desk: Desk, act: str) -> None:
    one = clinic.enroll(day=TOMORROW).enrollment_id
    clinic.work()
    address = f"/enrollments/{one}/acts/{act}"
    done = desk.post(address, fields_of(desk.get("/").text, address), step="confirm")
    assert done.status_code == 303
    assert not [row for row in clinic.messages(one) if row.status is Status.PLANNED]
    page = unescape(desk.get(done.headers["location"]).text)
    assert "its messages do not go out" in page
    assert "Anna Kowalska" not in page[page.index("Procedures today") :]
    undo = fields_of(page, f"/enrollments/{one}/acts/take-back")
    assert desk.post(f"/enrollments/{one}/acts/take-back", undo, step="confirm").status_code == 303
    with clinic.database.read() as tx:
        (now,) = enrollments.everyone(tx)
    assert (now.status, now.procedure_date) == (EnrollmentStatus.ACTIVE, TOMORROW)
    assert [row for row in clinic.messages(one) if row.status is Status.PLANNED]
    again = desk.post(f"/enrollments/{one}/acts/take-back", undo, step="confirm")  # a second click
    assert again.status_code == 409
    assert "Not called off after all, by admin@clinic.example" in again.text
    assert "its messages do not go out" not in desk.get(done.headers["location"]).text


def test_an_older_page_calls_nobody_off(clinic: Clinic, desk: Desk) -> None:
    one = clinic.enroll(day=TOMORROW).enrollment_id
    address = f"/enrollments/{one}/acts/cancel"
    form = fields_of(desk.get("/").text, address)
    desk.post(f"/enrollments/{one}/acts/confirmed", form, step="confirm")
    late = desk.post(address, form, step="confirm")
    assert late.status_code == 409
    assert "Patient confirmed" in late.text
    with clinic.database.read() as tx:
        assert enrollments.everyone(tx)[0].status is EnrollmentStatus.ACTIVE


def test_a_cancelled_patients_page_offers_the_way_back_for_a_day(clinic: Clinic, desk: Desk) -> None:
    one = clinic.enroll().enrollment_id
    address = f"/enrollments/{one}/acts"
    desk.post(f"{address}/cancel", revision="0", step="confirm")
    shown = desk.get(f"{address}/take-back")
    assert "Take back that Anna Kowalska’s procedure was called off?" in shown.text
    clinic.clock.advance(timedelta(hours=25))
    desk.arrive(Role.COORDINATOR)
    assert desk.get(f"{address}/take-back").status_code == 404
