"""Who reads a reply, and by when. Whatever a machine did not settle is for a person."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from journey.domain.calendar import Shift, to_instant
from journey.domain.triage import Intent, Reading
from journey.services.conversation.correspondents import Correspondent
from journey.services.library import window_for
from journey.store.staff_tasks import NewTask, TaskKind

_READ_WITHIN = timedelta(hours=2)  # of the reply, or of the clinic's opening


def task_for(
    reading: Reading, who: Correspondent, reply_id: UUID, now: datetime, *, needs_reading: bool
) -> NewTask | None:
    """The task that a reply opens; None where nothing is left to do. Its words stay sealed in the reply.

    `needs_reading`: there is more to it than its words, such as a picture, or it was told late.
    """
    kind, said = _kind(reading, who)
    if kind is TaskKind.REPLY and _needs_nobody(reading, who) and not needs_reading:
        return None
    due = _read_by(who, now) if kind is TaskKind.REPLY else now
    enrollment_id = who.enrollment.id if who.enrollment else None
    return NewTask(kind, str(reply_id), " ".join([said, *_notes(reading, who)]), due, enrollment_id)


def _kind(reading: Reading, who: Correspondent) -> tuple[TaskKind, str]:
    if reading.red_flags:
        return TaskKind.RED_FLAG, "Words that may be urgent: read this now, and phone."
    if reading.intent is Intent.CANCEL:
        return TaskKind.CALLS_OFF, "Phone, and ask whether the procedure is meant, too."
    if reading.intent is Intent.CALL_OFF or (reading.intent is Intent.NO and who.was_asked):
        return TaskKind.CALLS_OFF, "May not be coming: read the reply, and phone."
    if reading.intent is Intent.YES and who.asked:
        return TaskKind.REPLY, "Said yes to the date, which is not noted yet: note it, or ask again."
    if reading.intent is Intent.HELP:
        return TaskKind.REPLY, "Asked for help."
    if reading.intent is Intent.START:
        return (
            TaskKind.REPLY,
            "Asks for texts again: look who stopped them, and restart them if that is right.",
        )
    return TaskKind.REPLY, "A reply to read."


def _needs_nobody(reading: Reading, who: Correspondent) -> bool:
    """Opting out or in, thanks that answer no question, a yes once more: done, or nothing to do."""
    if reading.intent in (Intent.STOP, Intent.START):
        return reading.is_plain and who.phone is not None
    if reading.intent is Intent.THANKS:
        return not who.asked
    return reading.intent is Intent.YES and who.has_said_yes


def _notes(reading: Reading, who: Correspondent) -> list[str]:
    notes = []
    if reading.intent in (Intent.STOP, Intent.CANCEL) and who.phone:
        notes.append("Texts to this number have stopped, as asked.")
    if not who.sharing:
        notes.append("From a number that no patient has: find out who it is.")
    if who.sharing > 1:
        notes.append(f"{who.sharing} patients share this number: ask who it is.")
    return notes


def _read_by(who: Correspondent, now: datetime) -> datetime:
    """Soon in the clinic's hours; otherwise soon after it opens."""
    if who.site is None:
        return now + _READ_WITHIN
    window = window_for(who.site, who.site.zone, now.year)
    at, shifts = window.settle(now, later=True, any_day=False)
    if Shift.CLOSED_DAY in shifts:
        at = to_instant(at.astimezone(window.zone).date(), window.opens, window.zone)
    return at + _READ_WITHIN
