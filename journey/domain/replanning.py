"""What a new plan changes in what already stands: keep, move, cancel, add or correct, per step.

Rows are matched by step and occurrence, never by time. What has gone out stays a fact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from journey.domain.calendar import check_aware
from journey.domain.changes import Action, Change, ExistingMessage, basis_moved, cancelled, next_occurrence
from journey.domain.correcting import diff_correction
from journey.domain.delivery import Reason, Status
from journey.domain.lateness import face_the_clock, send_now
from journey.domain.pathway import ANSWERS, Anchor
from journey.domain.plan import Plan, PlannedMessage, Verdict

# The reasons after which a step may come back if the plan wants it again.
_REVERSIBLE = frozenset(
    {
        Reason.ENROLLMENT_CANCELLED,
        Reason.NO_LONGER_APPLIES,
        Reason.GOAL_REACHED,
        Reason.POSTPONED,
        Reason.PAUSED,
        Reason.NO_ADDRESS,
        Reason.OPTED_OUT,
        Reason.NO_CONSENT,
        Reason.SUPERSEDED,  # it stood then, and does not any more
    }
)


_ENDS = (Reason.ENROLLMENT_CANCELLED, Reason.WITHDRAWN)


def diff_plan(
    plan: Plan,
    existing: Sequence[ExistingMessage],
    now: datetime,
    *,
    gone: Reason = Reason.NO_LONGER_APPLIES,
    is_new_date: bool = False,
    voids_written: bool = False,
) -> list[Change]:
    """The changes that bring what stands to the plan. An unchanged plan gives only KEEP.

    `gone` is the reason recorded for open messages that the plan no longer holds. `is_new_date`: the date
    or arrival time is being changed now, which a correction that failed earlier does not answer.
    `voids_written`: what staff wrote before may be wrong after this change.
    """
    now = check_aware(now)
    written = [row for row in existing if row.is_written]
    existing = [row for row in existing if not row.is_written]
    by_step: dict[str, list[ExistingMessage]] = {}
    for row in sorted(existing, key=lambda row: row.occurrence):
        by_step.setdefault(row.step, []).append(row)
    correction_key = plan.correction.step if plan.correction else None
    changes: list[Change] = []
    for wanted in plan.messages:
        rows = by_step.pop(wanted.step, [])
        changes += _diff_step(wanted, rows, plan, now, stands=_still_stands(wanted, rows, existing))
    for step, rows in by_step.items():
        if step != correction_key:
            changes += [cancelled(row, gone) for row in rows if row.is_open]
    changes += _diff_written(written, plan, gone, voids_written)
    return changes + diff_correction(plan, existing, now, is_new_date)


def _diff_written(
    rows: Sequence[ExistingMessage], plan: Plan, gone: Reason, voids_written: bool
) -> list[Change]:
    """What staff wrote belongs to no plan: it stays, unless the enrollment ends, is paused or gets another
    date before it leaves. From then on its words may be wrong, and nobody but their writer can say: so they
    are told, unless it has ended anyway."""
    is_over = gone in _ENDS
    reason = gone if is_over else Reason.DATE_MOVED if voids_written else Reason.SUPERSEDED
    if not (plan.paused or voids_written or is_over):
        return []
    # An automatic answer quotes no date, and whoever waits for it wrote a moment ago.
    theirs = [row for row in rows if is_over or not row.step.startswith(ANSWERS)]
    return [replace(cancelled(row, reason), call=not is_over) for row in theirs if row.is_open]


def _diff_step(
    wanted: PlannedMessage, rows: list[ExistingMessage], plan: Plan, now: datetime, *, stands: bool
) -> list[Change]:
    own = [row for row in rows if not row.is_escalation]
    if not own:
        return [_add(wanted, next_occurrence(rows), plan, now)]
    latest, stray = own[-1], [row for row in rows if row.is_escalation and row.is_open]
    changes = [change for row in stray for change in _diff_stand_in(wanted, row, plan, now)]
    if latest.is_open and stands:
        changes.append(cancelled(latest, Reason.SUPERSEDED))
    elif latest.is_open and latest.sent_at and basis_moved(latest, wanted):
        # It was tried once: a late receipt for that must not count for the new date.
        changes += [cancelled(latest, Reason.DATE_MOVED), _add(wanted, next_occurrence(rows), plan, now)]
    elif latest.is_open:
        changes.append(_diff_open(wanted, latest, plan, now))
    elif not stands and (_comes_again(wanted, latest) or _lost_its_stand_in(wanted, latest, rows)):
        changes.append(_add(wanted, next_occurrence(rows), plan, now))
    else:
        changes.append(Change(Action.KEEP, wanted.step, latest, wanted, latest.occurrence))
    return changes


def _still_stands(
    wanted: PlannedMessage, rows: Sequence[ExistingMessage], existing: Sequence[ExistingMessage]
) -> bool:
    """Whether the patient has this very message already, and was told no other date since.

    So it is after a change that was taken back before anything about it went out. Advice for afterwards
    stands whatever was said since, once it went out for the day on which the procedure was.
    """
    gone = sorted((row for row in rows if row.may_have_gone_out and row.sent_at), key=_sent_at)
    if not gone or basis_moved(gone[-1], wanted):
        return False
    if wanted.why.anchor is Anchor.COMPLETION:
        return True
    since = gone[-1].sent_at
    return not any(
        row.tells_a_date and row.sent_at and since and row.sent_at > since and _basis_differs(row, wanted)
        for row in existing
    )


def _sent_at(row: ExistingMessage) -> datetime:
    return row.sent_at or row.due_at


def _diff_stand_in(wanted: PlannedMessage, row: ExistingMessage, plan: Plan, now: datetime) -> list[Change]:
    """A stand-in belongs to the date it was made for, unless its step goes out once and for all; one that
    a pause held goes on after it."""
    moved = basis_moved(row, wanted)
    if moved and wanted.repeats:
        return [cancelled(row, Reason.DATE_MOVED)]
    if not moved and (row.status is not Status.HELD or plan.paused):
        return []
    again = replace(wanted, verdict=Verdict.SEND, reason=None, channel=row.channel, send_by=row.send_by)
    target, call = send_now(again, plan, now)
    return [Change(Action.MOVE, wanted.step, row, target, row.occurrence, target.reason, call)]


def _diff_open(wanted: PlannedMessage, row: ExistingMessage, plan: Plan, now: datetime) -> Change:
    unmoved = not basis_moved(row, wanted) and (row.planned_at, row.send_by) == (
        wanted.at,
        wanted.send_by,
    )
    same = (row.status.value, row.channel) == (wanted.verdict.value, wanted.channel)
    if unmoved and same and (wanted.verdict is Verdict.SEND or row.reason == wanted.reason):
        return Change(Action.KEEP, wanted.step, row, wanted, row.occurrence)
    if unmoved and row.status is Status.PLANNED and wanted.verdict is Verdict.SEND:
        # Only the channel differs: a time set by lateness or a retry stays as it is.
        target = replace(wanted, due_at=row.due_at)
        return Change(Action.MOVE, wanted.step, row, target, row.occurrence)
    target, call = face_the_clock(wanted, plan, now)
    return Change(Action.MOVE, wanted.step, row, target, row.occurrence, target.reason, call)


def _lost_its_stand_in(
    wanted: PlannedMessage, latest: ExistingMessage, rows: Sequence[ExistingMessage]
) -> bool:
    """It failed, and what should have gone out instead was taken back by a change that is over."""
    if latest.status is not Status.FAILED or wanted.verdict is Verdict.SKIP:
        return False
    last = rows[-1]
    taken_back = last.status is Status.CANCELLED and last.reason in (*_REVERSIBLE, Reason.DATE_MOVED)
    return last.is_escalation and taken_back


def _comes_again(wanted: PlannedMessage, latest: ExistingMessage) -> bool:
    """Whether a step that is over gets another row: only a changed basis gives a reason to."""
    moved = basis_moved(latest, wanted)
    if latest.may_have_gone_out or latest.status is Status.FAILED:
        return moved and wanted.repeats
    if wanted.verdict is Verdict.SKIP:
        return False
    return moved or latest.reason in _REVERSIBLE


def _basis_differs(row: ExistingMessage, wanted: PlannedMessage) -> bool:
    """Of rows of different steps, which depend on a date, or on a time too, or on neither."""
    if wanted.procedure_date is not None and row.procedure_date != wanted.procedure_date:
        return True
    return None not in (row.arrival_time, wanted.arrival_time) and row.arrival_time != wanted.arrival_time


def _add(wanted: PlannedMessage, occurrence: int, plan: Plan, now: datetime) -> Change:
    target, call = face_the_clock(wanted, plan, now)
    return Change(Action.ADD, wanted.step, None, target, occurrence, target.reason, call)
