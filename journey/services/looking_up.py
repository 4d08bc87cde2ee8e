"""Finding patients and their enrollments; every look is in the audit log."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from journey.services.context import Context
from journey.services.library import practice_zone
from journey.services.patient_lists import as_number
from journey.store import audit, enrollments, listings, patients
from journey.store.database import Tx
from journey.store.enrollments import Enrollment

_MOST = 100


@dataclass(frozen=True, slots=True)
class Found:
    enrollment_id: UUID
    name: str
    pathway: str
    when: str
    status: str


def look_up(context: Context, text: str, actor: str) -> list[Found]:
    """Enrollments of the patients that match; without a text, the next procedures."""
    with context.database.write() as tx:
        if text.strip():
            ids = [patient.id for patient in patients.search(tx, as_number(tx, text))]
            rows = enrollments.of_patients(tx, ids)
        else:
            today = context.clock.now().astimezone(practice_zone(tx)).date()
            rows = listings.upcoming(tx, today, None, _MOST)
        found = [_show(tx, row) for row in rows]
        subjects = sorted({f"patient/{row.patient_id}" for row in rows})
        entries = [audit.Entry(actor, "patient.listed", subject, {}) for subject in subjects]
        audit.append(tx, entries, context.clock.now())
    return found


def _show(tx: Tx, row: Enrollment) -> Found:
    patient = patients.get(tx, row.patient_id)
    assert patient is not None
    name = f"{patient.person.given_name} {patient.person.family_name}"
    when = f"{row.procedure_date or 'no date'} {f'{row.arrival_time:%H:%M}' if row.arrival_time else ''}"
    return Found(row.id, name, row.pathway, when.strip(), row.status.value)


def note_look(context: Context, action: str, subjects: Iterable[str], actor: str) -> None:
    """Notes that somebody is shown messages of patients."""
    entries = [audit.Entry(actor, action, one, {}) for one in sorted(set(subjects))]
    with context.database.write() as tx:
        audit.append(tx, entries, context.clock.now())
