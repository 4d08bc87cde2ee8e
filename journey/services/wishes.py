"""What may be wished of an enrollment: a new date, an end, a pause, a goal. `changing` grants it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from uuid import UUID

from journey.domain.delivery import Reason
from journey.domain.eligibility import EnrollmentStatus
from journey.domain.goals import CONFIRMED
from journey.services.admission import MAX_AHEAD
from journey.services.context import Refusal
from journey.store.enrollments import Enrollment
from journey.store.listings import SOONER


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants changed: a new enrollment made of the old one, or a refusal."""

    action: str
    apply: Callable[[Enrollment, datetime], Enrollment]  # of the old one and the clinic's local now
    gone: Reason = Reason.NO_LONGER_APPLIES  # recorded on messages that fall away
    goal: str | None = None  # which the pathway must have
    takes_back: int | None = None  # the revision that called off; such a wish may revive a cancelled one


def reschedule(day: date, arrival: time | None) -> Wish:
    """A new date and arrival time."""

    def apply(old: Enrollment, now: datetime) -> Enrollment:
        if old.completed_on is not None:
            raise Refusal("the procedure went ahead; a new date needs a new enrollment")
        if not now.date() <= day <= now.date() + MAX_AHEAD:
            raise Refusal(f"{day} is past or more than two years ahead; check the date")
        if day == now.date() and arrival is not None and arrival <= now.time():
            raise Refusal(f"{day} {arrival:%H:%M} is past at the clinic; check the time")
        # A yes to one date is none to another, nor to the first one if it comes back.
        confirmed = old.confirmed_for if day == old.procedure_date else None
        return replace(old, procedure_date=day, arrival_time=arrival, confirmed_for=confirmed)

    return Wish("enrollment.rescheduled", apply, Reason.DATE_MOVED)


def postpone() -> Wish:
    """No date any more, for now."""

    def apply(old: Enrollment, now: datetime) -> Enrollment:
        if old.completed_on is not None:
            raise Refusal("the procedure went ahead; it cannot be postponed any more")
        return replace(old, procedure_date=None, arrival_time=None, confirmed_for=None)

    return Wish("enrollment.postponed", apply, Reason.POSTPONED)


def cancel() -> Wish:
    def apply(old: Enrollment, now: datetime) -> Enrollment:
        return replace(old, status=EnrollmentStatus.CANCELLED, ended_at=now)

    return Wish("enrollment.cancelled", apply, Reason.ENROLLMENT_CANCELLED)


@dataclass(frozen=True, slots=True)
class Terms:
    """How an enrollment stood before it was called off, and the revision that called it off."""

    status: EnrollmentStatus
    procedure_date: date | None
    arrival_time: time | None
    confirmed_for: date | None
    revision: int


def take_back(before: Terms) -> Wish:
    """It was called off by mistake: everything is as it was, and what fell away comes back."""

    def apply(old: Enrollment, now: datetime) -> Enrollment:
        if old.status is not EnrollmentStatus.CANCELLED and old.procedure_date is not None:
            raise Refusal("the procedure has a date; there is nothing to take back")
        return replace(
            old,
            status=before.status,
            ended_at=None,
            procedure_date=before.procedure_date,
            arrival_time=before.arrival_time,
            confirmed_for=before.confirmed_for,
        )

    return Wish("enrollment.taken_back", apply, takes_back=before.revision)


def withdraw() -> Wish:
    def apply(old: Enrollment, now: datetime) -> Enrollment:
        return replace(old, status=EnrollmentStatus.WITHDRAWN, ended_at=now)

    return Wish("enrollment.withdrawn", apply, Reason.WITHDRAWN)


def complete(day: date | None = None) -> Wish:
    """The procedure went ahead."""

    def apply(old: Enrollment, now: datetime) -> Enrollment:
        done = day or old.procedure_date
        if done is None:
            raise Refusal("there is no procedure date; give the day it went ahead")
        if done > now.date():
            raise Refusal(f"{done} is still to come; say so when it went ahead, or move the date")
        if done < old.enrolled_at.astimezone(now.tzinfo).date():
            raise Refusal(f"{done} is before the patient was enrolled; check the date")
        if old.procedure_date is not None and done < old.procedure_date - SOONER:
            raise Refusal(f"{done} is long before the planned {old.procedure_date}; check the date")
        return replace(old, completed_on=done)

    return Wish("enrollment.completed", apply)


def pause() -> Wish:
    def apply(old: Enrollment, now: datetime) -> Enrollment:
        return replace(old, status=EnrollmentStatus.PAUSED)

    return Wish("enrollment.paused", apply)


def resume() -> Wish:
    def apply(old: Enrollment, now: datetime) -> Enrollment:
        return replace(old, status=EnrollmentStatus.ACTIVE)

    return Wish("enrollment.resumed", apply)


def confirm(day: date | None = None) -> Wish:
    """The patient says yes to the date, which is no yes to another one. `day`: the date that they heard."""

    def apply(old: Enrollment, now: datetime) -> Enrollment:
        if old.completed_on is not None:
            raise Refusal("the procedure went ahead; there is nothing left to confirm")
        if old.procedure_date is None:
            raise Refusal("there is no procedure date to confirm; set one first")
        if old.procedure_date < now.date():
            raise Refusal(f"{old.procedure_date} is past; say whether it went ahead")
        if day not in (None, old.procedure_date):
            raise Refusal(f"the patient said yes to {day}, and the date is {old.procedure_date} by now")
        return replace(old, confirmed_for=old.procedure_date)

    return Wish("enrollment.confirmed", apply, Reason.GOAL_REACHED)


def unconfirm() -> Wish:
    """It was somebody else who confirmed, or the patient is not sure any more."""
    return Wish("enrollment.unconfirmed", lambda old, _: replace(old, confirmed_for=None))


def reach_goal(goal: str) -> Wish:
    """Something that ends steps, such as "booked"."""
    if goal == CONFIRMED:
        return confirm()

    def apply(old: Enrollment, now: datetime) -> Enrollment:
        return replace(old, goals=tuple(sorted({*old.goals, goal})))

    return Wish("enrollment.goal_reached", apply, Reason.GOAL_REACHED, goal)


def take_version(version_id: UUID) -> Wish:
    """Another version of the same pathway: messages that have not gone out follow it from now on."""
    return Wish("enrollment.version_changed", lambda old, _: replace(old, pathway_version_id=version_id))


def replan() -> Wish:
    """The same terms, looked at anew: after a contact, consent or site has changed."""
    return Wish("enrollment.replanned", lambda old, _: old)
