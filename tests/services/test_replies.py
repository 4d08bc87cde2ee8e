"""Replies: each kept once, plain words acted on, and nothing that needs a person without one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from journey.channels.protocol import Incoming
from journey.domain.delivery import Reason, Status
from journey.domain.pathway import Channel
from journey.domain.triage import Intent, Replies
from journey.services import staff_messages, suppressing, webhooks, wishes
from journey.services.conversation.receiving import Yes, follow, receive
from journey.services.library import Library
from journey.services.pathway_files import load_built_in
from journey.services.preparing import claim_due
from journey.services.publishing import add_pathway, publish
from journey.services.staff_messages import Written
from journey.services.wishes import Wish
from journey.services.working import work
from journey.store import audit, enrollments, pathways, replies, suppressions
from journey.store.ids import new_id
from journey.store.replies import Reply
from journey.store.schema import messages as messages_table
from journey.store.schema import pathway_versions as versions_table
from journey.store.schema import suppressions as suppressions_table
from journey.store.schema import webhook_events
from tests.clinic import ANNA, PATHWAY, PROCEDURE, START, Clinic

PHONE = str(ANNA["phone"])
BEN = dict(ANNA) | {"given_name": "Ben", "record_number": "B-1", "birth_date": "1959-01-02"}


def person(number: int) -> dict[str, str]:
    return {"record_number": f"R-{number}", "phone": f"+4477009002{number:02}"}


WEAK = "Since last night my leg is weak"
URGENT = "answer-urgent"
_numbers = count()


@pytest.fixture
def clinic(embedded_clinic: Clinic) -> Clinic:
    """On SQLite; what depends on the database is tested `on_both`."""
    return embedded_clinic


def tell(clinic: Clinic, text: str, **how: Any) -> Yes | None:
    """As the provider tells of a reply; nothing of what may wait is done."""
    how = {"provider_id": f"SM{next(_numbers)}", "sender": PHONE} | how
    return receive(clinic.app.context, clinic.app.library, Incoming(text=text, **how))


def say(clinic: Clinic, text: str, **how: Any) -> None:
    follow(clinic.app.context, tell(clinic, text, **how))
    work(clinic.app.context, 5)  # what a worker does within seconds


def asked(clinic: Clinic, **how: Any) -> UUID:
    """Somebody who was asked a moment ago whether they are coming."""
    one = clinic.enroll(email=False, **how).enrollment_id
    clinic.run_until(clinic.message(one, "confirm").due_at)
    return one


def is_confirmed(clinic: Clinic, enrollment: UUID) -> bool:
    with clinic.database.read() as tx:
        found = enrollments.get(tx, enrollment)
    assert found is not None
    return found.is_confirmed


def kept(clinic: Clinic, enrollment: UUID) -> list[Reply]:
    with clinic.database.read() as tx:
        return replies.of_enrollment(tx, enrollment)


def kinds(clinic: Clinic) -> list[str]:
    return [task["kind"] for task in clinic.tasks()]


def is_stopped(clinic: Clinic) -> bool:
    return suppressing.is_stopped(clinic.app.context, Channel.SMS, PHONE)


def test_a_yes_to_the_question_confirms_the_date_and_needs_nobody(on_both: Clinic) -> None:
    clinic = on_both
    one = asked(clinic)
    say(clinic, "Yes please")
    assert is_confirmed(clinic, one)
    assert kinds(clinic) == []
    say(clinic, "Yes")  # once more
    assert kinds(clinic) == []
    assert [reply.intent for reply in kept(clinic, one)] == [Intent.YES, Intent.YES]


def test_a_yes_that_was_not_noted_before_a_crash_is_somebodys_task(clinic: Clinic) -> None:
    one = asked(clinic)
    tell(clinic, "Y")
    assert not is_confirmed(clinic, one)
    assert kinds(clinic) == ["reply"]
    assert "not noted yet" in clinic.tasks()[0]["detail"]


@pytest.mark.parametrize("step", ["fasting-reminder", "going-home", "day-1"])
def test_a_yes_to_a_text_that_asks_after_danger_signs_is_urgent(clinic: Clinic, step: str) -> None:
    one = clinic.enroll(email=False).enrollment_id
    clinic.run_until(clinic.message(one, step).due_at)
    webhooks.add(clinic.app.context, "https://hospital.example/hook", "tests")
    say(clinic, "Yes")
    clinic.work()
    with clinic.database.read() as tx:
        rows = tx.connection.execute(select(webhook_events.c.data, webhook_events.c.type)).all()
    (told,) = [data for data, kind in rows if kind == "reply.received"]
    assert told["urgent"]
    assert not is_confirmed(clinic, one)
    assert "danger signs: phone now. The emergency number is being sent" in clinic.tasks()[0]["detail"]
    assert clinic.message(one, URGENT).status is Status.DELIVERED


def test_a_yes_that_comes_after_the_next_text_is_read_and_frightens_nobody(clinic: Clinic) -> None:
    one = clinic.enroll(email=False).enrollment_id
    clinic.run_until(clinic.message(one, "arrival-and-fasting").due_at)
    say(clinic, "Y, I will be there")
    assert kinds(clinic) == ["reply"]


def test_what_the_provider_took_for_stop_is_one_in_any_language(clinic: Clinic) -> None:
    clinic.enroll()
    say(clinic, "BAJA", keyword="STOP")
    assert is_stopped(clinic)
    assert kinds(clinic) == ["reply"]


def test_a_stop_outlives_that_the_number_works_again(clinic: Clinic) -> None:
    clinic.enroll()
    context = clinic.app.context
    suppressing.stop(context, Channel.SMS, PHONE, source="provider 30005", reason=Reason.BAD_ADDRESS)
    say(clinic, "STOP")
    with clinic.database.read() as tx:
        (one,) = suppressions.standing(tx, Channel.SMS, tx.sealer.tokens("sms", PHONE))
    assert (one.reason, one.source) == (Reason.OPTED_OUT, "patient")


def test_whose_address_begins_like_a_patients_is_staff_all_the_same(clinic: Clinic) -> None:
    clinic.enroll()
    suppressing.stop(clinic.app.context, Channel.SMS, PHONE, source="patient.services@clinic.example")
    say(clinic, "START")
    assert is_stopped(clinic)


def test_an_ok_of_a_couple_that_was_asked_is_read(clinic: Clinic) -> None:
    asked(clinic)
    asked(clinic, person=BEN)
    say(clinic, "ok")
    assert kinds(clinic) == ["reply"]


def test_the_emergency_number_leaves_before_a_backlog(clinic: Clinic) -> None:
    clinic.enroll()
    clinic.work()
    for number in range(3):
        clinic.enroll(dict(BEN) | {"record_number": f"B-{number}", "phone": f"+44770090020{number}"})
    clinic.clock.advance(timedelta(minutes=5))
    say(clinic, WEAK)
    (first, *_), _ = claim_due(clinic.app.context, clinic.app.library, Channel.SMS, 2)
    assert first.message.step == URGENT


def test_a_yes_to_words_of_staff_is_for_a_person(clinic: Clinic) -> None:
    one = asked(clinic)
    hello = Written(Channel.SMS, "", "Spine Clinic: is your number right?")
    staff_messages.write(clinic.app.context, one, hello, new_id(), "kim")
    clinic.clock.advance(timedelta(minutes=1))
    clinic.work()
    say(clinic, "Yes")
    assert not is_confirmed(clinic, one)
    assert kinds(clinic) == ["reply"]


def test_at_night_whoever_waits_for_a_person_is_told_once_where_help_is(clinic: Clinic) -> None:
    one = asked(clinic)
    clinic.clock.advance(timedelta(hours=7, minutes=30))  # 17:30: texts still go out, and nobody reads
    say(clinic, "ok thanks, lovely")  # needs nobody but for the question
    say(clinic, "Where do I park?")
    say(clinic, "And where do I eat?")
    clinic.work()
    answers = [row for row in clinic.messages(one) if row.step == "answer-help"]
    assert [row.status for row in answers] == [Status.DELIVERED]
    assert "Emergency? Call 999" in clinic.outbox()[0].content["text"]


def test_at_night_a_yes_is_noted_and_not_answered(clinic: Clinic) -> None:
    one = asked(clinic)
    clinic.clock.advance(timedelta(hours=12))
    say(clinic, "Y")
    assert is_confirmed(clinic, one)
    assert not [row for row in clinic.messages(one) if row.step == "answer-help"]


def test_right_before_the_procedure_a_reply_does_not_wait_for_the_morning(clinic: Clinic) -> None:
    one = clinic.enroll(email=False).enrollment_id
    clinic.run_until(clinic.message(one, "fasting-reminder").due_at + timedelta(hours=6))
    say(clinic, "I just had some toast")
    assert clinic.tasks()[0]["due_at"] == clinic.clock.now()


def test_a_yes_to_the_old_date_confirms_no_new_one(clinic: Clinic) -> None:
    one = asked(clinic)
    clinic.change(one, wishes.reschedule(PROCEDURE + timedelta(days=7), None))
    say(clinic, "Y")
    assert not is_confirmed(clinic, one)
    assert "reply" in kinds(clinic)


def test_a_yes_is_nobodys_where_two_at_one_number_were_asked(on_both: Clinic) -> None:
    clinic = on_both
    one, other = asked(clinic), asked(clinic, person=BEN)
    say(clinic, "Y")
    assert not is_confirmed(clinic, one)
    assert not is_confirmed(clinic, other)
    assert "2 patients share this number" in clinic.tasks()[0]["detail"]


def test_a_no_to_the_question_is_told_to_staff_at_once(clinic: Clinic) -> None:
    one = asked(clinic)
    say(clinic, "N")
    (task,) = clinic.tasks()
    assert (task["kind"], task["due_at"], task["enrollment_id"]) == ("calls_off", clinic.clock.now(), one)
    assert not is_stopped(clinic)


def test_stop_ends_texts_and_what_is_planned_takes_another_way(on_both: Clinic) -> None:
    clinic = on_both
    one = clinic.enroll().enrollment_id
    clinic.work()
    say(clinic, "STOP")
    assert is_stopped(clinic)
    assert clinic.message(one, "confirm").channel is Channel.EMAIL
    assert kinds(clinic) == []
    say(clinic, "START")
    assert not is_stopped(clinic)
    assert clinic.message(one, "confirm").channel is Channel.SMS


def test_a_stop_that_a_crash_follows_is_seen_to_by_a_worker(clinic: Clinic) -> None:
    one = clinic.enroll().enrollment_id
    clinic.work()
    tell(clinic, "stop please")
    assert is_stopped(clinic)  # from the same commit on
    clinic.run_until(clinic.message(one, "confirm").due_at)
    assert clinic.message(one, "confirm").channel is Channel.EMAIL


def test_cancel_ends_texts_and_asks_whether_the_procedure_is_meant(clinic: Clinic) -> None:
    clinic.enroll()
    say(clinic, "CANCEL")
    assert is_stopped(clinic)
    (task,) = clinic.tasks()
    assert task["kind"] == "calls_off"
    assert "Texts to this number have stopped" in task["detail"]


def test_an_operation_called_off_in_words_keeps_texts_going(clinic: Clinic) -> None:
    clinic.enroll()
    say(clinic, "I have to cancel my operation")
    assert not is_stopped(clinic)
    assert kinds(clinic) == ["calls_off"]


def test_urgent_words_come_first_and_are_answered_at_once_at_night_and_once_an_hour(on_both: Clinic) -> None:
    clinic = on_both
    one = clinic.enroll().enrollment_id
    clinic.work()
    clinic.clock.at = START + timedelta(hours=15)  # one in the night
    say(clinic, "Where do I park?")
    say(clinic, WEAK)
    say(clinic, f"{WEAK}, really")
    assert kinds(clinic)[:2] == ["red_flag", "red_flag"]
    clinic.work()
    assert [row.status for row in clinic.messages(one) if row.step == URGENT] == [Status.DELIVERED]
    assert "Call 999 now" in clinic.outbox()[0].content["text"]
    clinic.clock.advance(timedelta(hours=2))
    say(clinic, WEAK)
    clinic.work()
    assert [row.step for row in clinic.messages(one)].count(URGENT) == 2


def test_a_pause_does_not_keep_the_emergency_number_back(clinic: Clinic) -> None:
    one = clinic.enroll().enrollment_id
    clinic.work()
    clinic.change(one, wishes.pause())
    say(clinic, WEAK)
    clinic.work()
    assert clinic.message(one, URGENT).status is Status.DELIVERED


def test_nobody_who_opted_out_or_was_called_off_is_answered(clinic: Clinic) -> None:
    one = clinic.enroll().enrollment_id
    clinic.work()
    say(clinic, f"STOP. {WEAK}")
    clinic.work()
    assert not [row for row in clinic.messages(one) if row.step == URGENT]
    assert kinds(clinic) == ["red_flag"]
    suppressing.restart(clinic.app.context, Channel.SMS, PHONE, source="tests")
    clinic.change(one, wishes.cancel())
    say(clinic, WEAK)
    clinic.work()
    assert not [row for row in clinic.messages(one) if row.step == URGENT]


def test_an_answer_that_could_not_leave_in_time_is_not_sent(clinic: Clinic) -> None:
    one = clinic.enroll().enrollment_id
    clinic.work()
    say(clinic, WEAK)
    clinic.clock.advance(timedelta(hours=3))
    clinic.work()
    assert clinic.message(one, URGENT).status is Status.EXPIRED


def test_an_answer_to_a_reply_is_not_what_a_yes_is_about(clinic: Clinic) -> None:
    one = asked(clinic)
    say(clinic, "HELP")
    clinic.work()
    say(clinic, "Y")
    assert is_confirmed(clinic, one)


def test_the_same_reply_told_twice_is_one(on_both: Clinic) -> None:
    clinic = on_both
    one = clinic.enroll().enrollment_id
    for _ in range(3):
        say(clinic, "Where do I park?", provider_id="SMtwice")
    assert len(kept(clinic, one)) == 1
    assert kinds(clinic) == ["reply"]


def test_thanks_are_kept_and_cost_nobody_time_but_a_picture_does(clinic: Clinic) -> None:
    one = clinic.enroll().enrollment_id
    say(clinic, "ok thanks")
    assert kinds(clinic) == []
    say(clinic, "", pictures=1)
    assert kinds(clinic) == ["reply"]
    assert [reply.pictures for reply in kept(clinic, one)] == [0, 1]


def test_a_yes_with_a_picture_is_for_a_person(clinic: Clinic) -> None:
    one = asked(clinic)
    say(clinic, "Yes", pictures=1)
    assert not is_confirmed(clinic, one)
    assert kinds(clinic) == ["reply"]


def test_an_ok_to_the_question_is_no_answer(clinic: Clinic) -> None:
    one = asked(clinic)
    say(clinic, "ok 👍")
    assert not is_confirmed(clinic, one)
    assert kinds(clinic) == ["reply"]


def test_a_no_after_the_yes_is_heard(clinic: Clinic) -> None:
    asked(clinic)
    say(clinic, "Y")
    say(clinic, "No")
    assert kinds(clinic) == ["calls_off"]


def test_a_question_that_failed_was_never_asked(clinic: Clinic) -> None:
    one = asked(clinic)
    question = clinic.message(one, "confirm")
    with clinic.database.write() as tx:
        failed = update(messages_table).where(messages_table.c.id == question.id).values(status="failed")
        tx.connection.execute(failed)
    say(clinic, "Y")
    assert not is_confirmed(clinic, one)


def test_a_text_on_its_way_may_be_the_one_that_was_answered(on_both: Clinic) -> None:
    clinic = on_both
    one, other = asked(clinic), clinic.enroll(BEN, email=False).enrollment_id
    claim_due(clinic.app.context, clinic.app.library, Channel.SMS, 10)
    assert clinic.message(other, "welcome").status is Status.SENDING
    tell(clinic, "Y")
    assert not is_confirmed(clinic, one)
    assert "reply" in kinds(clinic)


def test_the_same_stop_again_changes_nothing(clinic: Clinic) -> None:
    one = clinic.enroll().enrollment_id
    say(clinic, "STOP")
    with clinic.database.read() as tx:
        before = enrollments.get(tx, one)
    say(clinic, "STOP")
    with clinic.database.read() as tx:
        assert enrollments.get(tx, one) == before


@pytest.mark.parametrize("reason", [Reason.OPTED_OUT, Reason.BAD_ADDRESS])
def test_a_text_does_not_start_what_staff_have_stopped(clinic: Clinic, reason: Reason) -> None:
    clinic.enroll()
    evidence = "Her former husband has this phone"
    suppressing.stop(clinic.app.context, Channel.SMS, PHONE, source="kim", evidence=evidence, reason=reason)
    say(clinic, "START")
    assert is_stopped(clinic)
    assert "Asks for texts again" in clinic.tasks()[0]["detail"]


def test_a_start_that_is_fetched_does_not_undo_a_later_stop(clinic: Clinic) -> None:
    clinic.enroll()
    then = clinic.clock.now()
    clinic.clock.advance(timedelta(minutes=1))
    say(clinic, "STOP")
    say(clinic, "START", fetched_at=then)
    assert is_stopped(clinic)
    assert kinds(clinic) == ["reply"]


def test_damaged_evidence_does_not_keep_a_patient_from_starting(on_both: Clinic) -> None:
    clinic = on_both
    clinic.enroll()
    say(clinic, "STOP")
    with clinic.database.write() as tx:
        tx.connection.execute(update(suppressions_table).values(sealed_evidence=b"damaged"))
    say(clinic, "START")
    assert not is_stopped(clinic)


def test_half_a_character_loses_no_reply(clinic: Clinic) -> None:
    one = clinic.enroll().enrollment_id
    say(clinic, "My leg \ud83d is weak")
    assert [reply.text for reply in kept(clinic, one)] == ["My leg ? is weak"]
    assert kinds(clinic) == ["red_flag"]


def test_a_version_without_words_of_its_own_knows_those_that_ship(clinic: Clinic) -> None:
    """Also the answer, if a newer version in force has one."""
    older = load_built_in(PATHWAY)
    bare = replace(
        older,
        pathway=older.pathway.model_copy(update={"replies": Replies(), "title": "Older"}),
        templates={name: text for name, text in older.templates.items() if not name.startswith("answer-")},
    )
    with clinic.database.write() as tx:
        version = pathways.latest(tx, PATHWAY)
        assert version is not None
        values = {"content": bare.as_json(), "digest": bare.digest}
        tx.connection.execute(update(versions_table).where(versions_table.c.id == version.id).values(values))
    clinic.app.library = Library()
    one = clinic.enroll().enrollment_id
    clinic.work()
    say(clinic, WEAK)
    assert kinds(clinic) == ["red_flag"]
    assert not [row for row in clinic.messages(one) if row.step == URGENT]
    add_pathway(clinic.app.context, older, "kim")
    publish(clinic.app.context, PATHWAY, "Dr. Approver")
    say(clinic, WEAK)
    clinic.work()
    assert clinic.message(one, URGENT).status is Status.DELIVERED


@pytest.mark.parametrize("wish", [wishes.pause(), wishes.reschedule(PROCEDURE + timedelta(days=7), None)])
def test_a_change_does_not_take_the_emergency_number_back(clinic: Clinic, wish: Wish) -> None:
    one = clinic.enroll().enrollment_id
    clinic.work()
    say(clinic, WEAK)
    clinic.change(one, wish)
    clinic.work()
    assert clinic.message(one, URGENT).status is Status.DELIVERED


def test_two_urgent_replies_at_one_moment_get_one_answer(on_both: Clinic) -> None:
    clinic, numbers = on_both, range(25)
    ones = [clinic.enroll(dict(BEN) | person(number)).enrollment_id for number in numbers]
    texts = [(str(person(number)["phone"]), f"{WEAK} {turn}") for number in numbers for turn in range(2)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda one: tell(clinic, one[1], sender=one[0]), texts))
    answers = [[row.step for row in clinic.messages(one)].count(URGENT) for one in ones]
    assert answers == [1] * len(ones)
    assert len(clinic.tasks()) == len(texts)


@pytest.mark.parametrize("sender", ["+447700900999", "AMAZON", "12345", "whatsapp:+447700900101", ""])
def test_a_stranger_is_heard_and_changes_nothing(clinic: Clinic, sender: str) -> None:
    clinic.enroll()
    say(clinic, "Who is this? My leg is weak", sender=sender)
    (task,) = clinic.tasks()
    assert (task["kind"], task["enrollment_id"]) == ("red_flag", None)
    assert "no patient has" in task["detail"]
    say(clinic, "STOP", sender=sender)
    assert not is_stopped(clinic)
    is_number = sender.startswith("+")
    assert len(clinic.tasks()) == (1 if is_number else 2)  # whom it would be for, a person must say


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (datetime(2026, 12, 2, 11, tzinfo=UTC), datetime(2026, 12, 2, 13, tzinfo=UTC)),
        (datetime(2026, 12, 2, 17, 30, tzinfo=UTC), datetime(2026, 12, 3, 10, tzinfo=UTC)),
        (datetime(2026, 12, 2, 22, tzinfo=UTC), datetime(2026, 12, 3, 10, tzinfo=UTC)),
        (datetime(2026, 12, 3, 5, tzinfo=UTC), datetime(2026, 12, 3, 10, tzinfo=UTC)),
        (datetime(2026, 12, 5, 15, tzinfo=UTC), datetime(2026, 12, 7, 10, tzinfo=UTC)),  # a Saturday
        (
            datetime(2026, 12, 25, 9, tzinfo=UTC),
            datetime(2026, 12, 29, 10, tzinfo=UTC),
        ),  # until Boxing Day is over
    ],
)
def test_a_reply_is_to_be_read_soon_after_the_clinic_opens(
    clinic: Clinic, now: datetime, due: datetime
) -> None:
    clinic.enroll(day=date(2027, 1, 20))
    clinic.clock.at = now
    say(clinic, "Where do I park?")
    assert clinic.tasks()[0]["due_at"] == due


def test_it_belongs_to_whoever_was_written_to_last(on_both: Clinic) -> None:
    clinic = on_both
    one = clinic.enroll(email=False).enrollment_id
    clinic.work()
    clinic.clock.advance(timedelta(minutes=5))
    other = clinic.enroll(BEN, email=False).enrollment_id
    clinic.work()
    say(clinic, "Who are you?")
    assert (len(kept(clinic, one)), len(kept(clinic, other))) == (0, 1)
    clinic.change(other, wishes.cancel())
    say(clinic, "Hello?")
    assert (len(kept(clinic, one)), len(kept(clinic, other))) == (1, 1)


def test_what_is_told_late_starts_nothing_and_is_read_by_a_person(clinic: Clinic) -> None:
    one = clinic.enroll().enrollment_id
    clinic.work()
    say(clinic, "STOP")
    clinic.clock.advance(timedelta(hours=3))
    say(clinic, "START", fetched_at=START + timedelta(minutes=1))
    assert is_stopped(clinic)
    assert kinds(clinic) == ["reply"]
    suppressing.restart(clinic.app.context, Channel.SMS, PHONE, source="tests")
    say(clinic, WEAK, fetched_at=START + timedelta(minutes=2))
    clinic.work()
    assert not [row for row in clinic.messages(one) if row.step == URGENT]
    assert kinds(clinic)[0] == "red_flag"


def test_a_fetched_yes_is_about_what_was_asked_before_it(on_both: Clinic) -> None:
    clinic = on_both
    one = asked(clinic)
    then = clinic.clock.now() + timedelta(minutes=1)
    clinic.clock.advance(timedelta(minutes=2))
    hello = Written(Channel.SMS, "", "Spine Clinic: is your number right?")
    staff_messages.write(clinic.app.context, one, hello, new_id(), "kim")
    clinic.work()
    clinic.clock.advance(timedelta(minutes=1))
    say(clinic, "Y", fetched_at=then)
    assert is_confirmed(clinic, one)


def test_a_yes_that_is_told_late_or_overtaken_is_for_a_person(on_both: Clinic) -> None:
    clinic = on_both
    one = asked(clinic)
    then = clinic.clock.now() + timedelta(minutes=1)
    clinic.clock.advance(timedelta(minutes=3))
    say(clinic, "Where do I park?")
    say(clinic, "Y", fetched_at=then)  # written before, fetched after
    assert not is_confirmed(clinic, one)
    clinic.clock.advance(timedelta(hours=1))
    say(clinic, "Y", fetched_at=then + timedelta(minutes=30))
    assert not is_confirmed(clinic, one)
    assert kinds(clinic) == ["reply"] * 3


def test_the_log_says_that_there_was_a_reply_and_not_what_it_said(clinic: Clinic) -> None:
    one = clinic.enroll().enrollment_id
    say(clinic, "My neighbour Zebedee asks too")
    with clinic.database.read() as tx:
        entries = audit.recent(tx)
    received = next(entry for entry in entries if entry["action"] == "reply.received")
    assert str(one) in received["detail"]
    assert not any("Zebedee" in entry["detail"] for entry in entries)
    assert not any("Zebedee" in task["detail"] for task in clinic.tasks())
