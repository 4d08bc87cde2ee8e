"""What staff send by hand: a planned message earlier than its time, or words of their own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from journey.domain.calendar import read_zone
from journey.domain.contact import FieldErrors
from journey.domain.delivery import Event
from journey.domain.eligibility import EnrollmentStatus
from journey.domain.forward import Forward, NotForward, bring_forward
from journey.domain.pathway import WRITTEN, Channel
from journey.domain.planning import procedure_bounds
from journey.domain.sms import Measure, measure
from journey.services.changing import reachable_of
from journey.services.context import Context, Missing, Refusal, Stale
from journey.services.library import Library, policies_for, window_for
from journey.store import audit, enrollments, messages, patients, sites
from journey.store.database import Conflict, Tx
from journey.store.enrollments import Enrollment
from journey.store.message_rows import HandMade
from journey.store.messages import Message, Move
from journey.store.patients import Patient

_WAIT = timedelta(hours=24)  # a message of staff that cannot leave within a day is told to them instead
_MOST_SEGMENTS, _MOST_TEXT, _MOST_SUBJECT = 4, 5_000, 120


@dataclass(frozen=True, slots=True)
class Written:
    """What somebody on staff wants to say. An SMS has no subject."""

    channel: Channel
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Leaving:
    """When something would leave, in UTC; a text with its size."""

    at: datetime
    size: Measure | None = None


def preview_forward(context: Context, enrollment_id: UUID, message_id: UUID) -> Leaving:
    """When a planned message would leave if it were sent now. Raises Refusal with what stands against it."""
    with context.database.read() as tx:
        row, enrollment = _row(tx, enrollment_id, message_id)
        return Leaving(_forward(tx, row, enrollment, context.clock.now()))


def forward(context: Context, enrollment_id: UUID, message_id: UUID, seen: datetime, actor: str) -> None:
    """Sends a planned message now. `seen`: the time that whoever decided was shown."""
    now = context.clock.now()
    with context.database.write() as tx:
        enrollments.get(tx, enrollment_id, lock=True)
        row, enrollment = _row(tx, enrollment_id, message_id, lock=True)
        if row.due_at != seen:
            raise Stale("this message has changed since you looked; look at it again, then decide")
        at = _forward(tx, row, enrollment, now)
        move = Move.of(row, Event.MOVE, now, "brought forward", due_at=at, why={**row.why, "forward": actor})
        if not messages.move(tx, [move]):
            raise Stale("this message is on its way already")
        detail = {"step": row.step}
        audit.append(tx, [audit.Entry(actor, "message.sent_now", f"enrollment/{enrollment_id}", detail)], now)


def _row(tx: Tx, enrollment_id: UUID, message_id: UUID, *, lock: bool = False) -> tuple[Message, Enrollment]:
    enrollment = enrollments.get(tx, enrollment_id)
    rows = [one for one in messages.by_ids(tx, [message_id], lock=lock) if one.enrollment_id == enrollment_id]
    if enrollment is None or not rows:
        raise Missing("There is no such message.")
    return rows[0], enrollment


def _forward(tx: Tx, row: Message, enrollment: Enrollment, now: datetime) -> datetime:
    patient = patients.get(tx, enrollment.patient_id)
    assert patient is not None  # a foreign key
    site = sites.get(tx, enrollment.site_id).site
    pathway = Library().version(tx, enrollment.pathway_version_id).pathway
    year = (enrollment.procedure_date or now.date()).year
    policies = policies_for(site, patient.contact, reachable_of(tx, patient), year)
    known = {step.key: step for step in pathway.steps}
    asked = Forward(
        row.existing,
        enrollment.status,
        row.step in known and known[row.step].is_recovery,
        procedure_bounds(pathway, enrollment.anchors, policies),
        policies.window,
    )
    try:
        return bring_forward(asked, now)
    except NotForward as error:
        raise Refusal(str(error)) from None


def preview_written(context: Context, enrollment_id: UUID, written: Written) -> Leaving:
    """When the words would leave, and how large a text is. Raises FieldErrors, or Refusal."""
    with context.database.read() as tx:
        enrollment, patient = _recipient(tx, enrollment_id)
        return _leaving(tx, enrollment, patient, written, context.clock.now())


def write(context: Context, enrollment_id: UUID, written: Written, message_id: UUID, actor: str) -> None:
    """Plans the words to leave at the next allowed moment. The same `message_id` twice is one message."""
    now = context.clock.now()
    try:
        with context.database.write() as tx:
            enrollments.get(tx, enrollment_id, lock=True)
            enrollment, patient = _recipient(tx, enrollment_id)
            leaving = _leaving(tx, enrollment, patient, written, now)
            messages.insert_hand_made(
                tx, _hand_made(tx, enrollment, patient, written, leaving, message_id, actor)
            )
            detail = {"channel": written.channel.value}
            entry = audit.Entry(actor, "message.written", f"enrollment/{enrollment_id}", detail)
            audit.append(tx, [entry], now)
    except Conflict:
        raise Stale("this message has been sent already") from None


def _recipient(tx: Tx, enrollment_id: UUID) -> tuple[Enrollment, Patient]:
    enrollment = enrollments.get(tx, enrollment_id)
    patient = patients.get(tx, enrollment.patient_id) if enrollment else None
    if enrollment is None or patient is None:
        raise Missing(f"there is no enrollment {enrollment_id}")
    return enrollment, patient


def _leaving(tx: Tx, enrollment: Enrollment, patient: Patient, written: Written, now: datetime) -> Leaving:
    if enrollment.status is not EnrollmentStatus.ACTIVE:
        raise Refusal(
            "messages to this patient are paused or have ended; phone instead, or resume them first"
        )
    if written.channel not in reachable_of(tx, patient):
        raise FieldErrors({"channel": "cannot reach this patient: no address, no consent, or stopped"})
    size = _check(written)
    site = sites.get(tx, enrollment.site_id).site
    window = window_for(site, patient.contact.time_zone or site.zone, now.year)
    at, _ = window.settle(now, later=True, any_day=True)
    return Leaving(at, size)


def _check(written: Written) -> Measure | None:
    errors = {}
    size = measure(written.text) if written.channel is Channel.SMS else None
    if not written.text:
        errors["text"] = "write what the patient should read"
    elif size is not None and size.segments > _MOST_SEGMENTS:
        errors["text"] = (
            f"takes {size.segments} segments; at most {_MOST_SEGMENTS}: shorten it, or write an e-mail"
        )
    elif len(written.text) > _MOST_TEXT:
        errors["text"] = f"has {len(written.text):,} characters; at most {_MOST_TEXT:,}"
    if written.channel is Channel.EMAIL and not 0 < len(written.subject) <= _MOST_SUBJECT:
        errors["subject"] = f"write a subject of 1 to {_MOST_SUBJECT} characters"
    for name, text in (("text", written.text), ("subject", written.subject)):
        if any(not char.isprintable() and char != "\n" for char in text) or (
            "\n" in text and name == "subject"
        ):
            errors[name] = "holds an invisible control character; type it again"
    if errors:
        raise FieldErrors(errors)
    return size


def _hand_made(
    tx: Tx,
    enrollment: Enrollment,
    patient: Patient,
    written: Written,
    leaving: Leaving,
    message_id: UUID,
    actor: str,
) -> HandMade:
    address = patient.address(written.channel)
    assert address is not None  # the channel reaches the patient
    zone = patient.contact.time_zone or sites.get(tx, enrollment.site_id).site.zone
    return HandMade(
        id=message_id,
        enrollment_id=enrollment.id,
        step=WRITTEN,
        occurrence=messages.next_occurrence(tx, enrollment.id, WRITTEN),
        written_by=actor,
        channel=written.channel,
        content={"to": address, "subject": written.subject, "text": written.text},
        at=leaving.at,
        due_at=leaving.at,
        send_by=leaving.at + _WAIT,
        why={"written": True, "zone": read_zone(zone).key},
        critical=True,  # its writer counts on it
    )
