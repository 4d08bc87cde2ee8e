"""Changes to an enrollment: each is previewed and applied by the same code, guarded by its revision.

A change waits until no message of the enrollment is on its way to the provider. Then whatever was
accepted was accepted before the change, and nothing goes out on the old terms after it.
"""

from __future__ import annotations

import time as real_time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from journey.domain.calendar import read_zone
from journey.domain.changes import Action, Change
from journey.domain.delivery import Event, Reason, Status
from journey.domain.eligibility import EnrollmentStatus
from journey.domain.pathway import Channel
from journey.domain.plan import Plan
from journey.domain.planning import plan_messages
from journey.domain.replanning import diff_plan
from journey.services.context import Context, Missing, Refusal, Stale
from journey.services.followups import tasks_for, unsaid_tasks
from journey.services.library import Library, policies_for, window_for
from journey.services.reaching import address_tokens, reachable_channels
from journey.services.taking_back import as_detail
from journey.services.wishes import Wish, replan
from journey.store import audit, enrollments, messages, patients, sites, staff_tasks, suppressions, webhooks
from journey.store.database import Conflict, Tx
from journey.store.enrollments import LIVE, Enrollment
from journey.store.messages import Message, Move
from journey.store.patients import Patient
from journey.store.staff_tasks import NewTask, TaskKind

_CALLED_OFF = (Reason.ENROLLMENT_CANCELLED, Reason.POSTPONED)
CHANGED = "somebody else changed this enrollment; look at it again, then decide"
_POLL = 0.05  # seconds between looks at a message that is on its way


@dataclass(frozen=True, slots=True)
class Outcome:
    """The enrollment after the change, and each message's part in it. `zone` is the patient's."""

    enrollment: Enrollment
    changes: Sequence[Change]
    zone: str


def preview_change(
    context: Context, enrollment_id: UUID, wish: Wish, *, revision: int | None = None
) -> Outcome:
    """What a change would do, without doing it: refused wherever `change` would refuse it."""
    with context.database.rehearse() as tx:
        outcome = outcome_in(tx, enrollment_id, wish, context.clock.now())
        if revision is not None and revision != outcome.enrollment.revision:
            raise Stale(CHANGED)
        _save(tx, outcome.enrollment)
    return outcome


def outcome_in(tx: Tx, enrollment_id: UUID, wish: Wish, now: datetime) -> Outcome:
    """The same for an open transaction, which may hold changes of its own."""
    old = _load(tx, enrollment_id, lock=False)
    new = _grant(tx, old, wish, now)
    existing = messages.of_enrollment(tx, enrollment_id)
    changes = _changes(tx, old, new, existing, wish, now)
    return Outcome(new, changes, _zone_of(tx, new))


def change(
    context: Context, enrollment_id: UUID, wish: Wish, actor: str, *, revision: int | None = None
) -> Outcome:
    """Applies a change in one transaction. Raises Stale if `revision` is no longer the newest."""
    give_up = real_time.monotonic() + context.rules.drain.total_seconds()
    while True:
        patient_enough = real_time.monotonic() < give_up
        try:
            with context.database.write() as tx:
                old = _load(tx, enrollment_id, lock=True)
                if revision is not None and revision != old.revision:
                    raise Stale(CHANGED)
                existing = messages.of_enrollment(tx, enrollment_id, lock=True)
                if not (patient_enough and _is_on_its_way(existing)):
                    return _apply(tx, old, existing, wish, actor, context.clock.now())
        except Conflict:  # a stand-in was planned at the same moment: look at all of it again
            if not patient_enough:
                raise Stale("messages of this enrollment keep changing; try again") from None
        real_time.sleep(_POLL)


def replan_live(context: Context, enrollment_id: UUID, actor: str) -> None:
    """Looks at an enrollment anew once nothing of it is on its way; one that ended meanwhile is left."""
    try:
        change(context, enrollment_id, replan(), actor)
    except Refusal:
        with context.database.read() as tx:
            if _load(tx, enrollment_id, lock=False).status in LIVE:
                raise


def _is_on_its_way(existing: Sequence[Message]) -> bool:
    return any(message.status is Status.SENDING for message in existing)


def _load(tx: Tx, enrollment_id: UUID, *, lock: bool) -> Enrollment:
    found = enrollments.get(tx, enrollment_id, lock=lock)
    if found is None:
        raise Missing(f"there is no enrollment {enrollment_id}")
    return found


def _grant(tx: Tx, old: Enrollment, wish: Wish, now: datetime) -> Enrollment:
    if old.status not in LIVE and not (wish.takes_back and old.status is EnrollmentStatus.CANCELLED):
        raise Refusal(f"this enrollment is {old.status}; enroll the patient again instead")
    if wish.goal is not None:
        goals = Library().version(tx, old.pathway_version_id).pathway.goals
        if wish.goal not in goals:
            raise Refusal(f"{old.pathway} has no goal {wish.goal}; it has: {', '.join(goals) or 'none'}")
    if wish.takes_back is not None:
        _refuse_second(tx, old, now.date())
    site_zone = read_zone(sites.get(tx, old.site_id).site.zone)
    return wish.apply(old, now.astimezone(site_zone))


def _refuse_second(tx: Tx, old: Enrollment, today: date) -> None:
    """Whoever had the same procedure before may have it again; two that are to come are one too many."""
    live = enrollments.live_of_patients(tx, [old.patient_id])
    ahead = [one for one in live if one.completed_on is None and (one.procedure_date or today) >= today]
    if any(one.pathway == old.pathway and one.id != old.id for one in ahead):
        raise Refusal("this patient is already enrolled again; cancel that first, or leave this one as it is")


def _apply(
    tx: Tx, old: Enrollment, existing: list[Message], wish: Wish, actor: str, now: datetime
) -> Outcome:
    new = _grant(tx, old, wish, now)
    changes = _changes(tx, old, new, existing, wish, now)
    _save(tx, new)
    _write(tx, new, existing, changes, now)
    if wish.gone in _CALLED_OFF and any(row.existing.tells_a_date for row in existing):
        staff_tasks.open_all(tx, [_tell_by_phone(new, now)], now)
    if wish.takes_back is not None:
        staff_tasks.close_cause(tx, TaskKind.CALL, _called_off(new.id, wish.takes_back), actor, now)
        staff_tasks.open_all(tx, unsaid_tasks(new.id, [row.existing for row in existing], now), now)
    if new.arrival_time is not None:
        staff_tasks.close_kind(tx, new.id, [TaskKind.SET_ARRIVAL], actor, now)
    if new.completed_on is not None or new.status not in LIVE:
        staff_tasks.close_kind(tx, new.id, [TaskKind.CONFIRM_DONE], actor, now)
    webhooks.emit(tx, [event_of(wish.action, replace(new, revision=new.revision + 1), now)])
    detail: dict[str, object] = {
        "revision": new.revision + 1,
        "procedure_date": new.procedure_date,
        "status": new.status.value,
        "changes": {action.value: sum(c.action is action for c in changes) for action in Action},
    }
    if wish.gone in _CALLED_OFF:
        detail["before"] = as_detail(old)
    audit.append(tx, [audit.Entry(actor, wish.action, f"enrollment/{new.id}", detail)], now)
    return Outcome(replace(new, revision=new.revision + 1), changes, _zone_of(tx, new))


def _save(tx: Tx, new: Enrollment) -> None:
    try:
        if not enrollments.save(tx, new):
            raise Stale(CHANGED)
    except Conflict:
        raise Refusal(f"this patient is already enrolled in {new.pathway} for {new.procedure_date}") from None


def event_of(action: str, enrollment: Enrollment, now: datetime) -> webhooks.NewEvent:
    """What other systems are told of an enrollment: how it stands, and no name."""
    data = {
        "enrollment": str(enrollment.id),
        "pathway": enrollment.pathway,
        "status": enrollment.status.value,
        "procedure_date": str(enrollment.procedure_date) if enrollment.procedure_date else None,
        "arrival_time": f"{enrollment.arrival_time:%H:%M}" if enrollment.arrival_time else None,
        "completed_on": str(enrollment.completed_on) if enrollment.completed_on else None,
        "confirmed": enrollment.is_confirmed,
        "revision": enrollment.revision,
    }
    return webhooks.NewEvent(action, now, data, enrollment_id=enrollment.id)


def _zone_of(tx: Tx, enrollment: Enrollment) -> str:
    patient = patients.get(tx, enrollment.patient_id)
    own = patient.contact.time_zone if patient else None
    return own or sites.get(tx, enrollment.site_id).site.zone


def _called_off(enrollment_id: UUID, revision: int) -> str:
    """What its task is opened for; `revision`: the one that was called off."""
    return f"{enrollment_id}/called-off/{revision}"


def _tell_by_phone(enrollment: Enrollment, now: datetime) -> NewTask:
    """Nothing goes out after a cancellation, not even that; whoever was told a date must hear it."""
    return NewTask(
        TaskKind.CALL,
        _called_off(enrollment.id, enrollment.revision + 1),
        "Call the patient: messages that named the date had gone out before it was called off.",
        now,
        enrollment.id,
    )


def _changes(
    tx: Tx, old: Enrollment, new: Enrollment, existing: Sequence[Message], wish: Wish, now: datetime
) -> list[Change]:
    known = [message.existing for message in existing]
    moved = (old.procedure_date, old.arrival_time) != (new.procedure_date, new.arrival_time)
    # A time that is set for the first time makes nothing wrong that was said before.
    new_time = old.arrival_time not in (None, new.arrival_time)
    new_day = (old.procedure_date, old.completed_on) != (new.procedure_date, new.completed_on)
    plan = plan_of(tx, new, Library())
    return diff_plan(plan, known, now, gone=wish.gone, is_new_date=moved, voids_written=new_day or new_time)


def plan_of(tx: Tx, enrollment: Enrollment, library: Library) -> Plan:
    """The plan of an enrollment as it stands; empty once it has ended."""
    patient = patients.get(tx, enrollment.patient_id)
    assert patient is not None
    site = library.site(tx, enrollment.site_id)
    year = (enrollment.procedure_date or enrollment.enrolled_at.date()).year
    if enrollment.status not in LIVE:
        zone = patient.contact.time_zone or site.zone
        return Plan((), None, window_for(site, zone, year))
    policies = policies_for(
        site,
        patient.contact,
        reachable_of(tx, patient),
        year,
        goals=enrollment.goals_reached,
        paused=enrollment.status is EnrollmentStatus.PAUSED,
    )
    pathway = library.version(tx, enrollment.pathway_version_id).pathway
    return plan_messages(pathway, enrollment.anchors, enrollment.facts, policies)


def reachable_of(tx: Tx, patient: Patient) -> tuple[Channel, ...]:
    tokens = address_tokens(tx, patient.person)
    every = [token for found in tokens.values() for token in found]
    return reachable_channels(tokens, suppressions.active(tx, every), patient.contact)


def _write(
    tx: Tx, new: Enrollment, existing: Sequence[Message], changes: Sequence[Change], now: datetime
) -> None:
    rows = {message.id: message for message in existing}
    moves = [
        move
        for change in changes
        if change.existing is not None
        if (move := _as_move(rows[change.existing.id], change, now)) is not None
    ]
    won = messages.move(tx, moves)
    # The rows are locked, so nothing can have come between; SQLite has one writer.
    assert len(won) == len(moves)
    added = [
        (change.target, change.occurrence)
        for change in changes
        if change.existing is None and change.target is not None
    ]
    messages.insert_planned(tx, new.id, added)
    staff_tasks.open_all(tx, tasks_for(new.id, changes, now), now)


def _as_move(row: Message, change: Change, now: datetime) -> Move | None:
    if change.action is Action.CANCEL:
        assert change.reason is not None
        return Move.of(row, Event.CANCEL, now, reason=change.reason.value)
    if change.action is not Action.MOVE or change.target is None:
        return None
    events = {
        (Status.PLANNED, "planned"): Event.MOVE,
        (Status.PLANNED, "held"): Event.HOLD,
        (Status.PLANNED, "skipped"): Event.SKIP,
        (Status.HELD, "planned"): Event.RELEASE,
        (Status.HELD, "held"): Event.MOVE,
        (Status.HELD, "skipped"): Event.SKIP,
    }
    event = events[row.status, change.target.verdict.value]
    return Move.of(row, event, now, **messages.plan_values(change.target))
