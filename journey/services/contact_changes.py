"""A patient's details and consent: changed with a preview, and never over somebody else's change."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from journey.domain.contact import ContactPlan, Person, read_contact_plan, read_person
from journey.domain.pathway import Channel
from journey.services import renewing
from journey.services.changing import Outcome, outcome_in
from journey.services.context import Context, Missing, Refusal, Stale
from journey.services.enrolling import CONSENT_WORDING
from journey.services.known import changed_fields
from journey.services.wishes import replan
from journey.store import audit, enrollments, patients, sites
from journey.store.database import Conflict, Tx
from journey.store.patients import Patient


@dataclass(frozen=True, slots=True)
class Details:
    """What is to stand, as text from a form. Consent is stated for both channels."""

    person: Mapping[str, str | None]
    consent_sms: bool
    consent_email: bool


def version_of(patient: Patient) -> str:
    """Changes whenever a patient's details do."""
    return hashlib.sha256(repr((patient.person, patient.contact)).encode()).hexdigest()[:24]


def preview_contact(context: Context, enrollment_id: UUID, details: Details) -> Outcome:
    """What new details would do to an enrollment's messages. Raises FieldErrors per field."""
    now = context.clock.now()
    with _one_patient_each(), context.database.rehearse() as tx:
        patient = _patient_of(tx, enrollment_id)
        person, contact = _read(tx, enrollment_id, details, now)
        patients.update_details(tx, patient.id, person, contact)
        return outcome_in(tx, enrollment_id, replan(), now)


def change_contact(context: Context, enrollment_id: UUID, details: Details, actor: str, version: str) -> None:
    """Writes the details, notes changed consent with its wording, and plans every live enrollment anew."""
    now = context.clock.now()
    with _one_patient_each(), context.database.write() as tx:
        patient = _patient_of(tx, enrollment_id, lock=True)
        if version_of(patient) != version:
            raise Stale("somebody else changed these details; look at them again, then decide")
        person, contact = _read(tx, enrollment_id, details, now)
        patients.update_details(tx, patient.id, person, contact)
        given = _changed_consent(patient.contact, contact)
        rows = patients.consent_rows(patient.id, given, CONSENT_WORDING, actor, now)
        patients.insert_consents(tx, rows)
        live = enrollments.live_of_patients(tx, [patient.id])
        fields = {"fields": changed_fields(patient, person, contact)}
        entry = audit.Entry(actor, "patient.contact_changed", f"patient/{patient.id}", fields)
        seen = [audit.Entry(actor, "enrollment.contact_changed", f"enrollment/{one.id}", {}) for one in live]
        noted = renewing.note(tx, [patient.id], actor, now)
        audit.append(tx, [entry, *seen], now)
    renewing.see_to(context, noted, actor)


@contextmanager
def _one_patient_each() -> Iterator[None]:
    try:
        yield
    except Conflict:
        raise Refusal("another patient has this record number, or the same name, birth and address") from None


def _patient_of(tx: Tx, enrollment_id: UUID, *, lock: bool = False) -> Patient:
    enrollment = enrollments.get(tx, enrollment_id)
    patient = patients.get(tx, enrollment.patient_id, lock=lock) if enrollment else None
    if patient is None:
        raise Missing(f"there is no enrollment {enrollment_id}")
    return patient


def _read(tx: Tx, enrollment_id: UUID, details: Details, now: datetime) -> tuple[Person, ContactPlan]:
    enrollment = enrollments.get(tx, enrollment_id)
    assert enrollment is not None
    site = sites.get(tx, enrollment.site_id).site
    person = read_person(details.person, site.country, now.date())
    contact = read_contact_plan(
        details.person,
        default_locale=site.locale,
        consent_sms=details.consent_sms,
        consent_email=details.consent_email,
    )
    return person, contact


def _changed_consent(before: ContactPlan, after: ContactPlan) -> dict[Channel, bool]:
    given = {
        Channel.SMS: (before.consent_sms, after.consent_sms),
        Channel.EMAIL: (before.consent_email, after.consent_email),
    }
    return {channel: new for channel, (old, new) in given.items() if old != new}
