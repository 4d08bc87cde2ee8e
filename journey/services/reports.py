"""Reports: totals of each day, counted once it is over and again while it can still change."""

from __future__ import annotations

import time as real_time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from journey.domain.calendar import to_instant
from journey.domain.eligibility import EnrollmentStatus
from journey.services.context import Context
from journey.services.library import practice_zone
from journey.store import audit, totals
from journey.store.database import Conflict, Tx
from journey.store.totals import Bounds, Procedure, Total

MOST_DAYS = 731
LATE_CANCELLATION = timedelta(days=2)  # before the day of the procedure begins
_FRESH = timedelta(minutes=1)
# Receipts come within days; dates and outcomes are put right within weeks.
_LIVELY, _SETTLED = timedelta(days=3), timedelta(days=45)
_ONCE_A_DAY = timedelta(hours=20)


@dataclass(frozen=True, slots=True)
class Report:
    """The totals of a span of days. `uncounted`: days that are still to be counted."""

    since: date
    until: date
    totals: Sequence[Total]
    uncounted: int
    as_of: datetime | None

    def sum(self, measure: str, channel: str | None = None, detail: str | None = None) -> int:
        return sum(
            one.number
            for one in self.totals
            if one.measure == measure
            and (channel is None or one.channel == channel)
            and (detail is None or one.detail == detail)
        )


def read_report(context: Context, since: date, until: date, actor: str, seconds: float = 1.5) -> Report:
    """The report of a span, both ends included. Counts what is due for it, as far as the time allows."""
    _count(context, since, until, seconds)
    now = context.clock.now()
    with context.database.write() as tx:
        found, known = totals.read(tx, since, until), totals.counted(tx, since, until)
        zone = practice_zone(tx)
        audit.append(
            tx, [audit.Entry(actor, "report.viewed", "reports", {"since": since, "until": until})], now
        )
    days = (until - since).days + 1
    as_of = min(known.values()).astimezone(zone) if known else None
    return Report(since, until, found, days - len(known), as_of)


def refresh_recent(context: Context, seconds: float = 5.0) -> None:
    """Counts the days of the last year that are due, the newest first."""
    today = today_of(context)
    _count(context, today - timedelta(days=366), today, seconds)


def today_of(context: Context) -> date:
    """Today on the practice's clocks."""
    with context.database.read() as tx:
        return context.clock.now().astimezone(practice_zone(tx)).date()


def _count(context: Context, since: date, until: date, seconds: float) -> None:
    ends, now = real_time.monotonic() + seconds, context.clock.now()
    with context.database.read() as tx:
        known, zone = totals.counted(tx, since, until), practice_zone(tx)
    today = now.astimezone(zone).date()
    for day in _days_back(since, until):
        if _is_due(day, known.get(day), today, now):
            # A conflict: somebody else counted the same day at the same moment.
            with suppress(Conflict), context.database.write() as tx:
                found = [*totals.count_day(tx, bounds_of(day, zone)), *_procedures(tx, day, zone)]
                totals.replace_day(tx, day, found, now)
        if real_time.monotonic() >= ends:
            return


def _days_back(since: date, until: date) -> Iterator[date]:
    return (until - timedelta(days=offset) for offset in range((until - since).days + 1))


def _is_due(day: date, as_of: datetime | None, today: date, now: datetime) -> bool:
    if as_of is None:
        return True
    if day >= today - _LIVELY:
        return now - as_of >= _FRESH
    if day >= today - _SETTLED:
        return now - as_of >= _ONCE_A_DAY
    return as_of.date() < day + _SETTLED  # nobody counted it when it had settled


def bounds_of(day: date, zone: ZoneInfo) -> Bounds:
    """When a day of the practice begins and ends; it has 23 or 25 hours where the clocks change."""
    return Bounds(day, to_instant(day, time(0), zone), to_instant(day + timedelta(days=1), time(0), zone))


def _procedures(tx: Tx, day: date, zone: ZoneInfo) -> list[Total]:
    begins = to_instant(day, time(0), zone)
    rows = totals.procedures_on(tx, day)
    found = [
        Total(day, "procedures", "", kind, n) for kind, n in Counter(_kind(r, begins) for r in rows).items()
    ]
    found.append(Total(day, "confirmed", "", "", sum(_is_confirmed(row, day) for row in rows)))
    goals = Counter(goal for row in rows for goal in row.goals)
    return found + [Total(day, "goals", "", goal[:24], number) for goal, number in goals.items()]


def _is_confirmed(row: Procedure, day: date) -> bool:
    """Of those that stood: whoever confirmed and then cancelled did not come."""
    ended = (EnrollmentStatus.CANCELLED, EnrollmentStatus.WITHDRAWN)
    return row.confirmed_for == day and row.status not in ended


def _kind(row: Procedure, begins: datetime) -> str:
    """What became of a procedure that was planned for a day."""
    if row.status == EnrollmentStatus.CANCELLED:
        is_late = row.ended_at is None or row.ended_at > begins - LATE_CANCELLATION
        return "cancelled late" if is_late else "cancelled early"
    if row.completed_on is not None:
        return "went ahead"
    return "withdrawn" if row.status == EnrollmentStatus.WITHDRAWN else "not said"
