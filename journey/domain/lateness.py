"""What becomes of a message whose time may have passed: its step's `late` rule, and its deadline."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from journey.domain.calendar import Shift
from journey.domain.delivery import Reason
from journey.domain.pathway import Late
from journey.domain.plan import Plan, PlannedMessage, Verdict


def face_the_clock(wanted: PlannedMessage, plan: Plan, now: datetime) -> tuple[PlannedMessage, bool]:
    """What becomes of a message whose time may have passed: its step's `late` rule, applied.

    The second value asks for a call: where the step says so, or a critical message cannot go out.
    """
    if wanted.verdict is Verdict.SKIP:
        return wanted, wanted.critical
    if wanted.at >= now:
        return wanted, False
    if wanted.verdict is Verdict.HOLD:
        return _give_up(wanted, now) if wanted.send_by < now else (wanted, False)
    if wanted.late is Late.SKIP:
        return _skipped(wanted, Reason.LATE), wanted.critical
    if wanted.late is Late.CALL:
        return _skipped(wanted, Reason.LATE_CALL), True
    return send_now(wanted, plan, now)


def send_now(wanted: PlannedMessage, plan: Plan, now: datetime) -> tuple[PlannedMessage, bool]:
    """The message at the next allowed instant, or given up where its deadline is before that."""
    at, _ = plan.window.settle(now, later=True, any_day=True)
    if at >= wanted.send_by:
        return _give_up(wanted, now)
    why = replace(wanted.why, shifts=(*wanted.why.shifts, Shift.LATE))
    return replace(wanted, due_at=at, why=why), False


def _give_up(wanted: PlannedMessage, now: datetime) -> tuple[PlannedMessage, bool]:
    reason = Reason.PAST_DEADLINE if wanted.send_by < now else Reason.NO_TIME_LEFT
    return _skipped(wanted, reason), wanted.critical or wanted.late is Late.CALL


def _skipped(wanted: PlannedMessage, reason: Reason) -> PlannedMessage:
    return replace(wanted, verdict=Verdict.SKIP, reason=reason)
