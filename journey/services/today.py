"""The first page of the day: what needs a person, who comes today and tomorrow, and how much goes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from journey.domain.calendar import read_zone, to_instant
from journey.domain.eligibility import EnrollmentStatus
from journey.services.context import Context
from journey.services.library import Library, practice_zone
from journey.services.patient_lists import Listed, listed
from journey.services.taking_back import terms_before
from journey.store import audit, listings, replies, staff_tasks
from journey.store.database import Tx
from journey.store.enrollments import Enrollment
from journey.store.replies import Reply

MOST_TASKS, EVERY_TASK, MOST_PROCEDURES = 50, 1_000, 100


@dataclass(frozen=True, slots=True)
class OpenTask:
    """A task with its patient and the reply that it is about, where it has them."""

    task: Mapping[str, Any]
    whose: Listed | None
    notes: Sequence[staff_tasks.Note]
    reply: Reply | None  # the one that it is about


@dataclass(frozen=True, slots=True)
class CalledOff:
    """What somebody has called off with one click, and may take back with another."""

    whose: Listed
    is_cancelled: bool


@dataclass(frozen=True, slots=True)
class Day:
    """Everything of the page. `at` is the clinic's local now; counts are per channel."""

    at: datetime
    tasks: Sequence[OpenTask]
    tasks_in_all: int
    procedures: Mapping[date, Sequence[Listed]]
    sent: Mapping[str, int]
    to_go: Mapping[str, int]
    called_off: CalledOff | None

    @property
    def days(self) -> list[date]:
        return [self.at.date(), self.at.date() + timedelta(days=1)]


def local_now(context: Context) -> datetime:
    """Now on the first site's clocks, which are the practice's where there are several."""
    with context.database.read() as tx:
        return _local_now(tx, context)


def _local_now(tx: Tx, context: Context) -> datetime:
    return context.clock.now().astimezone(practice_zone(tx))


def read_day(
    context: Context, library: Library, actor: str, called_off: UUID | None = None, most: int = MOST_TASKS
) -> Day:
    """`called_off`: the enrollment that was called off on this page a moment ago. `most`: tasks to show."""
    with context.database.write() as tx:
        now = _local_now(tx, context)
        tasks = staff_tasks.open_tasks(tx, most)
        days = [now.date(), now.date() + timedelta(days=1)]
        coming = listings.on_days(tx, days, MOST_PROCEDURES)
        of_tasks = listings.by_ids(tx, _ids(tasks) + ([called_off] if called_off else []))
        every = {one.id: one for one in [*coming, *of_tasks.values()]}
        task_ids = [task["id"] for task in tasks]
        notes, said = staff_tasks.notes_of(tx, task_ids), replies.of_tasks(tx, task_ids)
        begins, ends = _bounds(now)
        sent, to_go = listings.count_accepted(tx, begins, ends), listings.count_planned(tx, ends)
        in_all = staff_tasks.count_open(tx)
        lines = {one.enrollment.id: one for one in listed(context, tx, library, list(every.values()), actor)}
        undoable = _undoable(tx, lines.get(called_off) if called_off else None, now)
        strangers = [f"reply/{one.id}" for one in said.values() if one.enrollment_id is None]
        audit.append(tx, [audit.Entry(actor, "reply.listed", one, {}) for one in strangers], now)
    return Day(
        now,
        [
            OpenTask(task, lines.get(task["enrollment_id"]), notes.get(task["id"], []), said.get(task["id"]))
            for task in tasks
        ],
        in_all,
        {day: _of_day(coming, lines, day) for day in days},
        sent,
        to_go,
        undoable,
    )


def _undoable(tx: Tx, whose: Listed | None, now: datetime) -> CalledOff | None:
    if whose is None or terms_before(tx, whose.enrollment, now) is None:
        return None
    return CalledOff(whose, whose.enrollment.status is EnrollmentStatus.CANCELLED)


def _ids(tasks: Sequence[Mapping[str, Any]]) -> list[UUID]:
    return [task["enrollment_id"] for task in tasks if task["enrollment_id"] is not None]


def _of_day(coming: Sequence[Enrollment], lines: Mapping[UUID, Listed], day: date) -> list[Listed]:
    return [lines[one.id] for one in coming if one.procedure_date == day]


def _bounds(now: datetime) -> tuple[datetime, datetime]:
    zone = now.tzinfo
    assert zone is not None
    begins = to_instant(now.date(), time(0), read_zone(str(zone)))
    return begins, to_instant(now.date() + timedelta(days=1), time(0), read_zone(str(zone)))
