"""Bringing a planned message forward: the same hours and the same procedure bind it as every other one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from journey.domain.calendar import Window
from journey.domain.changes import ExistingMessage
from journey.domain.delivery import Status
from journey.domain.eligibility import EnrollmentStatus
from journey.domain.explain import say_moment
from journey.domain.planning import Bounds


class NotForward(ValueError):
    """It cannot leave earlier, in words for whoever asked."""


@dataclass(frozen=True, slots=True)
class Forward:
    """What decides whether a message may leave now. `is_recovery`: it is advice for afterwards."""

    row: ExistingMessage
    enrollment: EnrollmentStatus
    is_recovery: bool
    bounds: Bounds
    window: Window


def bring_forward(asked: Forward, now: datetime) -> datetime:
    """The instant at which the message leaves instead. Raises NotForward."""
    row = asked.row
    if asked.enrollment is not EnrollmentStatus.ACTIVE:
        raise NotForward("messages are paused or have ended; resume them first")
    if row.status is not Status.PLANNED or not row.is_open:
        raise NotForward("only a planned message can be sent now; this one is " + row.status.value)
    at, _ = asked.window.settle(now, later=True, any_day=True)
    local = say_moment(at.astimezone(asked.window.zone))
    if at >= row.due_at:
        raise NotForward(f"no allowed hour is earlier than its own time ({local})")
    if at >= row.send_by:
        raise NotForward("no allowed hour is left before its deadline")
    if asked.is_recovery and (asked.bounds.ends is None or at < asked.bounds.ends):
        raise NotForward("advice for afterwards never goes out before the procedure is over")
    return at
