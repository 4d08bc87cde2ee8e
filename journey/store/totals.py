"""Totals of each day, so that reports never count messages one by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, case, delete, extract, func, insert, select

from journey.domain.delivery import GONE_OUT, Status
from journey.domain.pathway import ANSWERS
from journey.store.database import Tx
from journey.store.schema import daily_totals, enrollments, messages, report_days, suppressions


@dataclass(frozen=True, slots=True)
class Total:
    """A number of one day. `detail`: a state, a reason, a class; empty where there is none."""

    day: date
    measure: str
    channel: str
    detail: str
    number: int


@dataclass(frozen=True, slots=True)
class Bounds:
    """A day on the practice's clocks, as instants: from the first, before the second."""

    day: date
    begins: datetime
    ends: datetime


# Minutes from a message's due time to its receipt, each class up to its bound.
REACH = (("1", 60), ("5", 300), ("60", 3600))
LATER = "later"


def read(tx: Tx, since: date, until: date) -> list[Total]:
    """The totals of the days from one to another, both included."""
    query = select(daily_totals).where(daily_totals.c.day >= since, daily_totals.c.day <= until)
    return [Total(*row) for row in tx.connection.execute(query.order_by(daily_totals.c.day))]


def counted(tx: Tx, since: date, until: date) -> dict[date, datetime]:
    """When each day was last counted."""
    query = select(report_days).where(report_days.c.day >= since, report_days.c.day <= until)
    return {row.day: row.as_of for row in tx.connection.execute(query)}


def replace_day(tx: Tx, day: date, totals: Iterable[Total], as_of: datetime) -> None:
    tx.connection.execute(delete(daily_totals).where(daily_totals.c.day == day))
    tx.connection.execute(delete(report_days).where(report_days.c.day == day))
    rows = [{name: getattr(total, name) for name in Total.__slots__} for total in totals if total.number]
    if rows:
        tx.connection.execute(insert(daily_totals), rows)
    tx.connection.execute(insert(report_days).values(day=day, as_of=as_of))


def count_day(tx: Tx, bounds: Bounds) -> list[Total]:
    """Everything about a day that is counted in the database."""
    return [*_messages(tx, bounds), *_segments(tx, bounds), *_reach(tx, bounds), *_opt_outs(tx, bounds)]


def _messages(tx: Tx, bounds: Bounds) -> list[Total]:
    query = (
        select(messages.c.channel, messages.c.status, func.count())
        .where(messages.c.due_at >= bounds.begins, messages.c.due_at < bounds.ends)
        .group_by(messages.c.channel, messages.c.status)
    )
    return _totals(bounds.day, "messages", tx.connection.execute(query).all())


def _segments(tx: Tx, bounds: Bounds) -> list[Total]:
    query = (
        select(messages.c.channel, func.sum(messages.c.segments))
        .where(messages.c.accepted_at >= bounds.begins, messages.c.accepted_at < bounds.ends)
        .group_by(messages.c.channel)
    )
    rows = [(channel, "", number or 0) for channel, number in tx.connection.execute(query)]
    return _totals(bounds.day, "segments", rows)


def _reach(tx: Tx, bounds: Bounds) -> list[Total]:
    """How soon after its time a message was known to have arrived; without a receipt, not at all."""
    waited = _seconds(tx, messages.c.due_at, messages.c.delivered_at)
    classes = case(
        (messages.c.delivered_at.is_(None), "none"),
        *((waited <= bound, name) for name, bound in REACH),
        else_=LATER,
    )
    query = (
        select(messages.c.channel, classes, func.count())
        .where(
            messages.c.due_at >= bounds.begins,
            messages.c.due_at < bounds.ends,
            messages.c.status.in_([status.value for status in (*GONE_OUT, Status.FAILED)]),
            messages.c.step.not_like(f"{ANSWERS}%"),  # which jump the queue, and have no time of their own
        )
        .group_by(messages.c.channel, classes)
    )
    return _totals(bounds.day, "reach", tx.connection.execute(query).all())


def _seconds(tx: Tx, begin: ColumnElement[Any], end: ColumnElement[Any]) -> ColumnElement[Any]:
    if tx.is_postgres:
        return extract("epoch", end - begin)
    return (func.julianday(end) - func.julianday(begin)) * 86_400


def _opt_outs(tx: Tx, bounds: Bounds) -> list[Total]:
    query = (
        select(suppressions.c.channel, suppressions.c.reason, func.count())
        .where(suppressions.c.at >= bounds.begins, suppressions.c.at < bounds.ends)
        .group_by(suppressions.c.channel, suppressions.c.reason)
    )
    return _totals(bounds.day, "stopped", tx.connection.execute(query).all())


def _totals(day: date, measure: str, rows: Sequence[Any]) -> list[Total]:
    return [Total(day, measure, channel or "", detail, int(number)) for channel, detail, number in rows]


@dataclass(frozen=True, slots=True)
class Procedure:
    """What reports ask of an enrollment."""

    status: str
    completed_on: date | None
    ended_at: datetime | None
    goals: Sequence[str]
    confirmed_for: date | None


def procedures_on(tx: Tx, day: date) -> list[Procedure]:
    columns = [enrollments.c[name] for name in Procedure.__slots__]
    query = select(*columns).where(enrollments.c.procedure_date == day)
    return [Procedure(*row) for row in tx.connection.execute(query)]
