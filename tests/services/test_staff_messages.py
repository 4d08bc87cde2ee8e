"""What staff send by hand: never twice, never at night, never advice for afterwards before it is over."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import update

from journey.domain.contact import FieldErrors
from journey.domain.delivery import Reason, Status
from journey.domain.pathway import WRITTEN, Channel
from journey.services import staff_messages, suppressing, wishes
from journey.services.context import Refusal, Stale
from journey.services.staff_messages import Written
from journey.store.ids import new_id
from journey.store.schema import messages as messages_table
from tests.clinic import ANNA, PROCEDURE, START, Clinic

HELLO = Written(Channel.SMS, "", "Spine Clinic: please bring your scan.")


def write(clinic: Clinic, enrollment: object, words: Written = HELLO) -> None:
    staff_messages.write(clinic.app.context, enrollment, words, new_id(), "kim")  # type: ignore[arg-type]


def test_words_of_staff_go_out_as_they_were_written(clinic: Clinic) -> None:
    enrollment = clinic.enroll().enrollment_id
    write(clinic, enrollment)
    write(clinic, enrollment, Written(Channel.EMAIL, "Your <scan>", "Bring {{ it }}.\n\nA & B <b>"))
    clinic.work()
    sent = {one.content["text"]: one for one in clinic.outbox()}
    assert HELLO.text in sent
    mail = next(one for one in clinic.outbox() if one.channel is Channel.EMAIL)
    assert mail.content["subject"] == "Your <scan>"
    assert "Bring {{ it }}." in mail.content["text"]
    assert "A &amp; B &lt;b&gt;" in mail.content["html"]
    assert "<b>" not in mail.content["html"].replace("<body>", "")
    assert clinic.message(enrollment, WRITTEN).written_by == "kim"


def test_the_same_form_sent_twice_is_one_message(clinic: Clinic) -> None:
    enrollment, message = clinic.enroll().enrollment_id, new_id()
    staff_messages.write(clinic.app.context, enrollment, HELLO, message, "kim")
    with pytest.raises(Stale):
        staff_messages.write(clinic.app.context, enrollment, HELLO, message, "kim")
    clinic.work()
    assert [one.content["text"] for one in clinic.outbox()].count(HELLO.text) == 1


def test_at_night_it_waits_for_the_morning(clinic: Clinic) -> None:
    enrollment = clinic.enroll().enrollment_id
    clinic.run_until(START + timedelta(hours=12))  # 22:00
    before = len(clinic.outbox())
    write(clinic, enrollment)
    clinic.work()
    assert len(clinic.outbox()) == before
    clinic.run_until(START + timedelta(hours=22))  # 08:00
    assert len(clinic.outbox()) == before + 1


@pytest.mark.parametrize("wish", [wishes.cancel(), wishes.withdraw(), wishes.pause()])
def test_what_waits_is_taken_back_when_the_enrollment_ends_or_pauses(
    clinic: Clinic, wish: wishes.Wish
) -> None:
    enrollment = clinic.enroll().enrollment_id
    clinic.run_until(START + timedelta(hours=12))
    write(clinic, enrollment)
    clinic.change(enrollment, wish)
    assert clinic.message(enrollment, WRITTEN).status is Status.CANCELLED
    with pytest.raises(Refusal, match="paused or have ended"):
        write(clinic, enrollment)


def test_a_new_plan_for_the_same_date_leaves_it_alone(clinic: Clinic) -> None:
    enrollment = clinic.enroll().enrollment_id
    clinic.run_until(START + timedelta(hours=12))
    write(clinic, enrollment)
    clinic.change(enrollment, wishes.replan())
    assert clinic.message(enrollment, WRITTEN).status is Status.PLANNED


@pytest.mark.parametrize(
    "wish", [wishes.reschedule(START.date() + timedelta(days=40), None), wishes.postpone()]
)
def test_words_about_the_old_date_do_not_go_out(clinic: Clinic, wish: wishes.Wish) -> None:
    enrollment = clinic.enroll().enrollment_id
    clinic.run_until(START + timedelta(hours=12))
    write(clinic, enrollment, Written(Channel.SMS, "", "See you tomorrow at nine."))
    clinic.change(enrollment, wish)
    written = clinic.message(enrollment, WRITTEN)
    assert (written.status, written.reason) == (Status.CANCELLED, Reason.DATE_MOVED)
    clinic.run_until(START + timedelta(days=60))
    assert not any("tomorrow at nine" in one.content["text"] for one in clinic.outbox())


def test_whoever_wrote_words_that_stay_back_is_told(clinic: Clinic) -> None:
    enrollment = clinic.enroll(arrival=None).enrollment_id
    clinic.run_until(START + timedelta(hours=12))
    write(clinic, enrollment)
    clinic.change(enrollment, wishes.reschedule(PROCEDURE, time(9)))  # a time for the first time
    assert clinic.message(enrollment, WRITTEN).status is Status.PLANNED
    clinic.change(enrollment, wishes.reschedule(PROCEDURE, time(10)))
    assert clinic.message(enrollment, WRITTEN).status is Status.CANCELLED
    assert any("What staff wrote" in task["detail"] for task in clinic.tasks())


def test_words_from_before_do_not_go_out_after_it_went_ahead(clinic: Clinic) -> None:
    enrollment = clinic.enroll().enrollment_id
    early = datetime.combine(PROCEDURE - timedelta(days=3), time(22), UTC)
    clinic.run_until(early)
    write(clinic, enrollment, Written(Channel.SMS, "", "Nothing to eat from midnight."))
    clinic.change(enrollment, wishes.complete(early.date()))
    assert clinic.message(enrollment, WRITTEN).status is Status.CANCELLED


def test_damaged_words_hold_up_nobody_else(clinic: Clinic) -> None:
    enrollment = clinic.enroll().enrollment_id
    write(clinic, enrollment)
    with clinic.database.write() as tx:
        row = clinic.message(enrollment, WRITTEN)
        tx.connection.execute(
            update(messages_table)
            .where(messages_table.c.id == row.id)
            .values(sealed_content=b"\0" + bytes(row.sealed_content or b"")[1:-1] + b"\0")
        )
    ben = clinic.enroll(dict(ANNA) | {"given_name": "Ben", "record_number": "B-1"}).enrollment_id
    clinic.work()
    written = clinic.message(enrollment, WRITTEN)
    assert (written.status, written.reason) == (Status.SKIPPED, Reason.CANNOT_RENDER)
    assert any("does not open" in task["detail"] for task in clinic.tasks())
    assert clinic.message(ben, "welcome").status is not Status.PLANNED


def test_it_cannot_go_where_the_patient_cannot_be_reached(clinic: Clinic) -> None:
    enrollment = clinic.enroll(email=False).enrollment_id
    with pytest.raises(FieldErrors, match="cannot reach"):
        write(clinic, enrollment, Written(Channel.EMAIL, "A", "B"))
    clinic.run_until(START + timedelta(hours=12))
    write(clinic, enrollment)
    suppressing.stop(clinic.app.context, Channel.SMS, str(ANNA["phone"]), source="patient")
    clinic.run_until(START + timedelta(hours=24))
    written = clinic.message(enrollment, WRITTEN)
    assert (written.status, written.reason) == (Status.SKIPPED, Reason.OPTED_OUT)
    assert any(WRITTEN in task["detail"] for task in clinic.tasks())


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (Written(Channel.SMS, "", ""), "text"),
        (Written(Channel.SMS, "", "ż" * 400), "text"),
        (Written(Channel.SMS, "", "a\x00b"), "text"),
        (Written(Channel.EMAIL, "", "hello"), "subject"),
        (Written(Channel.EMAIL, "a\nBcc: x", "hello"), "subject"),
        (Written(Channel.EMAIL, "a" * 121, "hello"), "subject"),
        (Written(Channel.EMAIL, "a", "b" * 5001), "text"),
    ],
)
def test_words_that_cannot_be_sent_are_refused_by_field(
    embedded_clinic: Clinic, words: Written, field: str
) -> None:
    enrollment = embedded_clinic.enroll().enrollment_id
    with pytest.raises(FieldErrors) as error:
        write(embedded_clinic, enrollment, words)
    assert field in error.value.errors


def test_a_planned_message_is_sent_now_and_not_again(clinic: Clinic) -> None:
    enrollment = clinic.enroll().enrollment_id
    clinic.work()
    confirm = clinic.message(enrollment, "confirm")
    staff_messages.forward(clinic.app.context, enrollment, confirm.id, confirm.due_at, "kim")
    clinic.work()
    assert clinic.message(enrollment, "confirm").status is Status.DELIVERED
    clinic.change(enrollment, wishes.replan())
    clinic.run_until(confirm.due_at + timedelta(days=1))
    assert [m.step for m in clinic.messages(enrollment)].count("confirm") == 1


def test_whoever_saw_an_older_time_is_told_so(clinic: Clinic) -> None:
    enrollment = clinic.enroll().enrollment_id
    confirm = clinic.message(enrollment, "confirm")
    clinic.change(enrollment, wishes.reschedule(START.date() + timedelta(days=30), None))
    with pytest.raises(Stale):
        staff_messages.forward(clinic.app.context, enrollment, confirm.id, confirm.due_at, "kim")


@pytest.mark.parametrize("step", ["day-1", "going-home", "check-in"])
def test_advice_for_afterwards_never_goes_out_before_the_procedure(clinic: Clinic, step: str) -> None:
    enrollment = clinic.enroll().enrollment_id
    row = clinic.message(enrollment, step)
    with pytest.raises(Refusal, match="before the procedure is over"):
        staff_messages.forward(clinic.app.context, enrollment, row.id, row.due_at, "kim")


def test_what_is_no_planned_message_cannot_be_sent_now(clinic: Clinic) -> None:
    enrollment = clinic.enroll(arrival=None).enrollment_id
    clinic.work()
    for step in ("welcome", "fasting-reminder"):  # gone out, and held
        row = clinic.message(enrollment, step)
        with pytest.raises(Refusal, match="only a planned message"):
            staff_messages.forward(clinic.app.context, enrollment, row.id, row.due_at, "kim")
    clinic.change(enrollment, wishes.pause())
    row = clinic.message(enrollment, "confirm")
    with pytest.raises(Refusal, match="paused"):
        staff_messages.forward(clinic.app.context, enrollment, row.id, row.due_at, "kim")
