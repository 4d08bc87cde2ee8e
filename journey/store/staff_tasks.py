"""What needs a person: opened once per cause, with a due time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import String, case, cast, func, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from journey.store.database import Tx
from journey.store.ids import new_id
from journey.store.schema import staff_tasks, task_notes

NOTE = "task_notes.text"


class TaskKind(StrEnum):
    RED_FLAG = "red_flag"  # words in a reply that may be urgent
    CALLS_OFF = "calls_off"  # a reply that says no to the procedure or to its date; the index knows both
    REPLY = "reply"  # a reply for somebody to read
    CALL = "call"  # tell the patient by phone what a message could not
    SET_ARRIVAL = "set_arrival"  # messages wait for the arrival time
    CONFIRM_DONE = "confirm_done"  # recovery messages wait for "it went ahead"
    OUTCOME_UNKNOWN = "outcome_unknown"  # the provider cannot say whether it was sent
    BAD_ADDRESS = "bad_address"  # a number or e-mail address that does not work
    UNREACHABLE = "unreachable"  # no channel is left for this patient
    NOT_DELIVERED = "not_delivered"  # a critical message without a receipt
    PROVIDER = "provider"  # the provider refuses everything: credentials, sender, balance
    CANNOT_RENDER = "cannot_render"  # a template failed for this patient
    SENT_TWICE = "sent_twice"  # the provider reports two messages where one was meant


@dataclass(frozen=True, slots=True)
class NewTask:
    """`cause` makes it unique: the same cause opens no second task, unless it is over and recurs."""

    kind: TaskKind
    cause: str
    detail: str
    due_at: datetime
    enrollment_id: UUID | None = None
    message_id: UUID | None = None
    id: UUID = field(default_factory=new_id)


# What can come about again after somebody saw to it. Everything else happens to one message once.
_RECURRING = (TaskKind.SET_ARRIVAL, TaskKind.CONFIRM_DONE, TaskKind.UNREACHABLE, TaskKind.BAD_ADDRESS)


def _done(by: str, at: datetime) -> dict[str, Any]:
    """The columns of a task that is closed. A recurring one gives its cause free for the next time."""
    own = staff_tasks.c.dedupe_key.concat("/").concat(cast(staff_tasks.c.id, String))
    recurs = staff_tasks.c.kind.in_([kind.value for kind in _RECURRING])
    return {"done_at": at, "done_by": by, "dedupe_key": case((recurs, own), else_=staff_tasks.c.dedupe_key)}


def open_all(tx: Tx, tasks: Sequence[NewTask], at: datetime) -> None:
    """Opens tasks, leaving out those whose cause already has one."""
    if not tasks:
        return
    rows = [
        {
            "id": task.id,
            "dedupe_key": f"{task.kind.value}/{task.cause}",
            "kind": task.kind.value,
            "enrollment_id": task.enrollment_id,
            "message_id": task.message_id,
            "detail": task.detail,
            "opened_at": at,
            "due_at": task.due_at,
        }
        for task in tasks
    ]
    statement: Any = (postgresql.insert if tx.is_postgres else sqlite.insert)(staff_tasks)
    tx.connection.execute(statement.on_conflict_do_nothing(index_elements=["dedupe_key"]), rows)


def close_kind(tx: Tx, enrollment_id: UUID, kinds: Sequence[TaskKind], by: str, at: datetime) -> None:
    """Closes an enrollment's tasks whose cause has gone, such as a missing arrival time."""
    tx.connection.execute(
        update(staff_tasks)
        .where(
            staff_tasks.c.enrollment_id == enrollment_id,
            staff_tasks.c.kind.in_([kind.value for kind in kinds]),
            staff_tasks.c.done_at.is_(None),
        )
        .values(_done(by, at))
    )


def close_cause(tx: Tx, kind: TaskKind, cause: str, by: str, at: datetime) -> None:
    """Closes the task of one cause, if it is open."""
    tx.connection.execute(
        update(staff_tasks)
        .where(staff_tasks.c.dedupe_key == f"{kind.value}/{cause}", staff_tasks.c.done_at.is_(None))
        .values(_done(by, at))
    )


def close_of_message(tx: Tx, message_id: UUID, kinds: Sequence[TaskKind], by: str, at: datetime) -> None:
    """Closes the questions about a message that have answered themselves."""
    tx.connection.execute(
        update(staff_tasks)
        .where(
            staff_tasks.c.message_id == message_id,
            staff_tasks.c.kind.in_([kind.value for kind in kinds]),
            staff_tasks.c.done_at.is_(None),
        )
        .values(_done(by, at))
    )


# Written out, since an index for some rows is found only by the very words of its condition.
_URGENT, _OTHERS = text("kind IN ('red_flag', 'calls_off')"), text("kind NOT IN ('red_flag', 'calls_off')")
_ALWAYS = 20  # tasks of other kinds that a list shows, however many urgent ones there are


def open_tasks(tx: Tx, limit: int = 200) -> list[dict[str, Any]]:
    """Urgent replies of patients, then of numbers that nobody has, then all else by when it is due."""
    query = select(staff_tasks).where(staff_tasks.c.done_at.is_(None))
    order = staff_tasks.c.enrollment_id.is_(None), staff_tasks.c.kind.desc(), staff_tasks.c.due_at
    urgent = tx.connection.execute(query.where(_URGENT).order_by(*order).limit(limit)).all()
    rest = query.where(_OTHERS).order_by(staff_tasks.c.due_at)
    others = tx.connection.execute(rest.limit(max(limit - len(urgent), _ALWAYS))).all()
    return [dict(row._mapping) for row in (*urgent, *others)]


def made(tx: Tx, is_done: bool | None, after: UUID | None, limit: int) -> list[dict[str, Any]]:
    """Tasks in the order in which they were opened, behind one of them; open, done, or (None) both."""
    query = select(staff_tasks)
    if is_done is not None:
        query = query.where(
            staff_tasks.c.done_at.is_not(None) if is_done else staff_tasks.c.done_at.is_(None)
        )
    if after is not None:
        query = query.where(staff_tasks.c.id > after)
    return [
        dict(row._mapping) for row in tx.connection.execute(query.order_by(staff_tasks.c.id).limit(limit))
    ]


def close(tx: Tx, task_id: UUID, by: str, at: datetime) -> bool:
    """Marks one task done; False if it is not open."""
    done = (
        update(staff_tasks)
        .where(staff_tasks.c.id == task_id, staff_tasks.c.done_at.is_(None))
        .values(_done(by, at))
    )
    return tx.connection.execute(done).rowcount == 1


def count_open(tx: Tx) -> int:
    query = select(func.count()).select_from(staff_tasks).where(staff_tasks.c.done_at.is_(None))
    return int(tx.connection.execute(query).scalar_one())


def of_enrollment(tx: Tx, enrollment_id: UUID) -> list[dict[str, Any]]:
    query = select(staff_tasks).where(staff_tasks.c.enrollment_id == enrollment_id)
    return [dict(row._mapping) for row in tx.connection.execute(query)]


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody wrote beside a task."""

    text: str
    actor: str
    at: datetime


def claim(tx: Tx, task_id: UUID, by: str, at: datetime) -> bool:
    """Somebody takes an open task; False if it is done or somebody else has it."""
    free = (staff_tasks.c.claimed_by.is_(None)) | (staff_tasks.c.claimed_by == by)
    taken = (
        update(staff_tasks)
        .where(staff_tasks.c.id == task_id, staff_tasks.c.done_at.is_(None), free)
        .values(claimed_by=by, claimed_at=at)
    )
    return tx.connection.execute(taken).rowcount == 1


def release(tx: Tx, task_id: UUID, by: str) -> bool:
    """Gives a task back; False if it is not one's own."""
    given = (
        update(staff_tasks)
        .where(staff_tasks.c.id == task_id, staff_tasks.c.done_at.is_(None), staff_tasks.c.claimed_by == by)
        .values(claimed_by=None, claimed_at=None)
    )
    return tx.connection.execute(given).rowcount == 1


def add_note(tx: Tx, task_id: UUID, text: str, actor: str, at: datetime) -> None:
    note_id = new_id()
    sealed = tx.sealer.seal(text, NOTE, note_id)
    row = {"id": note_id, "task_id": task_id, "sealed_text": sealed, "actor": actor, "at": at}
    tx.connection.execute(insert(task_notes).values(row))


def notes_of(tx: Tx, task_ids: Sequence[UUID]) -> dict[UUID, list[Note]]:
    """The notes of some tasks, oldest first."""
    query = select(task_notes).where(tx.among(task_notes.c.task_id, task_ids)).order_by(task_notes.c.id)
    found: dict[UUID, list[Note]] = {}
    for row in tx.connection.execute(query):
        text = tx.sealer.open(row.sealed_text, NOTE, row.id)
        found.setdefault(row.task_id, []).append(Note(text, row.actor, row.at))
    return found


def get(tx: Tx, task_id: UUID) -> dict[str, Any] | None:
    row = tx.connection.execute(select(staff_tasks).where(staff_tasks.c.id == task_id)).first()
    return dict(row._mapping) if row else None
