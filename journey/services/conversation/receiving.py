"""A patient's reply: kept once, acted on where a few words are plain, and given to a person for the rest."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from journey.channels.protocol import Incoming
from journey.domain.triage import Intent, Reading, triage
from journey.services import wishes
from journey.services.changing import change
from journey.services.context import Context, Refusal
from journey.services.conversation import answering, correspondents
from journey.services.conversation.content import red_flags
from journey.services.conversation.correspondents import Correspondent
from journey.services.conversation.opting import PATIENT, opt
from journey.services.conversation.reply_tasks import Circumstances, is_closed, kind_of, task_for
from journey.services.library import Library
from journey.store import audit, enrollments, replies, staff_tasks, webhooks
from journey.store.database import Conflict, Tx
from journey.store.ids import new_id
from journey.store.replies import Reply
from journey.store.staff_tasks import TaskKind

_MOST_TEXT = 2_000  # characters; a text has at most 1,600
_MOST_SENDER = 200
_LATE = timedelta(minutes=10)  # told later than this, a reply is answered by a person alone


@dataclass(frozen=True, slots=True)
class Yes:
    """A yes to the question that was asked last. Its task closes once it is noted."""

    enrollment_id: UUID
    day: date
    task_id: UUID
    at: datetime


def receive(context: Context, library: Library, incoming: Incoming) -> Yes | None:
    """Keeps a reply with all that follows at once: opting out, a task, an answer. Give a yes to `follow`.

    The same reply twice is kept once.
    """
    library.forget_sites()
    for last in (False, True):
        try:
            with context.database.write() as tx:
                if replies.known(tx, [incoming.provider_id]):
                    return None
                return _keep(tx, library, _clean(incoming), context.clock.now())
        except Conflict:  # told twice at the same moment, or a worker had the same rows
            if last:
                raise
    raise AssertionError("unreachable")


def follow(context: Context, yes: Yes | None) -> None:
    """Notes a yes. It may wait for messages on their way; lost in a crash, its task still stands."""
    if yes is None:
        return
    with context.database.read() as tx:
        if replies.has_later(tx, yes.enrollment_id, yes.at):
            return  # perhaps a no: the task stands
    try:
        change(context, yes.enrollment_id, wishes.confirm(yes.day), PATIENT)
    except Refusal:  # the date has just changed, or somebody was quicker: the task stands, and says so
        return
    with context.database.write() as tx:
        staff_tasks.close(tx, yes.task_id, "journey", context.clock.now())


def _clean(incoming: Incoming) -> Incoming:
    """Without halves of characters, which a provider's list can hold and nothing can store."""

    def whole(text: str, most: int) -> str:
        return text[:most].encode("utf-8", "replace").decode()

    return replace(
        incoming, sender=whole(incoming.sender, _MOST_SENDER), text=whole(incoming.text, _MOST_TEXT)
    )


def _keep(tx: Tx, library: Library, incoming: Incoming, now: datetime) -> Yes | None:
    at = min(incoming.fetched_at or now, now)
    who = correspondents.find(tx, library, _as_phone(incoming.sender), at)
    if who.enrollment is not None:  # first of all locks: two replies at one moment come one after the other
        enrollments.get(tx, who.enrollment.id, lock=True)
    is_late = now - at > _LATE
    reading = _as_provider_read(triage(incoming.text, red_flags(tx, library, who)), incoming.keyword)
    is_settled, entries = True, list[audit.Entry]()
    if who.phone is not None:
        may_start = incoming.fetched_at is None  # it may be older than a STOP that was told
        is_settled, entries = opt(tx, who.phone, reading.intent, incoming.text, now, may_start=may_start)
    around = Circumstances(incoming.pictures, is_late, is_settled)
    kind, reply_id = kind_of(reading, who, around), new_id()
    if not is_late:
        waits = kind is not None and not _is_answer(reading, who, around) and is_closed(who, now)
        was_answered = bool(incoming.keyword or incoming.fetched_at)
        chosen = answering.choose(kind, reading, was_answered=was_answered, waits=waits)
        if chosen and answering.answer(tx, library, who, chosen, reply_id, now):
            around = replace(around, answered=chosen.name)
    task = task_for(kind, reading, who, around, reply_id, now) if kind else None
    staff_tasks.open_all(tx, [task] if task else [], now)
    reply = Reply(
        reply_id,
        who.enrollment.id if who.enrollment else None,
        task.id if task else None,
        reading.intent,
        at,
        incoming.sender,
        incoming.text,
        incoming.pictures,
        reading.red_flags,
    )
    replies.add(tx, incoming.provider_id, reply)
    _tell(tx, reply, entries, now, is_urgent=kind is TaskKind.RED_FLAG)
    if task and who.enrollment and who.asked and _is_answer(reading, who, around):
        yes = Yes(who.enrollment.id, who.asked, task.id, at)
        return None if replies.has_later(tx, yes.enrollment_id, at) else yes
    return None


def _as_provider_read(reading: Reading, keyword: str) -> Reading:
    """What the provider took for STOP it has blocked, in whatever language it was."""
    if keyword != "STOP" or reading.intent in (Intent.STOP, Intent.CANCEL):
        return reading
    return replace(reading, intent=Intent.STOP, is_plain=False)


def _is_answer(reading: Reading, who: Correspondent, around: Circumstances) -> bool:
    """Whether it is a plain yes to the question, which needs no person once it is noted."""
    is_yes = reading.intent is Intent.YES and not (reading.red_flags or who.was_warned)
    return is_yes and who.asked is not None and not around.needs_reading


def _as_phone(sender: str) -> str | None:
    """The number of a telephone; companies and short codes have none that a patient could have."""
    return sender if re.fullmatch(r"\+[1-9][0-9]{6,14}", sender) else None


def _tell(tx: Tx, reply: Reply, entries: list[audit.Entry], now: datetime, *, is_urgent: bool) -> None:
    """The audit log and other systems hear that there is a reply, and nothing of what it says."""
    whose = str(reply.enrollment_id) if reply.enrollment_id else None
    received = audit.Entry(PATIENT, "reply.received", f"reply/{reply.id}", {"enrollment": whose})
    data = {"reply": str(reply.id), "enrollment": whose, "urgent": is_urgent}
    event = webhooks.NewEvent("reply.received", now, data, enrollment_id=reply.enrollment_id)
    webhooks.emit(tx, [event])
    audit.append(tx, [*entries, received], now)
