"""Enrolling patients, one or thousands at a time: all of it is written, or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from journey.domain.conditions import FactValue
from journey.domain.contact import (
    ContactPlan,
    FieldErrors,
    Person,
    identity,
    read_contact_plan,
    read_date,
    read_person,
)
from journey.domain.eligibility import EnrollmentStatus
from journey.domain.pathway import Channel
from journey.domain.planning import Anchors, Plan, plan_messages
from journey.domain.replanning import Change, diff_plan
from journey.domain.steptime import parse_wall_time
from journey.services.context import Context, Refusal
from journey.services.followups import tasks_for
from journey.services.library import policies_for
from journey.store import audit, enrollments, messages, patients, staff_tasks, suppressions
from journey.store.database import Tx
from journey.store.enrollments import Enrollment
from journey.store.ids import new_id
from journey.store.pathways import PathwayVersion
from journey.store.sites import StoredSite

_MAX_AHEAD = timedelta(days=730)
_SLICE = 500  # patients per round of statements
CONSENT_WORDING = (
    "Texts and e-mails are not encrypted on their way. I agree to get messages about my procedure "
    "this way, and know that I can stop them at any time."
)


@dataclass(frozen=True, slots=True)
class Request:
    """What staff or another system asks for, as text: it is read and checked here."""

    person: Mapping[str, str | None]
    procedure_date: str
    arrival_time: str | None = None
    facts: Mapping[str, FactValue] = field(default_factory=dict)
    consent_sms: bool = False
    consent_email: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """Where people are enrolled: one site, one published version, and who does it."""

    site: StoredSite
    version: PathwayVersion
    actor: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request that passed every check."""

    person: Person
    contact: ContactPlan
    facts: Mapping[str, FactValue]
    procedure_date: date
    arrival_time: time | None


@dataclass(frozen=True, slots=True)
class Enrolled:
    """`is_new` is False where the patient already was enrolled for that pathway and date."""

    enrollment_id: UUID
    patient_id: UUID
    is_new: bool


def prepare(request: Request, setting: Setting, now: datetime) -> Prepared:
    """Checks every field. Raises FieldErrors with all faults at once."""
    site = setting.site.site
    errors: dict[str, str] = {}
    today = now.date()

    def attempt(name: str, read: Any) -> Any:
        try:
            return read()
        except FieldErrors as error:
            errors.update(error.errors)
        except ValueError as error:
            errors[name] = str(error)
        return None

    person = attempt("person", lambda: read_person(request.person, site.country, today))
    contact = attempt(
        "locale",
        lambda: read_contact_plan(
            request.person,
            default_locale=site.locale,
            consent_sms=request.consent_sms,
            consent_email=request.consent_email,
        ),
    )
    day = attempt("procedure_date", lambda: read_procedure_date(request.procedure_date, today))
    arrival = attempt("arrival_time", lambda: read_arrival(request.arrival_time))
    facts = attempt("facts", lambda: setting.version.pathway.read_facts(request.facts))
    if day is not None and "arrival_time" not in errors:
        attempt("procedure_date", lambda: _refuse_begun(day, arrival, setting, now))
    if errors:
        raise FieldErrors(errors)
    return Prepared(person, contact, facts, day, arrival)


def read_procedure_date(text: str, today: date) -> date:
    if not text or not text.strip():
        raise ValueError("is missing; write it as YYYY-MM-DD")
    day = read_date(text)
    # A day's grace, since the clinic's today may be yesterday in UTC; the exact check follows.
    if day < today - timedelta(days=1):
        raise ValueError(f"{day} is past; enroll before the procedure")
    if day > today + _MAX_AHEAD:
        raise ValueError(f"{day} is more than two years ahead; check the year")
    return day


def read_arrival(text: str | None) -> time | None:
    return parse_wall_time(text.strip()) if text and text.strip() else None


def _refuse_begun(day: date, arrival: time | None, setting: Setting, now: datetime) -> None:
    policies = policies_for(setting.site.site, _NOBODY, (), day.year)
    local = now.astimezone(policies.site_zone)
    begun = local.date() > day or (local.date() == day and arrival is not None and local.time() >= arrival)
    if begun:
        raise ValueError(f"{day} {arrival or ''}".strip() + " is past at the clinic; check the date")


_NOBODY = ContactPlan("en-GB", None, None, False, False)


def plan_for(
    prepared: Prepared, setting: Setting, reachable: tuple[Channel, ...], now: datetime
) -> tuple[Plan, list[Change]]:
    """The calendar of a patient who is enrolled now, with what lateness makes of it."""
    anchors = Anchors(now, prepared.procedure_date, prepared.arrival_time)
    policies = policies_for(setting.site.site, prepared.contact, reachable, prepared.procedure_date.year)
    plan = plan_messages(setting.version.pathway, anchors, prepared.facts, policies)
    return plan, diff_plan(plan, [], now)


def reachable_channels(
    sealer_tokens: Mapping[Channel, list[bytes]],
    suppressed: set[tuple[bytes, Channel]],
    contact: ContactPlan,
) -> tuple[Channel, ...]:
    """Channels with an address, consent and no suppression, the preferred one first."""
    consent = {Channel.SMS: contact.consent_sms, Channel.EMAIL: contact.consent_email}
    usable = [
        channel
        for channel, tokens in sealer_tokens.items()
        if consent[channel] and not any((token, channel) in suppressed for token in tokens)
    ]
    return tuple(sorted(usable, key=lambda channel: channel is not contact.prefers))


def address_tokens(tx: Tx, person: Person) -> dict[Channel, list[bytes]]:
    """Every token under which a patient's addresses may be suppressed."""
    addresses = {Channel.SMS: person.phone, Channel.EMAIL: person.email}
    return {
        channel: tx.sealer.tokens(channel.value, address.casefold())
        for channel, address in addresses.items()
        if address
    }


def enroll_all(
    context: Context,
    batches: Sequence[tuple[Setting, Sequence[Prepared]]],
    progress: Callable[[int], None] = lambda done: None,
) -> list[Enrolled]:
    """Enrolls everybody in one transaction. The same patient, pathway and date gives one enrollment.

    Works through slices, so that memory stays flat; `progress` hears how many are done.
    """
    for setting, _ in batches:
        if setting.version.published_at is None:
            raise draft_refusal(setting.version.pathway_key)
    results: list[Enrolled] = []
    now = context.clock.now()
    with context.database.write() as tx:
        entries: list[audit.Entry] = []
        for setting, requests in batches:
            for start in range(0, len(requests), _SLICE):
                batch = _Batch(tx, setting, now)
                results += batch.enroll(requests[start : start + _SLICE])
                entries += batch.entries()
                progress(len(results))
        audit.append(tx, entries, now)
    return results


def enroll(context: Context, setting: Setting, request: Prepared) -> Enrolled:
    """Enrolls one patient."""
    return enroll_all(context, [(setting, [request])])[0]


def draft_refusal(pathway: str) -> Refusal:
    return Refusal(
        f"{pathway} is a draft, and nobody is enrolled in a draft. A clinician reads its messages "
        f"(journey preview {pathway} --procedure-date …) and publishes it with: "
        f"journey pathway publish {pathway} --approved-by NAME"
    )


class _Batch:
    """Rows gathered for many enrollments, then written with one statement per table."""

    def __init__(self, tx: Tx, setting: Setting, now: datetime) -> None:
        self.tx, self.setting, self.now = tx, setting, now
        self.patient_rows: list[dict[str, Any]] = []
        self.token_rows: list[dict[str, Any]] = []
        self.consent_rows: list[dict[str, Any]] = []
        self.enrollments: list[Enrollment] = []
        self.message_rows: list[dict[str, Any]] = []
        self.tasks: list[staff_tasks.NewTask] = []

    def enroll(self, requests: Sequence[Prepared]) -> list[Enrolled]:
        known = patients.find_by_identity(self.tx, [request.person for request in requests])
        live = {
            (one.patient_id, one.procedure_date): one.id
            for one in enrollments.live_of_patients(self.tx, list(known.values()))
            if one.pathway == self.setting.version.pathway_key
        }
        tokens = [address_tokens(self.tx, request.person) for request in requests]
        every = [token for by_channel in tokens for found in by_channel.values() for token in found]
        suppressed = suppressions.active(self.tx, every)
        results = []
        for request, own_tokens in zip(requests, tokens, strict=True):
            patient_id = self._patient(request, known)
            key = (patient_id, request.procedure_date)
            if key in live:
                results.append(Enrolled(live[key], patient_id, is_new=False))
                continue
            reachable = reachable_channels(own_tokens, suppressed, request.contact)
            live[key] = self._enrollment(request, patient_id, reachable)
            results.append(Enrolled(live[key], patient_id, is_new=True))
        self._write()
        return results

    def _patient(self, request: Prepared, known: dict[str, UUID]) -> UUID:
        who = identity(request.person)
        if who in known:
            self._refresh(known[who], request)
            return known[who]
        patient_id = known[who] = patients.new_patient_id()
        row, tokens = patients.new_rows(self.tx.sealer, patient_id, request.person, request.contact, self.now)
        self.patient_rows.append(row)
        self.token_rows += tokens
        self._note_consent(patient_id, request)
        return patient_id

    def _refresh(self, patient_id: UUID, request: Prepared) -> None:
        """A known patient with new details: they are taken over, and consent is noted again."""
        before = patients.get(self.tx, patient_id)
        if before is None or (before.person, before.contact) == (request.person, request.contact):
            return  # None: the same new patient twice in this batch
        patients.update_details(self.tx, patient_id, request.person, request.contact)
        self._note_consent(patient_id, request)

    def _note_consent(self, patient_id: UUID, request: Prepared) -> None:
        self.consent_rows += patients.consent_rows(
            patient_id, request.contact, CONSENT_WORDING, self.setting.actor, self.now
        )

    def _enrollment(self, request: Prepared, patient_id: UUID, reachable: tuple[Channel, ...]) -> UUID:
        enrollment = Enrollment(
            id=new_id(),
            patient_id=patient_id,
            site_id=self.setting.site.id,
            pathway=self.setting.version.pathway_key,
            pathway_version_id=self.setting.version.id,
            status=EnrollmentStatus.ACTIVE,
            procedure_date=request.procedure_date,
            arrival_time=request.arrival_time,
            completed_on=None,
            facts=request.facts,
            goals=(),
            enrolled_at=self.now,
            revision=0,
        )
        _, changes = plan_for(request, self.setting, reachable, self.now)
        self.enrollments.append(enrollment)
        self.message_rows += [
            messages.new_row(enrollment.id, change.target, change.occurrence)
            for change in changes
            if change.target is not None
        ]
        self.tasks += tasks_for(enrollment.id, changes, self.now)
        return enrollment.id

    def _write(self) -> None:
        patients.insert_all(self.tx, self.patient_rows, self.token_rows)
        patients.insert_consents(self.tx, self.consent_rows)
        enrollments.insert_all(self.tx, self.enrollments)
        messages.insert_rows(self.tx, self.message_rows)
        staff_tasks.open_all(self.tx, self.tasks, self.now)

    def entries(self) -> list[audit.Entry]:
        """The audit entries; appended last, since the chain makes other writers wait."""
        return [
            audit.Entry(
                self.setting.actor,
                "enrollment.created",
                f"enrollment/{one.id}",
                {"pathway": one.pathway, "procedure_date": one.procedure_date},
            )
            for one in self.enrollments
        ]
