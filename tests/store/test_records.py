"""Patients found again, suppressions, tasks that open once, and an audit chain that shows tampering."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, func, insert, select, update

from journey.domain.delivery import Reason
from journey.domain.pathway import Channel
from journey.services import wishes
from journey.store import audit, patients, staff_tasks, suppressions
from journey.store.database import Tx
from journey.store.schema import audit_entries
from journey.store.schema import suppressions as suppressions_table
from journey.store.staff_tasks import NewTask, TaskKind
from tests.clinic import ANNA, START, Clinic

ZOE = {
    "given_name": "Zoë",
    "family_name": "Müller-Annandale",
    "phone": "+447700900111",
    "email": "Zoe.M@example.org",
    "record_number": "Z-202",
}


def _found(clinic: Clinic, text: str) -> set[str]:
    with clinic.database.read() as tx:
        return {patient.person.given_name for patient in patients.search(tx, text)}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Kowalska", {"Anna"}),
        ("kow", {"Anna"}),
        ("an", {"Anna", "Zoë"}),  # Anna and Annandale
        ("anna kow", {"Anna"}),
        ("kow anna", {"Anna"}),
        ("zoe", {"Zoë"}),
        ("MÜLLER", {"Zoë"}),
        ("muller", {"Zoë"}),
        ("annandale", {"Zoë"}),  # longer than the tokens go
        ("annandalx", set()),
        ("a", set()),  # too short to look up
        ("+447700900101", {"Anna"}),
        ("ANNA@example.org", {"Anna"}),
        ("zoe.m@EXAMPLE.org", {"Zoë"}),
        ("z-202", {"Zoë"}),
        ("+4477009001", set()),  # no part of a number
        ("anna@", set()),
        ("", set()),
        ("   ", set()),
        ("%", set()),
        ("smith", set()),
    ],
)
def test_a_patient_is_found_by_name_prefix_or_whole_address(
    clinic: Clinic, text: str, names: set[str]
) -> None:
    clinic.enroll(ANNA)
    clinic.enroll(ZOE)
    assert _found(clinic, text) == names


def test_new_details_are_found_and_old_ones_are_not(clinic: Clinic) -> None:
    clinic.enroll(ANNA)
    clinic.enroll(ANNA | {"phone": "+447700900199"}, day="2027-03-02")
    assert _found(clinic, "+447700900199") == {"Anna"}
    assert _found(clinic, "+447700900101") == set()


def test_everybody_who_shares_an_address_is_found_by_it(clinic: Clinic) -> None:
    one = clinic.enroll(ANNA)
    two = clinic.enroll(ZOE | {"phone": ANNA["phone"]})
    with clinic.database.read() as tx:
        assert set(patients.with_addresses(tx, [(Channel.SMS, ANNA["phone"])])) == {
            one.patient_id,
            two.patient_id,
        }
        assert patients.with_addresses(tx, [(Channel.EMAIL, "ANNA@example.ORG")]) == [one.patient_id]


PHONE = "+447700900155"


def _active(tx: Tx, address: str = PHONE) -> set[Channel]:
    """The channels on which an address is stopped."""
    return {
        channel
        for channel in Channel
        if suppressions.active(tx, tx.sealer.tokens(channel.value, address.casefold()))
    }


def test_an_address_is_suppressed_once_and_its_history_stays(clinic: Clinic) -> None:
    with clinic.database.write() as tx:
        tokens = [b"x" * 16, *tx.sealer.tokens("sms", PHONE)]
        assert suppressions.add(tx, Channel.SMS, PHONE, Reason.OPTED_OUT, "STOP", START, "STOP")
        assert not suppressions.add(tx, Channel.SMS, PHONE, Reason.BAD_ADDRESS, "21211", START)
        assert suppressions.add(tx, Channel.EMAIL, PHONE, Reason.OPTED_OUT, "link", START)
        assert _active(tx) == {Channel.SMS, Channel.EMAIL}
        assert suppressions.lift(tx, Channel.SMS, tokens, START)
        assert not suppressions.lift(tx, Channel.SMS, tokens, START)
        assert _active(tx) == {Channel.EMAIL}
        assert suppressions.add(tx, Channel.SMS, PHONE, Reason.OPTED_OUT, "STOP", START)
        kept = tx.connection.execute(select(func.count()).select_from(suppressions_table)).scalar_one()
    assert kept == 3


def test_the_case_of_an_email_does_not_matter(clinic: Clinic) -> None:
    with clinic.database.write() as tx:
        suppressions.add(tx, Channel.EMAIL, "Anna@Example.org", Reason.OPTED_OUT, "link", START)
        assert _active(tx, "anna@example.ORG") == {Channel.EMAIL}


def test_a_suppression_that_stands_already_undoes_nothing_else(clinic: Clinic) -> None:
    with clinic.database.write() as tx:
        suppressions.add(tx, Channel.SMS, PHONE, Reason.OPTED_OUT, "STOP", START)
    with clinic.database.write() as tx:
        suppressions.add(tx, Channel.EMAIL, PHONE, Reason.OPTED_OUT, "link", START)
        assert not suppressions.add(tx, Channel.SMS, PHONE, Reason.OPTED_OUT, "STOP", START)
    with clinic.database.read() as tx:
        assert _active(tx) == {Channel.SMS, Channel.EMAIL}


def _task(cause: str, enrollment: UUID, days: int = 0) -> NewTask:
    return NewTask(TaskKind.CALL, cause, "Call.", START + timedelta(days=days), enrollment)


def test_one_cause_opens_one_task_even_after_it_was_done(clinic: Clinic) -> None:
    anna = clinic.enroll().enrollment_id
    with clinic.database.write() as tx:
        staff_tasks.open_all(tx, [_task("b", anna, 2), _task("a", anna, 1), _task("a", anna, 9)], START)
        staff_tasks.open_all(tx, [_task("a", anna, 5)], START)
    assert [task["dedupe_key"] for task in clinic.tasks()] == ["call/a", "call/b"]  # by due time
    with clinic.database.write() as tx:
        staff_tasks.close_kind(tx, anna, [TaskKind.CALL], "Nurse", START)
        staff_tasks.open_all(tx, [_task("a", anna)], START)
    assert clinic.tasks() == []
    with clinic.database.read() as tx:
        assert {task["done_by"] for task in staff_tasks.of_enrollment(tx, anna)} == {"Nurse"}


def test_closing_closes_only_what_it_names(clinic: Clinic) -> None:
    anna, zoe = clinic.enroll().enrollment_id, clinic.enroll(ZOE).enrollment_id
    with clinic.database.write() as tx:
        staff_tasks.open_all(tx, [_task("a", anna), _task("z", zoe)], START)
        staff_tasks.close_kind(tx, anna, [TaskKind.SET_ARRIVAL], "x", START)
        staff_tasks.close_kind(tx, anna, [TaskKind.CALL], "x", START)
    assert [task["dedupe_key"] for task in clinic.tasks()] == ["call/z"]


def _chained(clinic: Clinic) -> int:
    """A few real entries; returns how many there are."""
    enrolled = clinic.enroll()
    clinic.change(enrolled.enrollment_id, wishes.pause())
    clinic.change(enrolled.enrollment_id, wishes.resume())
    with clinic.database.read() as tx:
        state = audit.verify(tx)
    assert state.broken_at is None
    assert state.entries >= 4
    return state.entries


def _verify(clinic: Clinic) -> audit.ChainState:
    with clinic.database.read() as tx:
        return audit.verify(tx)


@pytest.mark.parametrize("column", ["at", "actor", "action", "subject", "detail", "previous", "hash"])
def test_a_changed_entry_breaks_the_chain_there(clinic: Clinic, column: str) -> None:
    _chained(clinic)
    values: dict[str, Any] = {"at": START + timedelta(seconds=1), "previous": b"x" * 32, "hash": b"x" * 32}
    with clinic.database.write() as tx:
        tx.connection.execute(
            update(audit_entries).where(audit_entries.c.seq == 2).values({column: values.get(column, "x")})
        )
    assert _verify(clinic).broken_at == 2


@pytest.mark.parametrize("seq", [1, 2, 3])
def test_a_removed_entry_breaks_the_chain_there(clinic: Clinic, seq: int) -> None:
    _chained(clinic)
    with clinic.database.write() as tx:
        tx.connection.execute(delete(audit_entries).where(audit_entries.c.seq == seq))
    assert _verify(clinic).broken_at == seq


def test_a_removed_end_shows_as_another_head(clinic: Clinic) -> None:
    """The chain alone cannot show a cut tail: whoever keeps the head elsewhere sees it."""
    count = _chained(clinic)
    before = _verify(clinic)
    with clinic.database.write() as tx:
        tx.connection.execute(delete(audit_entries).where(audit_entries.c.seq == count))
    after = _verify(clinic)
    assert (after.entries, after.head) != (before.entries, before.head)


def test_an_entry_put_in_between_breaks_the_chain(clinic: Clinic) -> None:
    count = _chained(clinic)
    with clinic.database.write() as tx:
        for seq in range(count, 2, -1):
            tx.connection.execute(update(audit_entries).where(audit_entries.c.seq == seq).values(seq=seq + 1))
        copied = dict(
            tx.connection.execute(select(audit_entries).where(audit_entries.c.seq == 2)).one()._mapping
        )
        tx.connection.execute(insert(audit_entries), copied | {"seq": 3})
    assert _verify(clinic).broken_at == 3


def test_two_swapped_entries_break_the_chain(clinic: Clinic) -> None:
    _chained(clinic)
    with clinic.database.write() as tx:
        for before, after in ((2, -1), (3, 2), (-1, 3)):
            tx.connection.execute(
                update(audit_entries).where(audit_entries.c.seq == before).values(seq=after)
            )
    assert _verify(clinic).broken_at == 2


def test_an_empty_chain_is_whole_and_nothing_appended_changes_nothing(clinic: Clinic) -> None:
    with clinic.database.write() as tx:
        tx.connection.execute(delete(audit_entries))
        audit.append(tx, [], START)
        assert audit.verify(tx) == audit.ChainState(0, None, "0" * 64)


def test_the_audit_log_holds_no_name_number_or_text(clinic: Clinic) -> None:
    _chained(clinic)
    clinic.work()
    with clinic.database.read() as tx:
        said = str(audit.recent(tx, 500))
    for secret in ("Anna", "Kowalska", "7700900101", "example.org", "Hello"):
        assert secret not in said
