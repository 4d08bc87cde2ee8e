"""Enrolling patients, one or thousands at a time: all of it is written, or none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Any
from uuid import UUID

from journey.domain.contact import identity
from journey.domain.eligibility import EnrollmentStatus
from journey.domain.pathway import Channel
from journey.services import renewing
from journey.services.admission import Prepared, Setting, plan_for
from journey.services.changing import event_of
from journey.services.context import Context, Refusal
from journey.services.followups import tasks_for
from journey.services.known import (
    SomebodyElse,
    aliases,
    changed_fields,
    find_known,
    is_somebody_else,
    merge,
)
from journey.services.reaching import address_tokens, reachable_channels
from journey.services.renewing import Noted
from journey.store import audit, enrollments, messages, patients, sites, staff_tasks, suppressions, webhooks
from journey.store.database import Conflict, Tx
from journey.store.enrollments import Enrollment
from journey.store.ids import new_id
from journey.store.patients import Patient

_SLICE = 500  # patients per round of statements
_TRIES = 3
CONSENT_WORDING = (
    "Texts and e-mails are not encrypted on their way. I agree to get messages about my procedure "
    "this way, and know that I can stop them at any time."
)


@dataclass(frozen=True, slots=True)
class Enrolled:
    """`is_new` is False where the patient already was enrolled for that pathway and date.

    `differs` then says what the request has otherwise; an enrollment is changed only on purpose.
    """

    enrollment_id: UUID
    patient_id: UUID
    is_new: bool
    differs: tuple[str, ...] = ()


def enroll_all(
    context: Context,
    batches: Sequence[tuple[Setting, Sequence[Prepared]]],
    progress: Callable[[int], None] = lambda done: None,
    also: Callable[[Tx, list[Enrolled]], None] = lambda tx, results: None,
) -> list[Enrolled]:
    """Enrolls everybody in one transaction. The same patient, pathway and date gives one enrollment.
    Raises SomebodyElse for a record number that is another patient's.

    Works through slices, so that memory stays flat; `progress` hears how many are done. `also` writes
    what must stand or fall with the enrollments.
    """
    for setting, _ in batches:
        if setting.version.published_at is None:
            raise draft_refusal(setting.version.pathway_key)
    for _ in range(_TRIES):
        try:
            results, noted = _enroll_once(context, batches, progress, also)
        except Conflict:
            continue  # somebody enrolled one of them a moment ago: the next look finds them
        if noted:
            renewing.see_to(context, noted, batches[0][0].actor)
        return results
    raise Refusal("somebody else is enrolling the same patients right now; try again in a moment")


def _enroll_once(
    context: Context,
    batches: Sequence[tuple[Setting, Sequence[Prepared]]],
    progress: Callable[[int], None],
    also: Callable[[Tx, list[Enrolled]], None],
) -> tuple[list[Enrolled], list[Noted]]:
    """The results, and the known patients whose details or consent are new."""
    results: list[Enrolled] = []
    refreshed: list[UUID] = []
    now = context.clock.now()
    with context.database.write() as tx:
        entries: list[audit.Entry] = []
        for setting, requests in batches:
            # As the site stands now, whatever was read before: who changes it waits for this, and plans
            # these enrollments anew.
            present = replace(setting, site=sites.get(tx, setting.site.id, share=True))
            for part in _slices(requests):
                batch = _Batch(tx, present, now)
                results += batch.enroll(part)
                entries += batch.entries()
                refreshed += batch.refreshed
                progress(len(results))
        noted = renewing.note(tx, refreshed, batches[0][0].actor, now) if refreshed else []
        also(tx, results)
        audit.append(tx, entries, now)
    return results, noted


def _slices(requests: Sequence[Prepared]) -> Iterator[list[Prepared]]:
    """Requests in parts that name nobody twice: the second finds what the first has written."""
    part: list[Prepared] = []
    seen: set[str] = set()
    for request in requests:
        names = aliases(request.person)
        if names & seen or len(part) == _SLICE:
            yield part
            part, seen = [], set()
        part.append(request)
        seen |= names
    if part:
        yield part


def enroll(
    context: Context,
    setting: Setting,
    request: Prepared,
    also: Callable[[Tx, list[Enrolled]], None] = lambda tx, results: None,
) -> Enrolled:
    """Enrolls one patient."""
    return enroll_all(context, [(setting, [request])], also=also)[0]


def draft_refusal(pathway: str) -> Refusal:
    return Refusal(
        f"{pathway} is a draft, and nobody is enrolled in a draft. A clinician reads its messages "
        f"(journey pathway show {pathway}) and publishes it with: "
        f"journey pathway publish {pathway} --approved-by NAME"
    )


def _differences(enrollment: Enrollment, request: Prepared) -> tuple[str, ...]:
    """What a repeated request states otherwise than the enrollment that stands."""
    said = []
    if request.arrival_time is not None and request.arrival_time != enrollment.arrival_time:
        said.append(
            f"is enrolled already, and stays at the arrival time {_clock(enrollment.arrival_time)}; "
            "to change it, reschedule the enrollment"
        )
    if dict(request.facts) != dict(enrollment.facts):
        said.append(
            "is enrolled already with other facts, which stay; to change them, cancel and enroll again"
        )
    return tuple(said)


def _clock(arrival: time | None) -> str:
    return f"{arrival:%H:%M}" if arrival else "not set"


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
        self.refreshed: list[UUID] = []
        self.changed: list[tuple[UUID, list[str]]] = []

    def enroll(self, asked: Sequence[Prepared]) -> list[Enrolled]:
        """`asked` names nobody twice."""
        found = find_known(self.tx, [request.person for request in asked])
        known = patients.get_all(self.tx, list(found.values()), lock=True)
        live = {
            (one.patient_id, one.procedure_date): one
            for one in enrollments.live_of_patients(self.tx, list(known))
            if one.pathway == self.setting.version.pathway_key
        }
        people = [request.person for request in asked] + [one.person for one in known.values()]
        tokens = [address_tokens(self.tx, person) for person in people]
        every = [token for by_channel in tokens for some in by_channel.values() for token in some]
        suppressed = suppressions.active(self.tx, every)
        results = []
        for said, own_tokens in zip(asked, tokens[: len(asked)], strict=True):
            request, known_id = said, found.get(identity(said.person))
            if known_id is None:
                patient_id = self._add(request)
            else:
                request = merge(known[known_id], said)
                known[known_id] = self._refresh(known[known_id], request)
                own_tokens, patient_id = address_tokens(self.tx, request.person), known_id
            key = (patient_id, request.procedure_date)
            if key in live:
                differs = _differences(live[key], request)
                results.append(Enrolled(live[key].id, patient_id, is_new=False, differs=differs))
                continue
            reachable = reachable_channels(own_tokens, suppressed, request.contact)
            live[key] = self._enrollment(request, patient_id, reachable)
            results.append(Enrolled(live[key].id, patient_id, is_new=True))
        self._write()
        return results

    def _add(self, request: Prepared) -> UUID:
        patient_id = patients.new_patient_id()
        row, tokens = patients.new_rows(self.tx.sealer, patient_id, request.person, request.contact, self.now)
        self.patient_rows.append(row)
        self.token_rows += tokens
        self._note_consent(patient_id, request)
        return patient_id

    def _refresh(self, before: Patient, request: Prepared) -> Patient:
        """A known patient with new details: they are taken over, and consent is noted again."""
        if is_somebody_else(before.person, request.person):
            raise SomebodyElse
        if fields := changed_fields(before, request.person, request.contact):
            patients.update_details(self.tx, before.id, request.person, request.contact)
            self._note_consent(before.id, request)
            self.refreshed.append(before.id)
            self.changed.append((before.id, fields))
        return Patient(before.id, request.person, request.contact)

    def _note_consent(self, patient_id: UUID, request: Prepared) -> None:
        """Evidence holds what was said, and nothing about a channel that was not spoken of."""
        contact = request.contact
        given = {Channel.SMS: contact.consent_sms, Channel.EMAIL: contact.consent_email}
        stated = {channel: given[channel] for channel in given if channel in request.consent_stated}
        self.consent_rows += patients.consent_rows(
            patient_id, stated, CONSENT_WORDING, self.setting.actor, self.now
        )

    def _enrollment(self, request: Prepared, patient_id: UUID, reachable: tuple[Channel, ...]) -> Enrollment:
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
        return enrollment

    def _write(self) -> None:
        patients.insert_all(self.tx, self.patient_rows, self.token_rows)
        patients.insert_consents(self.tx, self.consent_rows)
        enrollments.insert_all(self.tx, self.enrollments)
        messages.insert_rows(self.tx, self.message_rows)
        staff_tasks.open_all(self.tx, self.tasks, self.now)
        webhooks.emit(self.tx, [event_of("enrollment.created", one, self.now) for one in self.enrollments])

    def entries(self) -> list[audit.Entry]:
        """The audit entries; appended last, since the chain makes other writers wait."""
        actor = self.setting.actor
        made = [
            audit.Entry(
                actor,
                "enrollment.created",
                f"enrollment/{one.id}",
                {"pathway": one.pathway, "procedure_date": one.procedure_date},
            )
            for one in self.enrollments
        ]
        return made + [
            audit.Entry(actor, "patient.contact_changed", f"patient/{patient_id}", {"fields": fields})
            for patient_id, fields in self.changed
        ]
