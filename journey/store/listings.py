"""What lists of many patients show, in a few queries whose cost does not grow with the practice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select

from journey.domain.delivery import GONE_OUT, IN_FLIGHT, Status
from journey.domain.eligibility import EnrollmentStatus
from journey.domain.pathway import ANSWERS, Channel
from journey.store.database import Tx
from journey.store.enrollments import COLUMNS, LIVE, Enrollment, read_row
from journey.store.message_rows import COLUMNS as MESSAGE_COLUMNS
from journey.store.message_rows import Message
from journey.store.message_rows import read_row as read_message
from journey.store.patients import Patient, read_or_stand_in
from journey.store.schema import enrollments, messages, patients, staff_tasks

SOONER = timedelta(days=7)  # a procedure can be brought forward without anybody saying so
_LIVE = [status.value for status in LIVE]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of a list ended: the next one begins behind it. Each list has a day or a moment, or only
    the id."""

    day: date | None
    at: datetime | None
    id: UUID


def upcoming(tx: Tx, today: date, after: Place | None, limit: int) -> list[Enrollment]:
    """Live enrollments whose procedure is today or later, the nearest first."""
    query = select(*COLUMNS).where(
        enrollments.c.status.in_(_LIVE),
        enrollments.c.completed_on.is_(None),
        enrollments.c.procedure_date >= (after.day if after and after.day else today),
    )
    if after is not None and after.day is not None:
        same_day = and_(enrollments.c.procedure_date == after.day, enrollments.c.id > after.id)
        query = query.where(or_(enrollments.c.procedure_date > after.day, same_day))
    return _fetch(tx, query.order_by(enrollments.c.procedure_date, enrollments.c.id).limit(limit))


def recovering(tx: Tx, today: date, after: Place | None, limit: int) -> list[Enrollment]:
    """Live enrollments whose procedure is behind them, the latest first."""
    latest = today + SOONER  # some went ahead before the day that was planned
    query = select(*COLUMNS).where(
        enrollments.c.status.in_(_LIVE),
        enrollments.c.procedure_date <= (after.day if after and after.day else latest),
        or_(enrollments.c.procedure_date < today, enrollments.c.completed_on.is_not(None)),
    )
    if after is not None and after.day is not None:
        same_day = and_(enrollments.c.procedure_date == after.day, enrollments.c.id < after.id)
        query = query.where(or_(enrollments.c.procedure_date < after.day, same_day))
    order = enrollments.c.procedure_date.desc(), enrollments.c.id.desc()
    return _fetch(tx, query.order_by(*order).limit(limit))


def without_date(tx: Tx, after: Place | None, limit: int) -> list[Enrollment]:
    """Live enrollments that are postponed without a new date, the newest first."""
    query = select(*COLUMNS).where(enrollments.c.status.in_(_LIVE), enrollments.c.procedure_date.is_(None))
    if after is not None:
        query = query.where(enrollments.c.id < after.id)
    return _fetch(tx, query.order_by(enrollments.c.id.desc()).limit(limit))


def needing_attention(tx: Tx, after: Place | None, limit: int) -> list[tuple[Enrollment, datetime]]:
    """Enrollments with open tasks, the most urgent first, with when the first of them is due."""
    whose, due = staff_tasks.c.enrollment_id, func.min(staff_tasks.c.due_at)
    urgent = select(whose, due.label("due")).where(staff_tasks.c.done_at.is_(None), whose.is_not(None))
    urgent = urgent.group_by(whose).order_by(due, whose).limit(limit)
    if after is not None and after.at is not None:
        urgent = urgent.having(or_(due > after.at, and_(due == after.at, whose > after.id)))
    first = urgent.subquery()
    query = select(*COLUMNS, first.c.due).join(first, first.c.enrollment_id == enrollments.c.id)
    rows: Sequence[Any] = tx.connection.execute(query.order_by(first.c.due, enrollments.c.id)).all()
    return [(read_row(row), row.due) for row in rows]


def on_days(tx: Tx, days: Sequence[date], limit: int) -> list[Enrollment]:
    """Everybody whose procedure is on one of these days, unless it was called off."""
    query = select(*COLUMNS).where(enrollments.c.procedure_date.in_(days), enrollments.c.status.in_(_LIVE))
    order = enrollments.c.procedure_date, enrollments.c.arrival_time, enrollments.c.id
    return _fetch(tx, query.order_by(*order).limit(limit))


def _fetch(tx: Tx, query: Select[Any]) -> list[Enrollment]:
    return [read_row(row) for row in tx.connection.execute(query)]


def by_ids(tx: Tx, ids: Iterable[UUID]) -> dict[UUID, Enrollment]:
    query = select(*COLUMNS).where(tx.among(enrollments.c.id, list(ids)))
    return {one.id: one for one in _fetch(tx, query)}


def patients_of(tx: Tx, found: Iterable[Enrollment]) -> dict[UUID, Patient]:
    """The patients of some enrollments, by id."""
    ids = list({one.patient_id for one in found})
    rows = tx.connection.execute(select(patients).where(tx.among(patients.c.id, ids)))
    return {row.id: read_or_stand_in(row, tx.sealer) for row in rows}


def open_tasks_of(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many tasks of each enrollment are open; none where there is none."""
    query = (
        select(staff_tasks.c.enrollment_id, func.count())
        .where(tx.among(staff_tasks.c.enrollment_id, ids), staff_tasks.c.done_at.is_(None))
        .group_by(staff_tasks.c.enrollment_id)
    )
    return {row[0]: int(row[1]) for row in tx.connection.execute(query)}


def next_due_of(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """When each enrollment's next message goes out."""
    query = (
        select(messages.c.enrollment_id, func.min(messages.c.due_at))
        .where(tx.among(messages.c.enrollment_id, ids), messages.c.status == Status.PLANNED.value)
        .group_by(messages.c.enrollment_id)
    )
    return {row[0]: row[1] for row in tx.connection.execute(query)}


def last_text_of(tx: Tx, enrollment_id: UUID, by: datetime) -> Message | None:
    """The last text that a provider had taken for an enrollment by a moment, automatic answers left out."""
    query = select(*MESSAGE_COLUMNS).where(
        messages.c.enrollment_id == enrollment_id,
        messages.c.channel == Channel.SMS.value,
        messages.c.accepted_at <= by,
        messages.c.status.in_([status.value for status in GONE_OUT]),  # one that failed was never read
        messages.c.step.not_like(f"{ANSWERS}%"),
    )
    row = tx.connection.execute(query.order_by(messages.c.accepted_at.desc()).limit(1)).first()
    return read_message(row) if row else None


def any_text_in_flight(tx: Tx, enrollment_ids: Sequence[UUID]) -> bool:
    """Whether a text to any of them is on its way, or nobody knows what became of it."""
    query = select(messages.c.id).where(
        tx.among(messages.c.enrollment_id, enrollment_ids),
        messages.c.channel == Channel.SMS.value,
        messages.c.status.in_([status.value for status in IN_FLIGHT]),
    )
    return tx.connection.execute(query.limit(1)).first() is not None


def count_accepted(tx: Tx, since: datetime, until: datetime) -> dict[str, int]:
    """How many messages providers took, per channel."""
    query = (
        select(messages.c.channel, func.count())
        .where(messages.c.accepted_at >= since, messages.c.accepted_at < until)
        .group_by(messages.c.channel)
    )
    return {str(row[0]): int(row[1]) for row in tx.connection.execute(query)}


def count_planned(tx: Tx, until: datetime) -> dict[str, int]:
    """How many messages are still to go before a moment, per channel."""
    query = (
        select(messages.c.channel, func.count())
        .where(messages.c.status == Status.PLANNED.value, messages.c.due_at < until)
        .group_by(messages.c.channel)
    )
    return {str(row[0]): int(row[1]) for row in tx.connection.execute(query)}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which enrollments to list; None asks for nothing."""

    status: EnrollmentStatus | None = None
    procedure_from: date | None = None
    procedure_to: date | None = None


def made(tx: Tx, wanted: Filter, after: UUID | None, limit: int) -> list[Enrollment]:
    """Enrollments in the order in which they were made, behind one of them."""
    query = select(*COLUMNS)
    if after is not None:
        query = query.where(enrollments.c.id > after)
    if wanted.status is not None:
        query = query.where(enrollments.c.status == wanted.status.value)
    if wanted.procedure_from is not None:
        query = query.where(enrollments.c.procedure_date >= wanted.procedure_from)
    if wanted.procedure_to is not None:
        query = query.where(enrollments.c.procedure_date <= wanted.procedure_to)
    return _fetch(tx, query.order_by(enrollments.c.id).limit(limit))
