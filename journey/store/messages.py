"""The messages: the queue, its claims, and the only code that writes a status."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, Update, bindparam, func, insert, select, update

from journey.domain.delivery import GONE_OUT, IN_FLIGHT, OPEN, Event, Status, next_status
from journey.domain.pathway import Channel
from journey.domain.plan import PlannedMessage
from journey.store import bulk, webhooks
from journey.store.database import Tx
from journey.store.message_rows import COLUMNS, HandMade, hand_made_row, read_row
from journey.store.message_rows import Message as Message  # part of this module's face
from journey.store.message_rows import new_row as new_row
from journey.store.message_rows import plan_values as plan_values
from journey.store.schema import message_events, messages

_BASIS = ("enrollment_id", "step", "procedure_date", "arrival_time", "occurrence")
STANDS = OPEN | IN_FLIGHT | GONE_OUT
CONTENT = "messages.content"
_TOLD = frozenset(status.value for status in Status) - {"planned", "held", "sending"}


def _fetch(tx: Tx, query: Select[Any]) -> list[Message]:
    return [read_row(row) for row in tx.connection.execute(query)]


@dataclass(frozen=True, slots=True)
class Move:
    """One event for one message, expected to be in `before` on its given attempt."""

    id: UUID
    before: Status
    attempt: int
    event: Event
    at: datetime
    values: Mapping[str, Any] = field(default_factory=dict)
    detail: str | None = None

    @classmethod
    def of(
        cls, message: Message, event: Event, at: datetime, detail: str | None = None, **values: Any
    ) -> Move:
        return cls(message.id, message.status, message.attempts, event, at, values, detail)

    @property
    def after(self) -> Status:
        status = next_status(self.before, self.event)
        if status is None:
            raise ValueError(f"a message that is {self.before} cannot be {self.event}")
        return status


def move(tx: Tx, moves: Sequence[Move]) -> list[Move]:
    """Applies the events whose message still stands as expected, and records them.

    Returns those that won; losing a race is a normal outcome, never an error. A row leaves `check_at`
    unless its values set one. A claim counts the attempt.
    """
    groups: dict[tuple[bool, frozenset[str]], list[Move]] = defaultdict(list)
    for one in moves:
        groups[one.event is Event.CLAIM, frozenset(one.values)].append(one)
    if tx.is_postgres and len(moves) > 1:
        # In the order of their ids, as a change locks them: no two transactions wait for each other.
        rows = select(messages.c.id).where(tx.among(messages.c.id, [one.id for one in moves]))
        tx.connection.execute(tx.locked(rows.order_by(messages.c.id)))
    won = [winner for group in groups.values() for winner in _move_alike(tx, group)]
    # A claim is followed by another event of the same attempt in any case: its outcome or its loss.
    _record(tx, [one for one in won if one.event is not Event.CLAIM])
    return won


def _move_alike(tx: Tx, group: list[Move]) -> list[Move]:
    """Moves that set the same columns, in one statement on PostgreSQL and one executemany on SQLite."""
    rows = [
        {"_id": m.id, "_before": m.before.value, "_attempt": m.attempt, "_status": m.after.value}
        | {f"_{name}": value for name, value in m.values.items()}
        for m in group
    ]
    if tx.is_postgres:
        same = {"_id": messages.c.id, "_before": messages.c.status, "_attempt": messages.c.attempts}
        new = {f"_{name}": messages.c[name] for name in ("status", *group[0].values)}
        given = bulk.as_table(same | new, rows)
        changed = _conditional_update(group[0], given.c.__getitem__).returning(messages.c.id)
        won = set(tx.connection.execute(changed).scalars())
        return [one for one in group if one.id in won]
    statement = _conditional_update(group[0], bindparam)
    with tx.connection.begin_nested() as savepoint:
        if tx.connection.execute(statement, rows).rowcount == len(rows):
            return group
        savepoint.rollback()
    # A race was lost: one by one shows which.
    return [
        one
        for one, row in zip(group, rows, strict=True)
        if tx.connection.execute(statement, row).rowcount == 1
    ]


def _conditional_update(like: Move, given: Callable[[str], ColumnElement[Any]]) -> Update:
    """Sets what `like` sets, from the values that `given` names, where status and attempt still match."""
    values: dict[str, Any] = {name: given(f"_{name}") for name in ("status", *like.values)}
    if "check_at" not in like.values:
        values["check_at"] = None
    if like.event is Event.CLAIM:
        values["attempts"] = messages.c.attempts + 1
    return (
        update(messages)
        .where(
            messages.c.id == given("_id"),
            messages.c.status == given("_before"),
            messages.c.attempts == given("_attempt"),
        )
        .values(values)
    )


def _record(tx: Tx, moves: Sequence[Move]) -> None:
    rows = [
        {
            "message_id": one.id,
            "at": one.at,
            "event": one.event.name.lower(),
            "status": one.after.value,
            "attempt": one.attempt,
            "reason": one.values.get("reason"),
            "detail": one.detail,
        }
        for one in moves
    ]
    bulk.insert_rows(tx, message_events, rows)
    webhooks.emit_of_messages(tx, [row for row in rows if row["status"] in _TOLD])


def take_due(tx: Tx, channel: Channel, now: datetime, limit: int) -> list[Message]:
    """Up to `limit` due messages, kept from other workers until the transaction ends.

    Rows that another worker or a change holds are skipped on PostgreSQL; SQLite has one writer at a
    time. The claim itself is the conditional update of `move`, in the same transaction.
    """
    due = _due(channel, now).order_by(messages.c.due_at).limit(limit)
    if tx.is_postgres:
        due = due.with_for_update(skip_locked=True)
    return _fetch(tx, due)


def _due(channel: Channel, now: datetime) -> Select[Any]:
    return select(*COLUMNS).where(
        messages.c.status == Status.PLANNED.value,
        messages.c.channel == channel.value,
        messages.c.due_at <= now,
    )


def count_due(tx: Tx, channel: Channel, now: datetime, up_to: int) -> int:
    """How many messages are due, counted no further than `up_to`."""
    due = _due(channel, now).with_only_columns(messages.c.id).limit(up_to).subquery()
    return int(tx.connection.execute(select(func.count()).select_from(due)).scalar_one())


def next_due(tx: Tx) -> datetime | None:
    """When the next planned message is due, on any channel."""
    query = select(func.min(messages.c.due_at)).where(messages.c.status == Status.PLANNED.value)
    earliest: datetime | None = tx.connection.execute(query).scalar_one()
    return earliest


def to_check(tx: Tx, now: datetime, limit: int) -> list[Message]:
    """Messages that somebody must look at: leases run out, unknown outcomes, unanswered critical ones.

    Taken under a row lock, so that two sweepers share the work.
    """
    query = (
        select(*COLUMNS)
        .where(messages.c.check_at.is_not(None), messages.c.check_at <= now)
        .order_by(messages.c.check_at)
        .limit(limit)
    )
    if tx.is_postgres:
        query = query.with_for_update(skip_locked=True)
    return _fetch(tx, query)


def postpone_check(tx: Tx, ids: Iterable[UUID], until: datetime | None) -> None:
    """Puts off the next look at messages (None: for good), without an event: nothing happened to them."""
    ids = list(ids)
    if ids:
        tx.connection.execute(update(messages).where(tx.among(messages.c.id, ids)).values(check_at=until))


def insert_planned(tx: Tx, enrollment_id: UUID, planned: Iterable[tuple[PlannedMessage, int]]) -> list[UUID]:
    """New rows for planned messages with their occurrences."""
    rows = [new_row(enrollment_id, message, occurrence) for message, occurrence in planned]
    insert_rows(tx, rows)
    return [row["id"] for row in rows]


def insert_hand_made(tx: Tx, one: HandMade) -> None:
    insert_rows(tx, [hand_made_row(one, tx.sealer.seal(one.content, CONTENT, one.id))])


def insert_rows(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        tx.connection.execute(insert(messages), rows)


def of_enrollment(tx: Tx, enrollment_id: UUID, *, lock: bool = False) -> list[Message]:
    """All messages of an enrollment. `lock` keeps workers from claiming them until the commit."""
    query = select(*COLUMNS).where(messages.c.enrollment_id == enrollment_id)
    if lock and tx.is_postgres:
        query = query.with_for_update()
    found = _fetch(tx, query.order_by(messages.c.id))
    return sorted(found, key=lambda m: (m.due_at, m.step, m.occurrence))


def made(
    tx: Tx, enrollment_id: UUID | None, status: Status | None, after: UUID | None, limit: int
) -> list[Message]:
    """Messages in the order in which they were planned, behind one of them."""
    query = select(*COLUMNS)
    if enrollment_id is not None:
        query = query.where(messages.c.enrollment_id == enrollment_id)
    if status is not None:
        query = query.where(messages.c.status == status.value)
    if after is not None:
        query = query.where(messages.c.id > after)
    return _fetch(tx, query.order_by(messages.c.id).limit(limit))


def by_ids(tx: Tx, ids: Sequence[UUID], *, lock: bool = False) -> list[Message]:
    query = select(*COLUMNS).where(tx.among(messages.c.id, ids))
    return _fetch(tx, query.with_for_update() if lock and tx.is_postgres else query)


def read_content(tx: Tx, message: Message) -> dict[str, str]:
    """The words that were sent: to, subject and text; empty before the first claim."""
    if message.sealed_content is None:
        return {}
    content: dict[str, str] = tx.sealer.open(message.sealed_content, CONTENT, message.id)
    return content


def taken_provider_ids(tx: Tx, provider_ids: Sequence[str]) -> set[str]:
    """Which of the provider's ids some message already has."""
    query = select(messages.c.provider_id).where(tx.among(messages.c.provider_id, provider_ids))
    return {str(row[0]) for row in tx.connection.execute(query)}


def next_occurrence(tx: Tx, enrollment_id: UUID, step: str) -> int:
    query = select(func.max(messages.c.occurrence)).where(
        messages.c.enrollment_id == enrollment_id, messages.c.step == step
    )
    last: int | None = tx.connection.execute(query).scalar_one()
    return 0 if last is None else last + 1


def has_stand_in(tx: Tx, message: Message) -> bool:
    query = select(messages.c.id).where(
        messages.c.enrollment_id == message.enrollment_id,
        messages.c.stands_in_for == message.id,
    )
    return tx.connection.execute(query).first() is not None


def superseded(tx: Tx, rows: Sequence[Message], standing: frozenset[Status] = STANDS) -> set[UUID]:
    """Those whose step has a later message that says the same of the same date and stands. A row without
    an arrival time says whatever the time is when it leaves."""
    query = select(*(messages.c[name] for name in _BASIS)).where(
        tx.among(messages.c.enrollment_id, list({row.enrollment_id for row in rows})),
        messages.c.status.in_([status.value for status in standing]),
        messages.c.written_by.is_(None),
    )
    later = tx.connection.execute(query).all()
    return {row.id for row in rows if any(_takes_its_place(one, row) for one in later)}


def _takes_its_place(one: Row[Any], row: Message) -> bool:
    same = (one.enrollment_id, one.step) == (row.enrollment_id, row.step)
    is_same_time = row.arrival_time is None or one.arrival_time == row.arrival_time
    is_same_day = one.procedure_date == row.procedure_date
    return same and is_same_day and is_same_time and one.occurrence > row.occurrence


def counts_by_status(tx: Tx) -> dict[str, int]:
    query = select(messages.c.status, func.count()).group_by(messages.c.status)
    return {str(status): int(count) for status, count in tx.connection.execute(query)}


def events_of(tx: Tx, message_id: UUID) -> list[dict[str, Any]]:
    query = (
        select(message_events).where(message_events.c.message_id == message_id).order_by(message_events.c.id)
    )
    return [dict(row._mapping) for row in tx.connection.execute(query)]
