"""Lists of patients for staff: searched, filtered, page by page. Every look is in the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from journey.domain.calendar import read_zone
from journey.domain.contact import read_phone
from journey.domain.site import Site
from journey.services.context import Context, Missing
from journey.services.library import Library
from journey.store import audit, enrollments, listings, patients, sites
from journey.store.database import Tx
from journey.store.enrollments import Enrollment
from journey.store.listings import Place
from journey.store.patients import Patient

PAGE = 25
_MOST_FOUND = 25  # more are no answer: one letter more is


class Group(StrEnum):
    UPCOMING = "upcoming"
    RECOVERING = "recovering"
    ATTENTION = "attention"
    POSTPONED = "postponed"


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a list. `next_at` is in the patient's zone; None when nothing more is planned."""

    enrollment: Enrollment
    patient: Patient
    site: Site
    tasks: int
    next_at: datetime | None

    @property
    def name(self) -> str:
        return f"{self.patient.person.given_name} {self.patient.person.family_name}"


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of a list. `after`: where the next page begins, if there is one. `is_cut`: more was found."""

    rows: Sequence[Listed]
    after: Place | None = None
    is_cut: bool = False


def search(context: Context, library: Library, text: str, actor: str) -> Listing:
    """By name prefix, phone as people write it, e-mail or record number."""
    with context.database.write() as tx:
        found = patients.search(tx, as_number(tx, text), _MOST_FOUND + 1)
        is_cut = len(found) > _MOST_FOUND
        rows = enrollments.of_patients(tx, [one.id for one in found[:_MOST_FOUND]]) if found else []
        rows = sorted(rows, key=lambda one: (one.status not in enrollments.LIVE, _late(one)))
        return Listing(listed(context, tx, library, rows, actor), is_cut=is_cut)


def _late(one: Enrollment) -> date:
    return one.procedure_date or date.max


def as_number(tx: Tx, text: str) -> str:
    """A phone number as it is stored, however people write it; anything else as it is."""
    countries = [stored.site.country for stored in sites.everyone(tx)]
    for country in countries:
        try:
            return read_phone(text, country)
        except ValueError:
            continue
    return text


def browse(
    context: Context, library: Library, group: Group, after: Place | None, today: date, actor: str
) -> Listing:
    """One page of a group."""
    with context.database.write() as tx:
        due: list[datetime] = []
        if group is Group.ATTENTION:
            found = listings.needing_attention(tx, after, PAGE + 1)
            rows, due = [row for row, _ in found], [at for _, at in found]
        elif group is Group.POSTPONED:
            rows = listings.without_date(tx, after, PAGE + 1)
        else:
            find = listings.upcoming if group is Group.UPCOMING else listings.recovering
            rows = find(tx, today, after, PAGE + 1)
        place = None
        if len(rows) > PAGE:
            last = rows[PAGE - 1]
            place = Place(last.procedure_date, due[PAGE - 1] if due else None, last.id)
        return Listing(listed(context, tx, library, rows[:PAGE], actor), place)


def listed(
    context: Context, tx: Tx, library: Library, rows: Sequence[Enrollment], actor: str
) -> list[Listed]:
    """Lines for enrollments, and the audit entries that go with showing them. Call it last."""
    library.forget_sites()
    ids = [row.id for row in rows]
    people = listings.patients_of(tx, rows)
    tasks, due = listings.open_tasks_of(tx, ids), listings.next_due_of(tx, ids)
    found = []
    for row in rows:
        patient, site = people[row.patient_id], library.site(tx, row.site_id)
        zone = read_zone(patient.contact.time_zone or site.zone)
        at = due.get(row.id)
        found.append(Listed(row, patient, site, tasks.get(row.id, 0), at.astimezone(zone) if at else None))
    subjects = sorted({f"patient/{row.patient_id}" for row in rows})
    audit.append(tx, [audit.Entry(actor, "patient.listed", one, {}) for one in subjects], context.clock.now())
    return found


def find(context: Context, text: str, actor: str) -> list[tuple[Patient, list[Enrollment]]]:
    """Patients by what names them, each with all enrollments. Whoever asks is in the audit log."""
    with context.database.write() as tx:
        found = patients.search(tx, as_number(tx, text), _MOST_FOUND)
        rows = enrollments.of_patients(tx, [one.id for one in found]) if found else []
        entries = [audit.Entry(actor, "patient.listed", f"patient/{one.id}", {}) for one in found]
        audit.append(tx, entries, context.clock.now())
    return [(one, [row for row in rows if row.patient_id == one.id]) for one in found]


def one(context: Context, patient_id: UUID, actor: str) -> tuple[Patient, list[Enrollment]]:
    """Raises Missing. Whoever asks is in the audit log."""
    with context.database.write() as tx:
        found = patients.get(tx, patient_id)
        if found is None:
            raise Missing(f"there is no patient {patient_id}")
        rows = enrollments.of_patients(tx, [patient_id])
        entry = audit.Entry(actor, "patient.viewed", f"patient/{patient_id}", {})
        audit.append(tx, [entry], context.clock.now())
    return found, rows
