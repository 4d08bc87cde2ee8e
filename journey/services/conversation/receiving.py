"""A patient's reply: kept once, acted on where a few words are plain, and given to a person for the rest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from journey.channels.protocol import Incoming
from journey.domain.pathway import Channel
from journey.domain.triage import Intent, Reading, RedFlag, triage
from journey.services import suppressing, wishes
from journey.services.changing import change
from journey.services.context import Context, Refusal
from journey.services.conversation import answering, correspondents
from journey.services.conversation.correspondents import Correspondent
from journey.services.conversation.reply_tasks import task_for
from journey.services.library import Library
from journey.services.renewing import Noted, see_to
from journey.store import audit, pathways, replies, staff_tasks, webhooks
from journey.store.database import Conflict, Tx
from journey.store.ids import new_id
from journey.store.replies import Reply

PATIENT = "patient"
_MOST_TEXT = 5_000  # characters; a text has at most 1,600
_MOST_SENDER = 200
_LATE = timedelta(minutes=10)  # told later than this, a reply is answered by a person alone


@dataclass(frozen=True, slots=True)
class _Yes:
    """A yes to the question that was asked last. Its task closes once it is noted."""

    enrollment_id: UUID
    day: date
    task_id: UUID


@dataclass(frozen=True, slots=True)
class Followup:
    """What is left to do after a reply was kept. Lost in a crash, a job or a task still stands for it."""

    noted: Sequence[Noted] = ()
    yes: _Yes | None = None
    is_new: bool = True


def receive(context: Context, library: Library, incoming: Incoming) -> Followup:
    """Keeps a reply with all that follows at once: opting out, tasks, an answer. Give the rest to `follow`.

    The same reply twice is kept once.
    """
    library.forget_sites()
    for last in (False, True):
        try:
            with context.database.write() as tx:
                if replies.known(tx, [incoming.provider_id]):
                    return Followup(is_new=False)
                return _keep(tx, library, incoming, context.clock.now())
        except Conflict:  # told twice at the same moment, or a worker had the same rows
            if last:
                raise
    raise AssertionError("unreachable")


def follow(context: Context, followup: Followup) -> None:
    """Plans anew for whoever opted out or in, and notes a yes. It may wait for messages on their way."""
    see_to(context, followup.noted, PATIENT)
    if followup.yes is None:
        return
    yes = followup.yes
    try:
        change(context, yes.enrollment_id, wishes.confirm(yes.day), PATIENT)
    except Refusal:  # the date has just changed, or somebody was quicker: the task stands, and says so
        return
    with context.database.write() as tx:
        staff_tasks.close(tx, yes.task_id, "journey", context.clock.now())


def _keep(tx: Tx, library: Library, incoming: Incoming, now: datetime) -> Followup:
    reply_id, text, at = new_id(), incoming.text[:_MOST_TEXT], min(incoming.at or now, now)
    who = correspondents.find(tx, library, _as_phone(incoming.sender), at)
    is_late = now - at > _LATE
    reading = triage(text, _red_flags(tx, library, who))
    noted = _mind_opting(tx, who, reading, text, now, is_late=is_late)
    task = task_for(reading, who, reply_id, now, needs_reading=incoming.pictures > 0 or is_late)
    staff_tasks.open_all(tx, [task] if task else [], now)
    reply = Reply(
        reply_id,
        who.enrollment.id if who.enrollment else None,
        task.id if task else None,
        reading.intent,
        at,
        incoming.sender[:_MOST_SENDER],
        text,
        incoming.pictures,
        reading.red_flags,
    )
    replies.add(tx, incoming.provider_id, reply)
    name = answering.choose(reading, was_answered=incoming.was_answered)
    if name and not is_late:
        answering.answer(tx, library, who, name, reply_id, now)
    _tell(tx, reply, now)
    if reading.intent is Intent.YES and who.enrollment and who.asked and task:
        return Followup(noted, _Yes(who.enrollment.id, who.asked, task.id))
    return Followup(noted)


def _as_phone(sender: str) -> str | None:
    """The number of a telephone; companies and short codes have none that a patient could have."""
    return sender if re.fullmatch(r"\+[1-9][0-9]{6,14}", sender) else None


def _red_flags(tx: Tx, library: Library, who: Correspondent) -> list[RedFlag]:
    """Those of the newest published versions, which know more words than older ones, and of the patient's."""
    versions = pathways.newest_published(tx)
    if who.enrollment is not None:
        versions.append(who.enrollment.pathway_version_id)
    every = [library.version(tx, one).pathway.replies.red_flags for one in dict.fromkeys(versions)]
    return [flag for flags in every for flag in flags]


def _mind_opting(
    tx: Tx, who: Correspondent, reading: Reading, text: str, now: datetime, *, is_late: bool
) -> list[Noted]:
    """Opting out counts however late it is told; opting in only at once, since a STOP may have followed."""
    if who.phone is None:
        return []
    if reading.intent in (Intent.STOP, Intent.CANCEL):
        return suppressing.stop_in(tx, Channel.SMS, who.phone, PATIENT, now, text)[1]
    if reading.intent is Intent.START and not is_late:
        return suppressing.restart_in(tx, Channel.SMS, who.phone, PATIENT, now, text)[1]
    return []


def _tell(tx: Tx, reply: Reply, now: datetime) -> None:
    """The audit log and other systems hear that there is a reply, and not what it says."""
    whose = str(reply.enrollment_id) if reply.enrollment_id else None
    told = {"enrollment": whose, "intent": reply.intent.value}
    subject = f"enrollment/{whose}" if whose else f"reply/{reply.id}"
    audit.append(tx, [audit.Entry(PATIENT, "reply.received", subject, told)], now)
    data = {"reply": str(reply.id), **told, "urgent": bool(reply.red_flags)}
    event = webhooks.NewEvent("reply.received", now, data, enrollment_id=reply.enrollment_id)
    webhooks.emit(tx, [event])
