"""What is answered by itself: the emergency number to words that may be urgent, and HELP.

An answer is a message like every other one, sent at most once and seen on the patient's page; only the hours
and a pause do not keep it, since whoever gets it wrote a moment ago.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from journey.domain.delivery import Status
from journey.domain.pathway import ANSWERS, Channel
from journey.domain.triage import Intent, Reading
from journey.rendering.message import template_name
from journey.rendering.templates import TemplateError
from journey.services.changing import reachable_of
from journey.services.conversation.content import templates_with
from journey.services.conversation.correspondents import Correspondent
from journey.services.library import Library
from journey.services.wording import reader_of, word_step
from journey.store import messages, patients
from journey.store.database import Tx
from journey.store.enrollments import LIVE
from journey.store.ids import new_id
from journey.store.message_rows import HandMade
from journey.store.messages import STANDS
from journey.store.sealing import SealError
from journey.store.staff_tasks import TaskKind

_SOON = timedelta(minutes=15)  # an answer that leaves later than this answers nothing
_AHEAD = timedelta(hours=1)  # so that it leaves before whatever else is due
# Sooner, the same answer tells nothing new, and two machines would go on for ever.
_AGAIN = timedelta(hours=1)
_UNASKED = timedelta(hours=8)  # that nobody reads now: once a night


@dataclass(frozen=True, slots=True)
class Chosen:
    """An answer by name, and how long the same one is not repeated."""

    name: str
    pause: timedelta


def choose(kind: TaskKind | None, reading: Reading, *, was_answered: bool, waits: bool) -> Chosen | None:
    """The answer that a reply gets, if any. `was_answered`: the provider has answered a keyword. `waits`:
    for a person, while nobody reads replies; whoever does must know where help is."""
    if kind is TaskKind.RED_FLAG:
        return Chosen("urgent", _AGAIN)
    if reading.intent is Intent.HELP and not was_answered:
        return Chosen("help", _AGAIN)
    return Chosen("help", _UNASKED) if waits else None


def answer(
    tx: Tx, library: Library, who: Correspondent, chosen: Chosen, reply_id: UUID, now: datetime
) -> bool:
    """Plans an answer to leave at once. False where there is none: no template, no way, or one just sent."""
    enrollment, step = who.enrollment, f"{ANSWERS}{chosen.name}"
    if enrollment is None or who.site is None or enrollment.status not in LIVE:
        return False
    try:
        patient = patients.get(tx, enrollment.patient_id)
        assert patient is not None  # a foreign key
        reader = reader_of(enrollment, patient, who.site)
        templates = templates_with(tx, library, who, template_name(step, reader.locale, Channel.SMS))
        words = word_step(step, Channel.SMS, reader, templates)
    except (SealError, TemplateError):  # no such answer in force; a person reads the reply in any case
        return False
    if Channel.SMS not in reachable_of(tx, patient) or _was_sent(tx, enrollment.id, step, now - chosen.pause):
        return False
    made = HandMade(
        id=new_id(),
        enrollment_id=enrollment.id,
        step=step,
        occurrence=messages.next_occurrence(tx, enrollment.id, step),
        written_by="journey",
        channel=Channel.SMS,
        content={"to": str(patient.person.phone), "subject": "", "text": words.text},
        at=now,
        due_at=now - _AHEAD,
        send_by=now + _SOON,
        why={"answers": str(reply_id)},
        critical=False,  # whoever it fails to reach is on a person's list already
    )
    messages.insert_hand_made(tx, made)
    return True


def _was_sent(tx: Tx, enrollment_id: UUID, step: str, since: datetime) -> bool:
    rows = messages.of_enrollment(tx, enrollment_id)
    stands = STANDS - {Status.HELD}
    return any(row.step == step and row.status in stands and row.planned_at > since for row in rows)
