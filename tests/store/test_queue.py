"""The queue under two workers at once, and changes of state that lose a race."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from journey.domain.delivery import Event, Reason, Status
from journey.domain.pathway import Channel
from journey.store import messages
from journey.store.database import Conflict
from journey.store.messages import Message, Move
from tests.clinic import ANNA, PROCEDURE, START, Clinic

# Whoever waits for a lock here has failed already.
_IMPATIENT = text("SET LOCAL lock_timeout = '500ms'")


def _crowd(clinic: Clinic, count: int) -> None:
    """So many patients, each with a welcome text due now."""
    for number in range(count):
        person = ANNA | {"record_number": f"C-{number}", "phone": f"+4477009002{number:02}"}
        clinic.enroll(person)


def _due(clinic: Clinic) -> list[Message]:
    with clinic.database.read() as tx:
        return messages.take_due(tx, Channel.SMS, START, 100)


def test_the_queue_gives_what_is_due_on_its_channel_earliest_first_and_no_more(clinic: Clinic) -> None:
    _crowd(clinic, 3)
    assert [row.step for row in _due(clinic)] == ["welcome"] * 3
    with clinic.database.read() as tx:
        assert len(messages.take_due(tx, Channel.SMS, START, 2)) == 2
        assert messages.take_due(tx, Channel.EMAIL, START, 9) == []
        assert messages.take_due(tx, Channel.SMS, START - timedelta(seconds=1), 9) == []
        year = START + timedelta(days=365)
        all_due = messages.take_due(tx, Channel.SMS, year, 999)
        assert [row.due_at for row in all_due] == sorted(row.due_at for row in all_due)
        assert messages.count_due(tx, Channel.SMS, START, 2) == 2
        assert messages.next_due(tx) == START


def test_two_workers_at_once_take_different_rows(clinic: Clinic) -> None:
    if not clinic.database.is_postgres:
        pytest.skip("SQLite has one writer at a time")
    _crowd(clinic, 6)
    with clinic.database.write() as one, clinic.database.write() as two:
        two.connection.execute(_IMPATIENT)
        first = {row.id for row in messages.take_due(one, Channel.SMS, START, 4)}
        second = {row.id for row in messages.take_due(two, Channel.SMS, START, 4)}
        assert (len(first), len(second)) == (4, 2)
        assert not first & second


def test_a_sweeper_and_a_worker_do_not_wait_for_each_other(clinic: Clinic) -> None:
    if not clinic.database.is_postgres:
        pytest.skip("SQLite has one writer at a time")
    enrolled = clinic.enroll(arrival=None)
    late = START + timedelta(days=60)
    with clinic.database.write() as one, clinic.database.write() as two:
        two.connection.execute(_IMPATIENT)
        assert messages.of_enrollment(one, enrolled.enrollment_id, lock=True)
        assert messages.to_check(two, late, 100) == []
        assert messages.take_due(two, Channel.SMS, late, 100) == []


def _claim(row: Message) -> Move:
    return Move.of(row, Event.CLAIM, START, claimed_at=START, check_at=START + timedelta(seconds=40))


def test_of_two_claims_on_one_row_one_wins_and_losing_is_no_error(clinic: Clinic) -> None:
    enrolled = clinic.enroll()
    row = clinic.message(enrolled.enrollment_id, "welcome")
    with clinic.database.write() as tx:
        assert messages.move(tx, [_claim(row)]) == [_claim(row)]
        assert messages.move(tx, [_claim(row)]) == []
    claimed = clinic.message(enrolled.enrollment_id, "welcome")
    assert (claimed.status, claimed.attempts) == (Status.SENDING, 1)


def test_in_a_batch_only_the_rows_that_were_overtaken_lose(clinic: Clinic) -> None:
    _crowd(clinic, 3)
    rows = _due(clinic)
    with clinic.database.write() as tx:
        messages.move(tx, [Move.of(rows[1], Event.CANCEL, START, reason=Reason.SUPERSEDED.value)])
        won = messages.move(tx, [_claim(row) for row in rows])
    assert [move.id for move in won] == [rows[0].id, rows[2].id]
    with clinic.database.read() as tx:
        kept = messages.by_ids(tx, [rows[1].id])[0]
    assert (kept.status, kept.attempts) == (Status.CANCELLED, 0)


def test_an_answer_to_an_older_attempt_changes_nothing(clinic: Clinic) -> None:
    enrolled = clinic.enroll()
    row = clinic.message(enrolled.enrollment_id, "welcome")
    with clinic.database.write() as tx:
        messages.move(tx, [_claim(row)])
        first = messages.by_ids(tx, [row.id])[0]
        messages.move(tx, [Move.of(first, Event.RETURN, START, due_at=START)])
        messages.move(tx, [_claim(messages.by_ids(tx, [row.id])[0])])
        assert messages.move(tx, [Move.of(first, Event.ACCEPT, START, provider_id="SM1")]) == []
        assert messages.by_ids(tx, [row.id])[0].attempts == 2


def test_what_has_ended_is_not_moved_even_by_a_stale_row(clinic: Clinic) -> None:
    enrolled = clinic.enroll()
    clinic.work()
    row = clinic.message(enrolled.enrollment_id, "welcome")
    assert row.status is Status.DELIVERED
    with pytest.raises(ValueError, match="a message that is delivered cannot be cancelled"):
        _ = Move.of(row, Event.CANCEL, START).after


def test_every_move_but_the_claim_is_an_event_of_the_timeline(clinic: Clinic) -> None:
    enrolled = clinic.enroll()
    clinic.work()
    row = clinic.message(enrolled.enrollment_id, "welcome")
    with clinic.database.read() as tx:
        events = messages.events_of(tx, row.id)
    assert [(event["event"], event["status"], event["attempt"]) for event in events] == [
        ("deliver", "delivered", 1)
    ]


def test_one_provider_id_belongs_to_one_message(clinic: Clinic) -> None:
    _crowd(clinic, 2)
    rows = _due(clinic)
    with clinic.database.write() as tx:
        messages.move(tx, [_claim(row) for row in rows])
        claimed = messages.by_ids(tx, [row.id for row in rows])
    with pytest.raises(Conflict), clinic.database.write() as tx:
        messages.move(tx, [Move.of(row, Event.ACCEPT, START, provider_id="SM1") for row in claimed])
    with clinic.database.read() as tx:
        assert {row.status for row in messages.by_ids(tx, [r.id for r in rows])} == {Status.SENDING}
        assert messages.taken_provider_ids(tx, ["SM1"]) == set()


def test_a_change_that_raises_leaves_nothing_behind(clinic: Clinic) -> None:
    enrolled = clinic.enroll()
    row = clinic.message(enrolled.enrollment_id, "welcome")

    def fail() -> None:
        with clinic.database.write() as tx:
            messages.move(tx, [_claim(row)])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert clinic.message(enrolled.enrollment_id, "welcome") == row


def test_a_step_has_one_row_per_occurrence(clinic: Clinic) -> None:
    enrolled = clinic.enroll(day=PROCEDURE)
    with clinic.database.read() as tx:
        assert messages.next_occurrence(tx, enrolled.enrollment_id, "welcome") == 1
        assert messages.by_ids(tx, [uuid4()]) == []
