"""Enrollments: a patient on one published version of a pathway, with a procedure date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from journey.domain.conditions import FactValue
from journey.domain.eligibility import EnrollmentStatus
from journey.domain.goals import CONFIRMED, goals_reached
from journey.domain.plan import Anchors
from journey.store.database import Conflict, Tx
from journey.store.schema import enrollments, patients

LIVE = (EnrollmentStatus.ACTIVE, EnrollmentStatus.PAUSED)


@dataclass(frozen=True, slots=True)
class Enrollment:
    """`revision` counts changes: whoever saves an older one is told what changed."""

    id: UUID
    patient_id: UUID
    site_id: UUID
    pathway: str
    pathway_version_id: UUID
    status: EnrollmentStatus
    procedure_date: date | None
    arrival_time: time | None
    completed_on: date | None
    facts: Mapping[str, FactValue]
    goals: tuple[str, ...]  # those that the pathway declares
    enrolled_at: datetime
    revision: int
    ended_at: datetime | None = None
    confirmed_for: date | None = None  # the date to which the patient said yes

    @property
    def anchors(self) -> Anchors:
        return Anchors(self.enrolled_at, self.procedure_date, self.arrival_time, self.completed_on)

    @property
    def goals_reached(self) -> frozenset[str]:
        return goals_reached(self.goals, self.procedure_date, self.confirmed_for)

    @property
    def is_confirmed(self) -> bool:
        return CONFIRMED in self.goals_reached


COLUMNS = [enrollments.c[name] for name in Enrollment.__slots__]


def read_row(row: Row[Any]) -> Enrollment:
    values = {name: getattr(row, name) for name in Enrollment.__slots__}
    values["status"] = EnrollmentStatus(values["status"])
    values["goals"] = tuple(values["goals"])
    return Enrollment(**values)


def values_of(enrollment: Enrollment) -> dict[str, Any]:
    values = {name: getattr(enrollment, name) for name in Enrollment.__slots__}
    return values | {"status": enrollment.status.value, "goals": list(enrollment.goals)}


def insert_all(tx: Tx, rows: Sequence[Enrollment]) -> None:
    if rows:
        tx.connection.execute(insert(enrollments), [values_of(row) for row in rows])


def get(tx: Tx, enrollment_id: UUID, *, lock: bool = False) -> Enrollment | None:
    query = select(*COLUMNS).where(enrollments.c.id == enrollment_id)
    if lock and tx.is_postgres:
        # NO KEY UPDATE: a worker that opens a task or a stand-in for this enrollment checks its key.
        query = query.with_for_update(key_share=True)
    row = tx.connection.execute(query).first()
    return read_row(row) if row else None


def save(tx: Tx, enrollment: Enrollment) -> bool:
    """Writes the next revision; False when somebody else wrote it first.

    Raises Conflict when the patient has another live enrollment for that pathway and date.
    """
    values = values_of(enrollment) | {"revision": enrollment.revision + 1}
    statement = (
        update(enrollments)
        .where(enrollments.c.id == enrollment.id, enrollments.c.revision == enrollment.revision)
        .values(values)
    )
    try:
        return tx.connection.execute(statement).rowcount == 1
    except IntegrityError:
        raise Conflict("enrollments") from None


def live_of_patients(tx: Tx, patient_ids: Sequence[UUID]) -> list[Enrollment]:
    query = select(*COLUMNS).where(
        tx.among(enrollments.c.patient_id, patient_ids),
        enrollments.c.status.in_([status.value for status in LIVE]),
    )
    return [read_row(row) for row in tx.connection.execute(query)]


def of_patients(tx: Tx, patient_ids: Sequence[UUID]) -> list[Enrollment]:
    query = select(*COLUMNS).where(tx.among(enrollments.c.patient_id, patient_ids))
    return [read_row(row) for row in tx.connection.execute(query.order_by(enrollments.c.procedure_date))]


def live_of_site(tx: Tx, site_id: UUID, after: UUID | None, limit: int) -> list[UUID]:
    """A site's live enrollments behind one, in the order of their ids."""
    query = select(enrollments.c.id).where(_is_live_at(site_id))
    if after is not None:
        query = query.where(enrollments.c.id > after)
    return [row[0] for row in tx.connection.execute(query.order_by(enrollments.c.id).limit(limit))]


def count_live_of_site(tx: Tx, site_id: UUID) -> int:
    query = select(func.count()).where(_is_live_at(site_id))
    return int(tx.connection.execute(query).scalar_one())


def _is_live_at(site_id: UUID) -> ColumnElement[bool]:
    return and_(
        enrollments.c.site_id == site_id,
        enrollments.c.status.in_([status.value for status in LIVE]),
    )


def everyone(tx: Tx, limit: int = 100) -> list[Enrollment]:
    """Enrollments in the order of their procedure."""
    query = select(*COLUMNS).order_by(enrollments.c.procedure_date, enrollments.c.id).limit(limit)
    return [read_row(row) for row in tx.connection.execute(query)]


@dataclass(frozen=True, slots=True)
class SendingContext:
    """What a message needs of its enrollment and patient to go out, in one row."""

    enrollment_id: UUID
    pathway_version_id: UUID
    site_id: UUID
    status: EnrollmentStatus
    procedure_date: date | None
    arrival_time: time | None
    completed_on: date | None
    facts: Mapping[str, FactValue]
    goals: tuple[str, ...]
    confirmed_for: date | None
    patient_id: UUID
    sealed_person: bytes
    locale: str
    time_zone: str | None
    prefers: str | None
    consent_sms: bool
    consent_email: bool

    @property
    def goals_reached(self) -> frozenset[str]:
        return goals_reached(self.goals, self.procedure_date, self.confirmed_for)


def sending_contexts(tx: Tx, enrollment_ids: Sequence[UUID]) -> dict[UUID, SendingContext]:
    query = (
        select(
            enrollments.c.id.label("enrollment_id"),
            enrollments.c.pathway_version_id,
            enrollments.c.site_id,
            enrollments.c.status,
            enrollments.c.procedure_date,
            enrollments.c.arrival_time,
            enrollments.c.completed_on,
            enrollments.c.facts,
            enrollments.c.goals,
            enrollments.c.confirmed_for,
            enrollments.c.patient_id,
            patients.c.sealed_person,
            patients.c.locale,
            patients.c.time_zone,
            patients.c.prefers,
            patients.c.consent_sms,
            patients.c.consent_email,
        )
        .join(patients, patients.c.id == enrollments.c.patient_id)
        .where(tx.among(enrollments.c.id, enrollment_ids))
    )
    found = {}
    for row in tx.connection.execute(query):
        values = dict(row._mapping) | {"status": EnrollmentStatus(row.status)}
        found[row.enrollment_id] = SendingContext(**values)
    return found
