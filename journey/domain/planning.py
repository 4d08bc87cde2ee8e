"""Which messages a patient gets, when, and why then. Depends on no clock: the same answer on every day.

What has already passed when the plan is applied is decided in `replanning`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from journey.domain.calendar import Shift, is_skipped, to_instant
from journey.domain.conditions import Facts
from journey.domain.delivery import Reason
from journey.domain.pathway import Anchor, Channel, Completion, Late, Pathway, Quotes, Step
from journey.domain.plan import Anchors, Plan, PlannedMessage, Policies, Verdict, Why

RECOVERY_DEFAULT = timedelta(hours=24)
# A preparation pushed before the procedure lands at least this long before it.
HEAD_START = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of a procedure: no preparation at or after `begins`; no recovery before `ends`. Both UTC."""

    begins: datetime | None
    ends: datetime | None


def plan_messages(pathway: Pathway, anchors: Anchors, facts: Facts, policies: Policies) -> Plan:
    """Every message of the pathway for one patient, with its time and the reason for that time.

    Raises ValueError for a fact the pathway does not declare.
    """
    bounds = procedure_bounds(pathway, anchors, policies)
    messages = [
        message
        for step in pathway.steps
        if step.applies(facts) and (step.until is None or step.until not in policies.goals)
        if (message := _plan_step(step, pathway, anchors, policies, bounds)) is not None
    ]
    messages.sort(key=lambda message: (message.at, message.step))
    correction = _plan_correction(pathway, anchors, policies, bounds)
    return Plan(tuple(messages), correction, policies.window, policies.paused)


def procedure_bounds(pathway: Pathway, anchors: Anchors, policies: Policies) -> Bounds:
    """When the procedure begins and is over, on the clinic's clocks.

    With no arrival time set the whole procedure day counts as begun: the safe side for a reminder. If it
    went ahead on another day than planned, recovery counts from that one, and no reminder comes after it.
    """
    day, done = anchors.procedure_date, anchors.completed_on
    if done is not None and done != day:
        first = min(done, day or done)
        return Bounds(
            to_instant(first, time(0), policies.site_zone),
            to_instant(done, pathway.done_by, policies.site_zone),
        )
    if day is None:
        return Bounds(None, None)
    if anchors.arrival_time is None:
        return Bounds(
            to_instant(day, time(0), policies.site_zone),
            to_instant(day, pathway.done_by, policies.site_zone),
        )
    arrival = to_instant(day, anchors.arrival_time, policies.site_zone)
    return Bounds(arrival, arrival + pathway.stay)


def _plan_step(
    step: Step, pathway: Pathway, anchors: Anchors, policies: Policies, bounds: Bounds
) -> PlannedMessage | None:
    base = _base_date(step, anchors, policies)
    if base is None or (anchors.procedure_date is None and step.quotes is not Quotes.NOTHING):
        return None  # its words name a date that there is none of
    at, shifts = _place(step, base, anchors, policies, bounds)
    send_by = _deadline(step, base, at, policies, bounds)
    channel = choose_channel(step.channels, policies.reachable, policies.prefers)
    too_late = at >= send_by or not policies.window.allows(at, any_day=True)
    verdict, reason = _judge(step, pathway, anchors, policies, channel, too_late)
    dated = step.anchor is not Anchor.ENROLLMENT or step.quotes is not Quotes.NOTHING
    timed = step.needs_arrival or step.quotes is Quotes.ARRIVAL
    zone = policies.window.zone if step.time.from_arrival is None else policies.site_zone
    return PlannedMessage(
        step=step.key,
        phase=step.phase.value,
        channel=channel,
        at=at,
        due_at=at,
        send_by=max(at, send_by),
        verdict=verdict,
        reason=reason,
        why=Why(step.anchor, step.day, step.time_text, base, zone.key, shifts),
        late=step.late,
        critical=step.critical,
        repeats=step.on_reschedule == "repeat" and step.anchor is not Anchor.ENROLLMENT,
        quotes=step.quotes,
        # Advice for afterwards belongs to the day it happened, whatever was planned before or since.
        procedure_date=(base if step.is_recovery else anchors.procedure_date) if dated else None,
        arrival_time=anchors.arrival_time if timed else None,
    )


def _base_date(step: Step, anchors: Anchors, policies: Policies) -> date | None:
    if step.anchor is Anchor.ENROLLMENT:
        return anchors.enrolled_at.astimezone(policies.window.zone).date()
    if step.anchor is Anchor.COMPLETION:
        return anchors.completed_on or anchors.procedure_date
    return anchors.procedure_date


def _place(
    step: Step, base: date, anchors: Anchors, policies: Policies, bounds: Bounds
) -> tuple[datetime, tuple[Shift, ...]]:
    """The instant for a step: its plain time, moved by DST, hours, days and the procedure itself."""
    at, shifts = _plain_time(step, base, anchors, policies, bounds)
    any_day = step.any_day
    later = step.is_recovery or step.anchor is Anchor.ENROLLMENT
    if step.is_recovery and bounds.ends and at < bounds.ends:
        at, shifts = bounds.ends, (*shifts, Shift.AFTER_PROCEDURE)
    at, moved = policies.window.settle(at, later=later, any_day=any_day)
    shifts += moved
    if not step.is_recovery and bounds.begins and at >= bounds.begins:
        earlier = bounds.begins - HEAD_START
        at, moved = policies.window.settle(earlier, later=False, any_day=any_day)
        shifts = (*shifts, Shift.BEFORE_PROCEDURE, *moved)
        if step.anchor is Anchor.ENROLLMENT:
            # There is no earlier than enrolling; a time that this leaves in the night is judged too late.
            at = max(at, anchors.enrolled_at.astimezone(UTC))
    return at, shifts


def _plain_time(
    step: Step, base: date, anchors: Anchors, policies: Policies, bounds: Bounds
) -> tuple[datetime, tuple[Shift, ...]]:
    day = base + timedelta(days=step.day)
    zone = policies.window.zone
    if step.time.from_arrival is not None:
        if anchors.arrival_time is None or bounds.begins is None:
            return to_instant(day, policies.window.opens, policies.site_zone), ()
        return bounds.begins + step.time.from_arrival, ()
    if step.time.wall is None:
        at = anchors.enrolled_at.astimezone(UTC)
        return at if step.day == 0 else to_instant(day, policies.window.opens, zone), ()
    shifts = (Shift.DST,) if is_skipped(day, step.time.wall, zone) else ()
    return to_instant(day, step.time.wall, zone), shifts


def _deadline(step: Step, base: date, at: datetime, policies: Policies, bounds: Bounds) -> datetime:
    """The last instant to send. A preparation's is never later than the procedure."""
    zone = policies.window.zone
    if step.send_by is not None:
        day = base + timedelta(days=step.send_by.day)
        send_by = to_instant(day, step.send_by.time, zone)
    elif step.is_recovery or bounds.begins is None:
        send_by = at + RECOVERY_DEFAULT
    else:
        send_by = bounds.begins
    if step.is_recovery or bounds.begins is None:
        return send_by
    return min(send_by, bounds.begins)


def choose_channel(
    wanted: tuple[Channel, ...], reachable: tuple[Channel, ...], prefers: Channel | None
) -> Channel | None:
    """The patient's preference where the step allows it, else the step's own order."""
    if prefers in wanted and prefers in reachable:
        return prefers
    return next((channel for channel in wanted if channel in reachable), None)


def _judge(
    step: Step,
    pathway: Pathway,
    anchors: Anchors,
    policies: Policies,
    channel: Channel | None,
    is_too_late: bool,
) -> tuple[Verdict, Reason | None]:
    if channel is None:
        return Verdict.SKIP, Reason.NO_ADDRESS
    if is_too_late:
        return Verdict.SKIP, Reason.NO_TIME_LEFT
    if policies.paused:
        return Verdict.HOLD, Reason.PAUSED
    if step.needs_arrival and anchors.arrival_time is None:
        return Verdict.HOLD, Reason.NEEDS_ARRIVAL
    unconfirmed = pathway.completion is Completion.CONFIRMED and anchors.completed_on is None
    if step.is_recovery and unconfirmed:
        return Verdict.HOLD, Reason.NEEDS_COMPLETION
    return Verdict.SEND, None


def _plan_correction(
    pathway: Pathway, anchors: Anchors, policies: Policies, bounds: Bounds
) -> PlannedMessage | None:
    """The "your date has changed" message; `at` is the enrollment and replanning makes it now."""
    if anchors.procedure_date is None or bounds.begins is None or anchors.completed_on is not None:
        return None  # there is no date to come to
    at = anchors.enrolled_at.astimezone(UTC)
    wanted = pathway.correction.channels
    channel = choose_channel(wanted, policies.reachable, policies.prefers)
    base = anchors.procedure_date
    return PlannedMessage(
        step=pathway.correction.key,
        phase="before",
        channel=channel,
        at=at,
        due_at=at,
        send_by=max(at, bounds.begins),
        verdict=Verdict.SEND if channel else Verdict.SKIP,
        reason=None if channel else Reason.NO_ADDRESS,
        why=Why(Anchor.PROCEDURE, 0, "at once", base, policies.window.zone.key),
        late=Late.CALL,
        critical=True,
        repeats=False,
        quotes=Quotes.ARRIVAL,
        procedure_date=base,
        arrival_time=anchors.arrival_time,
    )
