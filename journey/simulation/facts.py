"""What the checks read of a message and its enrollment at one instant, in one row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from journey.domain.calendar import read_zone, to_instant
from journey.domain.pathway import Pathway
from journey.domain.site import Site
from journey.store.database import Tx
from journey.store.schema import enrollments, messages, patients


@dataclass(frozen=True, slots=True)
class Facts:
    """A message as its row stands, and the enrollment as it stands at the same moment."""

    id: UUID
    enrollment_id: UUID
    step: str
    occurrence: int
    stands_in_for: UUID | None
    status: str
    reason: str | None
    quotes: str
    channel: str | None
    due_at: datetime
    send_by: datetime
    procedure_date: date | None
    arrival_time: time | None
    provider_id: str | None
    site_id: UUID
    enrollment_status: str
    enrolled_date: date | None
    enrolled_arrival: time | None
    completed_on: date | None
    goals: Any
    confirmed_for: date | None
    zone: str | None


_QUERY = select(
    *(messages.c[name] for name in list(Facts.__slots__)[:14]),
    enrollments.c.site_id,
    enrollments.c.status.label("enrollment_status"),
    enrollments.c.procedure_date.label("enrolled_date"),
    enrollments.c.arrival_time.label("enrolled_arrival"),
    enrollments.c.completed_on,
    enrollments.c.goals,
    enrollments.c.confirmed_for,
    patients.c.time_zone.label("zone"),
).select_from(
    messages.join(enrollments, enrollments.c.id == messages.c.enrollment_id).join(
        patients, patients.c.id == enrollments.c.patient_id
    )
)


def _read(row: Any) -> Facts:
    return Facts(**row._mapping)


def of_messages(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, Facts]:
    rows = tx.connection.execute(_QUERY.where(messages.c.id.in_(ids)))
    return {row.id: _read(row) for row in rows}


def everything(tx: Tx) -> Iterator[Facts]:
    for row in tx.connection.execute(_QUERY.order_by(messages.c.id)):
        yield _read(row)


def procedure_bounds(facts: Facts, site: Site, pathway: Pathway) -> tuple[datetime, datetime] | None:
    """When the procedure begins and is over, worked out anew: not with the planner's own code."""
    day, zone = facts.enrolled_date, read_zone(site.zone)
    if day is None:
        return None
    if facts.enrolled_arrival is None:
        return to_instant(day, time(0), zone), to_instant(day, pathway.done_by, zone)
    begins = to_instant(day, facts.enrolled_arrival, zone)
    return begins, begins + timedelta(seconds=pathway.stay.total_seconds())


def is_recovery(step: str, pathway: Pathway) -> bool:
    return step != pathway.correction.key and pathway.step(step).is_recovery
