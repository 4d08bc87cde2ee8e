"""The last question before a message leaves: may it still go, now, to this patient, this way?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from journey.domain.calendar import HARD_CLOSES, HARD_OPENS, Window
from journey.domain.delivery import Reason
from journey.domain.pathway import Channel


class EnrollmentStatus(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"  # nothing goes out until staff resume
    CANCELLED = "cancelled"  # the procedure will not happen
    WITHDRAWN = "withdrawn"  # the patient wants no messages from this pathway


@dataclass(frozen=True, slots=True)
class Situation:
    """What is true of a message, its enrollment and its patient at the moment of sending."""

    channel: Channel
    send_by: datetime
    procedure_date: date | None  # the message's basis
    arrival_time: time | None
    enrollment: EnrollmentStatus
    enrolled_date: date | None  # the enrollment's present date and arrival time
    enrolled_arrival: time | None
    reachable: tuple[Channel, ...]
    step_channels: tuple[Channel, ...]
    is_done: bool  # the goal that ends its step is reached
    window: Window
    is_superseded: bool = False  # it was tried, and a later message says the same by now
    is_answer: bool = False  # by itself, to somebody who wrote a moment ago: no pause and no night keeps it


@dataclass(frozen=True, slots=True)
class Go:
    """Send it as it is."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Do not send it, for this reason."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Wait:
    """Hold it, or (with a time or channel) put it back into the plan."""

    reason: Reason
    until: datetime | None = None
    channel: Channel | None = None


Answer = Go | Stop | Wait
_ENDED = {
    EnrollmentStatus.CANCELLED: Reason.ENROLLMENT_CANCELLED,
    EnrollmentStatus.WITHDRAWN: Reason.WITHDRAWN,
}


def may_send(situation: Situation, now: datetime) -> Answer:
    """Asks every question again that was asked at planning: the answers may have changed since."""
    if situation.enrollment in _ENDED:
        return Stop(_ENDED[situation.enrollment])
    if _is_outdated(situation):
        return Stop(Reason.DATE_MOVED)
    if situation.is_superseded:
        return Stop(Reason.SUPERSEDED)
    if situation.is_done:
        return Stop(Reason.GOAL_REACHED)
    if situation.enrollment is EnrollmentStatus.PAUSED and not situation.is_answer:
        return Wait(Reason.PAUSED)
    if now >= situation.send_by:
        return Stop(Reason.PAST_DEADLINE)
    if situation.channel not in situation.reachable:
        return _another_way(situation)
    return Go() if situation.is_answer else _mind_the_hours(situation, now)


def _is_outdated(situation: Situation) -> bool:
    if situation.procedure_date not in (None, situation.enrolled_date):
        return True
    return situation.arrival_time not in (None, situation.enrolled_arrival)


def _another_way(situation: Situation) -> Answer:
    for channel in situation.step_channels:
        if channel in situation.reachable:
            return Wait(Reason.OPTED_OUT, channel=channel)
    return Stop(Reason.OPTED_OUT)


def _mind_the_hours(situation: Situation, now: datetime) -> Answer:
    """A backlog never writes at night: the legal outer hours are looked at once more."""
    local = now.astimezone(situation.window.zone).time()
    if HARD_OPENS <= local < HARD_CLOSES:
        return Go()
    until, _ = situation.window.settle(now, later=True, any_day=True)
    if until >= situation.send_by:
        return Stop(Reason.PAST_DEADLINE)
    return Wait(Reason.OUTSIDE_HOURS, until=until)
