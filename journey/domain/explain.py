"""Why a message goes out when it does, or does not: in words for staff, without jargon."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from journey.domain.delivery import Reason, Status
from journey.domain.plan import Why

_SHIFTS = {
    "quiet_hours": "moved out of the quiet hours",
    "closed_day": "moved off a day on which the clinic is closed",
    "before_procedure": "moved to before the procedure",
    "after_procedure": "moved to after the procedure",
    "late": "goes out at once, because its time had passed",
    "dst": "moved forward over the hour that the clock change skips",
}
_REASONS = {
    Reason.NEEDS_ARRIVAL: "waits for the arrival time",
    Reason.NEEDS_COMPLETION: "waits until staff say that the procedure went ahead",
    Reason.PAUSED: "waits while messages are paused",
    Reason.LATE: "its time had passed, and it is not sent late",
    Reason.LATE_CALL: "its time had passed; staff are asked to call instead",
    Reason.NO_TIME_LEFT: "no allowed hour is left before its deadline",
    Reason.NO_ADDRESS: "no address with consent for any of its channels",
    Reason.OPTED_OUT: "the patient stopped this channel",
    Reason.NO_CONSENT: "there is no consent for this channel",
    Reason.BAD_ADDRESS: "the number or e-mail address does not work",
    Reason.ENROLLMENT_CANCELLED: "the procedure was cancelled",
    Reason.WITHDRAWN: "the patient wants no more messages",
    Reason.POSTPONED: "the procedure was postponed without a date",
    Reason.DATE_MOVED: "the date was moved",
    Reason.NO_LONGER_APPLIES: "it no longer applies to this patient",
    Reason.GOAL_REACHED: "what it asks for is done",
    Reason.SUPERSEDED: "a newer change made it void",
    Reason.PAST_DEADLINE: "its deadline passed; it is never sent late",
    Reason.REFUSED: "the provider refused it",
    Reason.UNDELIVERED: "the provider could not deliver it",
    Reason.NO_RECEIPT: "no receipt came for it",
    Reason.CANNOT_RENDER: "its template failed for this patient",
    Reason.UNPROVABLE: "nobody can say whether it was sent; staff are asked",
    Reason.IN_DOUBT: "it may have left already; the same e-mail goes out once more",
    Reason.NO_ANSWER: "the provider did not answer; it is being looked up",
    Reason.PROVIDER_BUSY: "the provider was busy; it is tried again",
    Reason.PROVIDER_HALTED: "the provider refuses everything; it is tried again",
    Reason.OUTSIDE_HOURS: "waits for allowed hours",
    Reason.RELEASED: "the worker ran out of time; it is tried again",
    Reason.ESCALATED: "stands in for a message that did not get through",
}


def explain_time(why: Mapping[str, Any]) -> str:
    """A stored `why` in words, such as "2 days before the procedure, Sun 13 Dec 2026, 10:00 …"."""
    if "answers" in why:
        return "answers the patient’s reply by itself, at once"
    if "written" in why:
        return f"written by staff; goes out as soon as allowed ({why['zone']})"
    if why["anchor"] == "procedure" and why["time"] == "at once":
        # Only the correction hangs on no step's time.
        return f"because the date was changed, as soon as allowed ({why['zone']})"
    anchor_date = date.fromisoformat(why["anchor_date"])
    day = anchor_date + timedelta(days=why["day"])
    parts = [f"{_offset(why['day'], why['anchor'])}, {day:%a} {day.day} {day:%b %Y}, {_clock(why)}"]
    parts += [_SHIFTS[shift] for shift in why["shifts"]]
    if "forward" in why:
        parts.append("brought forward by staff")
    return "; ".join(parts)


def _offset(day: int, anchor: str) -> str:
    noun = {"enrollment": "the enrollment", "completion": "the procedure"}.get(anchor, "the procedure")
    if not day:
        return f"on the day of {noun}"
    unit = "day" if abs(day) == 1 else "days"
    return f"{abs(day)} {unit} {'before' if day < 0 else 'after'} {noun}"


def _clock(why: Mapping[str, Any]) -> str:
    if why["time"] == "at once":
        return f"as soon as allowed ({why['zone']})"
    if str(why["time"]).startswith("arrival"):
        return f"at {why['time']} ({why['zone']})"
    return f"{why['time']} {why['zone']}"


def explain_reason(reason: Reason | None) -> str:
    return _REASONS[reason] if reason else ""


def explain_status(status: Status, reason: Reason | None, why: Mapping[str, Any]) -> str:
    """One line for a timeline: the reason for its state, or else for its time."""
    if reason is None or status in (Status.ACCEPTED, Status.DELIVERED):
        return explain_time(why)
    if status is Status.PLANNED:
        return f"{explain_time(why)}; {explain_reason(reason)}"
    return explain_reason(reason)


def why_as_data(why: Why) -> dict[str, Any]:
    """A `Why` as plain JSON, the form in which it is stored."""
    return {
        "anchor": why.anchor.value,
        "day": why.day,
        "time": why.time,
        "anchor_date": why.anchor_date.isoformat(),
        "zone": why.zone,
        "shifts": [shift.value for shift in why.shifts],
    }


def say_moment(moment: datetime) -> str:
    """A local moment as people say it: Tue 12 Dec 2026, 09:00."""
    return f"{moment:%a} {moment.day} {moment:%b %Y, %H:%M}"
