"""Who reads a reply, and by when. Whatever a machine did not settle is for a person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from journey.domain.calendar import read_zone, to_instant
from journey.domain.site import Site
from journey.domain.triage import Intent, Reading
from journey.services.conversation.correspondents import Correspondent
from journey.services.library import window_for
from journey.store.staff_tasks import NewTask, TaskKind

_READ_WITHIN, _AFTER_OPENING = timedelta(hours=2), timedelta(hours=1)
_SOON = timedelta(days=1)  # a reply that close to the procedure does not wait for the morning


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What else there is to a reply. `is_settled`: what it asks for is done. `answered`: how, by itself."""

    pictures: int
    is_late: bool
    is_settled: bool
    answered: str | None = None

    @property
    def needs_reading(self) -> bool:
        return self.pictures > 0 or self.is_late or not self.is_settled


def kind_of(reading: Reading, who: Correspondent, around: Circumstances) -> TaskKind | None:
    """The kind of task that a reply opens; None where nothing is left to do."""
    if reading.red_flags or (reading.intent is Intent.YES and who.was_warned):
        return TaskKind.RED_FLAG
    if reading.calls_off or reading.intent in (Intent.CANCEL, Intent.CALL_OFF):
        return TaskKind.CALLS_OFF
    if reading.intent is Intent.NO and who.was_asked:
        return TaskKind.CALLS_OFF
    return None if _needs_nobody(reading, who) and not around.needs_reading else TaskKind.REPLY


def _needs_nobody(reading: Reading, who: Correspondent) -> bool:
    """Opting out or in, thanks that answer no question, a yes once more: done, or nothing to do."""
    if reading.intent in (Intent.STOP, Intent.START):
        return reading.is_plain and who.phone is not None
    if reading.intent is Intent.THANKS:
        return reading.is_plain and (not who.was_asked or who.has_said_yes)
    return reading.intent is Intent.YES and who.has_said_yes


def task_for(
    kind: TaskKind, reading: Reading, who: Correspondent, around: Circumstances, reply_id: UUID, now: datetime
) -> NewTask:
    """The task about a reply. Its words stay sealed in the reply."""
    due = _read_by(who, now) if kind is TaskKind.REPLY else now
    enrollment_id = who.enrollment.id if who.enrollment else None
    detail = " ".join([_say(kind, reading, who), *_notes(kind, reading, who, around)])
    return NewTask(kind, str(reply_id), detail, due, enrollment_id)


def _say(kind: TaskKind, reading: Reading, who: Correspondent) -> str:
    if kind is TaskKind.RED_FLAG and not reading.red_flags:
        return "Said yes to a text that asks after danger signs: phone now."
    if kind is TaskKind.RED_FLAG:
        return "Words that may be urgent: read this now, and phone."
    if kind is TaskKind.CALLS_OFF and reading.intent is Intent.CANCEL:
        return "Wrote CANCEL or END: phone, and ask whether they still want the procedure."
    if kind is TaskKind.CALLS_OFF:
        return "May not be coming: read the reply, and phone."
    said = {
        Intent.HELP: "Asked for help, and may be unwell: read it, and phone.",
        Intent.START: "Asks for texts again: look who stopped them, and restart them if that is right.",
        Intent.STOP: "Wants no more texts, and wrote more: read it. Are they still coming?",
    }
    if who.was_asked and not who.has_said_yes:
        said[Intent.YES] = "Said yes to coming, which is not noted yet: note it, or phone."
        said[Intent.THANKS] = "Neither yes nor no to whether they are coming: ask again, or phone."
    return said.get(reading.intent, "A reply to read.")


def _notes(kind: TaskKind, reading: Reading, who: Correspondent, around: Circumstances) -> Iterator[str]:
    if around.pictures:
        yield "With a picture."
    if around.is_late:
        yield "It came late."
    if kind is TaskKind.RED_FLAG:
        sent = around.answered == "urgent"
        yield f"The emergency number {'is being sent' if sent else 'is not sent now'} by itself."
    if reading.intent in (Intent.STOP, Intent.CANCEL) and who.phone:
        yield "Texts to this number have stopped, as asked."
    if not who.sharing:
        yield "From a number that no patient has: find out who it is."
    if who.sharing > 1:
        yield f"{who.sharing} patients share this number: ask who it is."


def is_closed(who: Correspondent, now: datetime) -> bool:
    """Whether nobody at the clinic reads replies now."""
    return who.site is not None and _next_staffed(who.site, now) != now


def _next_staffed(site: Site, now: datetime) -> datetime:
    """The nearest moment, this one included, at which somebody reads replies."""
    window = window_for(site, site.zone, now.year)
    local = now.astimezone(window.zone)
    day = local.date()
    if window.is_open_day(day) and local.time() < site.staffed_until:
        return max(now, to_instant(day, site.staffed_from, window.zone))
    while not window.is_open_day(day := day + timedelta(days=1)):
        pass
    return to_instant(day, site.staffed_from, window.zone)


def _read_by(who: Correspondent, now: datetime) -> datetime:
    """Soon in the clinic's hours; otherwise soon after it opens. Right before a procedure, at once."""
    if who.site is None:
        return now + _READ_WITHIN
    if who.enrollment and who.enrollment.procedure_date:
        today = now.astimezone(read_zone(who.site.zone)).date()
        if today <= who.enrollment.procedure_date <= today + _SOON:
            return now
    begins = _next_staffed(who.site, now)
    return begins + (_READ_WITHIN if begins == now else _AFTER_OPENING)
