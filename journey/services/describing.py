"""An enrollment as other systems see it: how it stands, and every message with its time, state and words."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from journey.domain.calendar import read_zone
from journey.domain.changes import Change
from journey.domain.conditions import FactValue
from journey.domain.delivery import OPEN, Status
from journey.domain.explain import explain_reason, explain_status
from journey.domain.pathway import Channel
from journey.domain.plan import PlannedMessage
from journey.rendering.message import Rendered
from journey.rendering.templates import TemplateError
from journey.services.changing import Outcome
from journey.services.context import Context, Missing
from journey.services.library import Library
from journey.services.showing import NO_WORDS, ShownMessage, show_target, words_and_size
from journey.services.wording import Reader, reader_of, word, word_step
from journey.store import audit, enrollments, messages, patients
from journey.store.database import Tx
from journey.store.enrollments import Enrollment
from journey.store.messages import Message
from journey.store.pathways import PathwayVersion


@dataclass(frozen=True, slots=True)
class Described:
    """An enrollment with all its messages, in the order of time."""

    id: UUID
    patient: UUID
    pathway: str
    pathway_version: int
    site: str
    status: str
    procedure_date: date | None
    arrival_time: time | None
    completed_on: date | None
    confirmed: bool
    facts: dict[str, FactValue]
    time_zone: str
    revision: int
    messages: Sequence[ShownMessage]


@dataclass(frozen=True, slots=True)
class _Scene:
    """What the words of an enrollment's messages depend on."""

    version: PathwayVersion
    reader: Reader
    zone: ZoneInfo
    site: str


def describe(context: Context, library: Library, enrollment_id: UUID, actor: str) -> Described:
    """Raises Missing. Whoever reads it is in the audit log."""
    library.forget_sites()
    now = context.clock.now()
    with context.database.write() as tx:
        found = enrollments.get(tx, enrollment_id)
        if found is None:
            raise Missing(f"there is no enrollment {enrollment_id}")
        scene = _scene(tx, library, found)
        rows = messages.of_enrollment(tx, enrollment_id)
        described = _describe(found, scene, [_of_row(tx, row, scene) for row in rows])
        audit.append(tx, [audit.Entry(actor, "patient.viewed", f"patient/{found.patient_id}", {})], now)
    return described


def describe_message(
    context: Context, library: Library, message_id: UUID, actor: str
) -> tuple[UUID, ShownMessage]:
    """One message, and whose enrollment's it is. Raises Missing; the look is in the audit log."""
    library.forget_sites()
    with context.database.write() as tx:
        rows = messages.by_ids(tx, [message_id])
        found = enrollments.get(tx, rows[0].enrollment_id) if rows else None
        if found is None:
            raise Missing(f"there is no message {message_id}")
        described = _of_row(tx, rows[0], _scene(tx, library, found))
        entry = audit.Entry(actor, "message.viewed", f"patient/{found.patient_id}", {})
        audit.append(tx, [entry], context.clock.now())
    return found.id, described


def describe_outcome(context: Context, library: Library, outcome: Outcome, actor: str) -> Described:
    """An enrollment as it would stand after a change that was only previewed."""
    library.forget_sites()
    new = outcome.enrollment
    with context.database.write() as tx:
        scene = _scene(tx, library, new)
        changed = {one.existing.id: one for one in outcome.changes if one.existing is not None}
        rows = messages.of_enrollment(tx, new.id)
        described = [_after(tx, row, changed.get(row.id), scene) for row in rows]
        added = [one.target for one in outcome.changes if one.existing is None and one.target is not None]
        described += [_of_target(None, target, scene) for target in added]
        entry = audit.Entry(actor, "patient.viewed", f"patient/{new.patient_id}", {})
        audit.append(tx, [entry], context.clock.now())
    return _describe(new, scene, described)


def _scene(tx: Tx, library: Library, enrollment: Enrollment) -> _Scene:
    patient = patients.get(tx, enrollment.patient_id)
    assert patient is not None  # a foreign key
    site = library.site(tx, enrollment.site_id)
    version = library.version(tx, enrollment.pathway_version_id)
    zone = read_zone(patient.contact.time_zone or site.zone)
    return _Scene(version, reader_of(enrollment, patient, site), zone, site.key)


def _describe(enrollment: Enrollment, scene: _Scene, found: Sequence[ShownMessage]) -> Described:
    return Described(
        id=enrollment.id,
        patient=enrollment.patient_id,
        pathway=enrollment.pathway,
        pathway_version=scene.version.number,
        site=scene.site,
        status=enrollment.status.value,
        procedure_date=enrollment.procedure_date,
        arrival_time=enrollment.arrival_time,
        completed_on=enrollment.completed_on,
        confirmed=enrollment.is_confirmed,
        facts=dict(enrollment.facts),
        time_zone=scene.zone.key,
        revision=enrollment.revision,
        messages=sorted(found, key=lambda one: (datetime.fromisoformat(one.at), one.step)),
    )


def _of_row(
    tx: Tx, row: Message, scene: _Scene, status: Status | None = None, reason: str = ""
) -> ShownMessage:
    """As it went out; what is still open, as it would read now."""
    stored = messages.read_content(tx, row)
    subject, text = stored.get("subject", ""), stored.get("text", "")
    if row.channel is not None and row.status in OPEN:
        words = _words_now(tx, row, row.channel, scene)
        subject, text = words.subject, words.text
    return ShownMessage(
        id=str(row.id),
        step=row.step,
        phase=row.phase,
        channel=row.channel.value if row.channel else None,
        at=(row.accepted_at or row.due_at).astimezone(scene.zone).isoformat(),
        send_by=row.send_by.astimezone(scene.zone).isoformat(),
        status=(status or row.status).value,
        reason=reason or explain_status(row.status, row.reason, row.why),
        **words_and_size(row.channel, subject, text),
    )


def _words_now(tx: Tx, row: Message, channel: Channel, scene: _Scene) -> Rendered:
    try:
        return word(tx.sealer, row, channel, scene.reader, scene.version.templates)
    except TemplateError:
        return NO_WORDS


def _after(tx: Tx, row: Message, change: Change | None, scene: _Scene) -> ShownMessage:
    if change is None or change.action == "keep":
        return _of_row(tx, row, scene)
    if change.target is None:
        return _of_row(tx, row, scene, Status.CANCELLED, explain_reason(change.reason))
    return _of_target(str(row.id), change.target, scene)


def _of_target(message_id: str | None, target: PlannedMessage, scene: _Scene) -> ShownMessage:
    words = NO_WORDS
    if target.channel is not None:
        with suppress(TemplateError):
            words = word_step(target.step, target.channel, scene.reader, scene.version.templates)
    return show_target(target, words, scene.zone, message_id)
