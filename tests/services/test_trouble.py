"""Two troubles at once: a failure and a pause, a doubt and a refusal, a cause that comes about again."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta
from uuid import UUID

import pytest

from journey.channels.protocol import Outgoing
from journey.domain.delivery import Event, Reason, Status
from journey.domain.outcomes import Receipt, Refused
from journey.domain.pathway import Channel
from journey.services import wishes
from journey.services.context import Refusal
from journey.services.pathway_files import load_built_in
from journey.services.preparing import Claimed, claim_due
from journey.services.publishing import add_pathway, publish
from journey.services.receipts import receive
from journey.services.recording import record
from journey.services.suppressing import restart, stop
from journey.store import pathways, staff_tasks
from journey.store.messages import Message
from tests.clinic import ANNA, PATHWAY, PROCEDURE, Clinic
from tests.services.scripted import Ledger, scripted_factories

NINE = time(9)
STEP = "medicines-plan"  # critical
ARRIVAL = "arrival-and-fasting"


@pytest.fixture
def ledger(clinic: Clinic) -> Ledger:
    """The clinic's provider, scripted."""
    ledger = Ledger()
    clinic.app.factories = scripted_factories(ledger)
    return ledger


def enroll_until_the_critical_text(clinic: Clinic) -> UUID:
    """The moment at which the medicines plan is due; everything before it has gone out."""
    one = clinic.enroll(facts={"takes_blood_thinners": True}).enrollment_id
    clinic.work()
    clinic.clock.at = clinic.message(one, STEP).due_at
    return one


def kinds(clinic: Clinic) -> list[str]:
    return sorted(task["kind"] for task in clinic.tasks())


def test_a_critical_text_without_a_receipt_escalates_although_staff_paused(
    clinic: Clinic, ledger: Ledger
) -> None:
    one = enroll_until_the_critical_text(clinic)
    clinic.work()
    clinic.change(one, wishes.pause())
    clinic.clock.advance(timedelta(hours=25))
    clinic.work()
    stand_in = clinic.message(one, STEP)
    assert (stand_in.status, stand_in.reason, stand_in.channel) == (Status.HELD, Reason.PAUSED, Channel.EMAIL)
    assert "not_delivered" in kinds(clinic)
    clinic.change(one, wishes.resume())
    clinic.work()
    assert clinic.message(one, STEP).status is Status.ACCEPTED


def test_a_critical_text_that_failed_while_paused_is_not_forgotten(clinic: Clinic, ledger: Ledger) -> None:
    one = enroll_until_the_critical_text(clinic)
    clinic.work()
    entry = ledger.entries[-1]
    clinic.change(one, wishes.pause())
    receipt = Receipt(Event.UNDELIVER, entry.provider_id, "30003", Reason.UNDELIVERED, resend=True)
    receive(clinic.app.context, clinic.app.worker().library, entry.message_id, 1, receipt)
    assert clinic.message(one, STEP).status is Status.HELD
    clinic.change(one, wishes.resume())
    clinic.work()
    assert clinic.message(one, STEP).status is Status.ACCEPTED


def test_an_email_in_doubt_whose_repeat_is_refused_may_still_have_told_the_date(
    clinic: Clinic, ledger: Ledger
) -> None:
    one = clinic.enroll(sms=False).enrollment_id
    ledger.answers.extend(["lose after", "refuse"])
    clinic.work()
    clinic.clock.advance(timedelta(minutes=2))
    clinic.work()
    clinic.work()
    welcome = clinic.message(one, "welcome")
    assert len(ledger.entries) == 1
    assert (welcome.status, welcome.reason) == (Status.UNKNOWN, Reason.UNPROVABLE)
    assert "outcome_unknown" in kinds(clinic)
    clinic.change(one, wishes.reschedule(PROCEDURE + timedelta(days=2), None))
    assert clinic.message(one, "date-changed").status is Status.PLANNED


def test_a_cause_that_comes_about_again_opens_another_task(clinic: Clinic) -> None:
    one = clinic.enroll(email=False).enrollment_id
    for _ in range(2):
        stop(clinic.app.context, Channel.SMS, ANNA["phone"], source="tests")
        (task,) = clinic.tasks()
        assert task["kind"] == "unreachable"
        with clinic.database.write() as tx:
            assert staff_tasks.close(tx, task["id"], "tests", clinic.clock.now())
        restart(clinic.app.context, Channel.SMS, ANNA["phone"], source="tests")
    for _ in range(2):
        clinic.change(one, wishes.reschedule(PROCEDURE, None))
        assert kinds(clinic) == ["set_arrival"]
        clinic.change(one, wishes.reschedule(PROCEDURE, NINE))
        assert kinds(clinic) == []


def test_a_correction_that_can_reach_nobody_asks_for_a_call_each_time(clinic: Clinic) -> None:
    one = clinic.enroll(email=False).enrollment_id
    clinic.work()
    stop(clinic.app.context, Channel.SMS, ANNA["phone"], source="tests")
    clinic.change(one, wishes.reschedule(PROCEDURE + timedelta(days=2), None))
    assert any(task["kind"] == "call" and "date-changed" in task["detail"] for task in clinic.tasks())
    restart(clinic.app.context, Channel.SMS, ANNA["phone"], source="tests")
    assert clinic.message(one, "date-changed").status is Status.PLANNED


def test_what_went_ahead_cannot_be_postponed(clinic: Clinic) -> None:
    one = clinic.enroll().enrollment_id
    clinic.clock.at += timedelta(days=15)
    clinic.change(one, wishes.complete())
    with pytest.raises(Refusal, match="went ahead"):
        clinic.change(one, wishes.postpone())


def test_a_welcome_that_waits_overnight_falls_away_with_the_date_and_comes_with_the_next(
    clinic: Clinic,
) -> None:
    clinic.clock.at += timedelta(hours=12)  # ten in the evening
    one = clinic.enroll().enrollment_id
    clinic.change(one, wishes.postpone())
    assert clinic.message(one, "welcome").reason is Reason.POSTPONED
    clinic.clock.at += timedelta(hours=12)
    clinic.work()
    assert "cannot_render" not in kinds(clinic)
    clinic.change(one, wishes.reschedule(PROCEDURE, None))
    assert clinic.message(one, "welcome").status is Status.PLANNED


def lose_the_arrival(clinic: Clinic, ledger: Ledger) -> tuple[UUID, Message]:
    """Its text gets no answer while the look-up is away; the time changes, and changes back."""
    one = clinic.enroll().enrollment_id
    clinic.run_until(clinic.message(one, ARRIVAL).due_at - timedelta(seconds=1))
    clinic.clock.advance(timedelta(seconds=1))
    ledger.answers.append("lose before")
    ledger.can_look_up = False
    clinic.work()
    lost = clinic.message(one, ARRIVAL)
    assert lost.status is Status.UNKNOWN
    for arrival in (time(11), NINE):
        clinic.change(one, wishes.reschedule(PROCEDURE, arrival))
        clinic.work()
    return one, lost


def times_told(ledger: Ledger, arrival: str) -> int:
    return sum(f"arrive on Tue 15 Dec at {arrival}" in entry.text for entry in ledger.entries)


def ended(clinic: Clinic, message: Message) -> Message:
    return next(one for one in clinic.messages(message.enrollment_id) if one.id == message.id)


def test_a_text_taken_for_lost_does_not_follow_the_one_that_took_its_place(
    clinic: Clinic, ledger: Ledger
) -> None:
    """There and back again: the first text turns out to be absent when another one has said the same."""
    _, lost = lose_the_arrival(clinic, ledger)
    ledger.can_look_up = True
    clinic.clock.advance(timedelta(minutes=5))
    clinic.work()
    clinic.work()
    assert times_told(ledger, "09:00") == 1
    assert (ended(clinic, lost).status, ended(clinic, lost).reason) == (Status.SKIPPED, Reason.SUPERSEDED)
    assert kinds(clinic) == []


def test_nobody_is_asked_to_call_about_a_text_whose_place_was_taken(clinic: Clinic, ledger: Ledger) -> None:
    _, lost = lose_the_arrival(clinic, ledger)
    ledger.can_look_up = True
    clinic.clock.at = lost.send_by + timedelta(minutes=1)
    clinic.work()
    assert ended(clinic, lost).reason is Reason.SUPERSEDED
    assert "call" not in kinds(clinic)


def test_a_late_no_to_a_text_whose_place_was_taken_sends_it_no_other_way(
    clinic: Clinic, ledger: Ledger
) -> None:
    one, lost = lose_the_arrival(clinic, ledger)
    late = Claimed(lost, Outgoing(lost.id, 1, "", "", lost.send_by))
    record(clinic.app.context, clinic.app.worker().library, [late], [Refused(Reason.REFUSED, "30007")])
    assert ended(clinic, lost).status is Status.FAILED
    clinic.work()
    assert not [m for m in clinic.messages(one) if m.stands_in_for == lost.id]


@pytest.mark.parametrize("step", ["arrival-and-fasting", "date-changed"])
def test_a_failure_of_what_was_said_before_holds_up_nothing_that_is_true_now(
    clinic: Clinic, ledger: Ledger, step: str
) -> None:
    """A busy provider, and a receipt that the text about the old terms did not arrive."""
    one = clinic.enroll().enrollment_id
    if step == ARRIVAL:
        clinic.run_until(clinic.message(one, ARRIVAL).due_at + timedelta(seconds=1))
        day, arrival = PROCEDURE, time(11)
    else:
        clinic.work()
        clinic.change(one, wishes.reschedule(PROCEDURE + timedelta(days=7), NINE))
        clinic.work()
        day, arrival = PROCEDURE + timedelta(days=8), NINE
    old = clinic.message(one, step)
    assert old.status is Status.ACCEPTED
    clinic.change(one, wishes.reschedule(day, arrival))
    ledger.answers.extend(["busy"] * 2)
    clinic.work()
    entry = next(entry for entry in ledger.entries if entry.message_id == old.id)
    receipt = Receipt(Event.UNDELIVER, entry.provider_id, "30003", Reason.UNDELIVERED, resend=True)
    receive(clinic.app.context, clinic.app.worker().library, old.id, 1, receipt)
    for _ in range(4):
        clinic.clock.advance(timedelta(minutes=15))
        clinic.work()
    now = [m for m in clinic.messages(one) if m.step == step and m.status is Status.ACCEPTED]
    assert [m.procedure_date for m in now] == [day]
    assert times_told(ledger, "09:00") <= 1


def test_a_failure_while_the_date_is_away_is_told_when_it_comes_back(clinic: Clinic, ledger: Ledger) -> None:
    one = enroll_until_the_critical_text(clinic)
    clinic.work()
    old, entry = clinic.message(one, STEP), ledger.entries[-1]
    clinic.change(one, wishes.postpone())
    receipt = Receipt(Event.UNDELIVER, entry.provider_id, "30003", Reason.UNDELIVERED)
    receive(clinic.app.context, clinic.app.worker().library, old.id, 1, receipt)
    clinic.change(one, wishes.reschedule(PROCEDURE, NINE))
    clinic.work()
    told = [m for m in clinic.messages(one) if m.step == STEP and m.status is Status.ACCEPTED]
    assert told or "not_delivered" in kinds(clinic)


def test_there_and_back_twice_ends_with_what_is_true(clinic: Clinic, ledger: Ledger) -> None:
    """The way back was still planned when it was taken back once more."""
    one = clinic.enroll().enrollment_id
    clinic.run_until(clinic.message(one, ARRIVAL).due_at + timedelta(seconds=1))
    clinic.change(one, wishes.reschedule(PROCEDURE, time(11)))
    clinic.work()
    for arrival in (NINE, time(11), NINE):
        clinic.change(one, wishes.reschedule(PROCEDURE, arrival))
    clinic.work()
    last = [entry.text for entry in ledger.entries if "arrive on" in entry.text][-1]
    assert "at 09:00" in last


def test_a_correction_taken_for_lost_is_not_sent_beside_a_later_one_for_its_date(
    clinic: Clinic, ledger: Ledger
) -> None:
    """The first had no arrival time, and would say the one that is set by now."""
    one = clinic.enroll().enrollment_id
    clinic.work()
    ledger.answers.append("lose before")
    ledger.can_look_up = False
    day = PROCEDURE + timedelta(days=7)
    for date, arrival in ((day, None), (day + timedelta(days=1), None), (day, NINE)):
        clinic.change(one, wishes.reschedule(date, arrival))
        clinic.work()
    ledger.can_look_up = True
    clinic.clock.advance(timedelta(minutes=5))
    clinic.work()
    clinic.work()
    words = [entry.text for entry in ledger.entries if "has changed" in entry.text]
    assert len(words) == len(set(words)), words


def test_a_step_that_the_newer_version_has_no_more_stops_nobody(clinic: Clinic, ledger: Ledger) -> None:
    one = enroll_until_the_critical_text(clinic)
    clinic.work()
    content = load_built_in(PATHWAY)
    fewer = tuple(step for step in content.pathway.steps if step.key != STEP)
    smaller = replace(content, pathway=content.pathway.model_copy(update={"steps": fewer}))
    add_pathway(clinic.app.context, smaller, "tests")
    publish(clinic.app.context, PATHWAY, "Dr. Approver")
    with clinic.database.read() as tx:
        newer = pathways.latest(tx, PATHWAY)
    assert newer is not None
    clinic.change(one, wishes.take_version(newer.id))
    clinic.change(one, wishes.confirm())
    clinic.clock.advance(timedelta(hours=25))
    clinic.work()  # no receipt came for it
    assert "not_delivered" in kinds(clinic)


def test_a_late_no_to_a_message_taken_for_lost_answers_what_staff_were_asked(
    clinic: Clinic, ledger: Ledger
) -> None:
    one = clinic.enroll().enrollment_id
    worker = clinic.app.worker()
    (claimed,), _ = claim_due(clinic.app.context, worker.library, Channel.SMS, 10)
    clinic.clock.advance(timedelta(minutes=5))
    ledger.can_look_up = False
    clinic.work()
    clinic.clock.advance(timedelta(minutes=5))
    clinic.work()
    assert kinds(clinic) == ["outcome_unknown"]
    record(clinic.app.context, worker.library, [claimed], [Refused(Reason.REFUSED, "30007")])
    assert clinic.messages(one)[0].status is Status.FAILED
    assert kinds(clinic) == ["not_delivered"]
