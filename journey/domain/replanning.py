"""What a new plan changes in what already stands: keep, move, cancel, add or correct, per step.

Rows are matched by step and occurrence, never by time. What has gone out stays a fact.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from enum import StrEnum
from uuid import UUID

from journey.domain.calendar import Shift, check_aware
from journey.domain.delivery import GONE_OUT, IN_FLIGHT, OPEN, Reason, Status
from journey.domain.pathway import Channel, Late, Quotes
from journey.domain.planning import Plan, PlannedMessage, Verdict

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
    }
)


class Action(StrEnum):
    KEEP = "keep"
    MOVE = "move"
    CANCEL = "cancel"
    ADD = "add"
    CORRECT = "correct"


@dataclass(frozen=True, slots=True)
class ExistingMessage:
    """A stored message as far as replanning needs it. `planned_at` is the time the plan gave it."""

    id: UUID
    step: str
    occurrence: int
    status: Status
    reason: Reason | None
    planned_at: datetime
    due_at: datetime
    send_by: datetime
    channel: Channel | None
    quotes: Quotes
    procedure_date: date | None
    arrival_time: time | None
    sent_at: datetime | None = None  # when it was last claimed for sending
    is_escalation: bool = False

    @property
    def is_open(self) -> bool:
        """Whether a change may still move it or take it back."""
        return self.status in OPEN and self.reason is not Reason.IN_DOUBT

    @property
    def may_have_gone_out(self) -> bool:
        # A failed one was refused or undelivered: the patient was not told.
        return self.status in GONE_OUT or self.status in IN_FLIGHT or self.reason is Reason.IN_DOUBT

    @property
    def tells_a_date(self) -> bool:
        """Whether the patient may know a procedure date from it."""
        return self.may_have_gone_out and self.quotes is not Quotes.NOTHING


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a preview, and of what is then written.

    `target` is the message as it will stand (keep: as planned); `call` asks for a staff task.
    """

    action: Action
    step: str
    existing: ExistingMessage | None = None
    target: PlannedMessage | None = None
    occurrence: int = 0
    reason: Reason | None = None
    call: bool = False


def diff_plan(
    plan: Plan,
    existing: Sequence[ExistingMessage],
    now: datetime,
    *,
    gone: Reason = Reason.NO_LONGER_APPLIES,
    is_new_date: bool = False,
) -> list[Change]:
    """The changes that bring what stands to the plan. An unchanged plan gives only KEEP.

    `gone` is the reason recorded for open messages that the plan no longer holds. `is_new_date`: the date
    or arrival time is being changed now, which a correction that failed earlier does not answer.
    """
    now = check_aware(now)
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
            changes += [_cancel(row, gone) for row in rows if row.is_open]
    return changes + _diff_correction(plan, existing, now, is_new_date)


def _diff_step(
    wanted: PlannedMessage, rows: list[ExistingMessage], plan: Plan, now: datetime, *, stands: bool
) -> list[Change]:
    own = [row for row in rows if not row.is_escalation]
    if not own:
        return [_add(wanted, _next_occurrence(rows), plan, now)]
    latest, stray = own[-1], [row for row in rows if row.is_escalation and row.is_open]
    changes = [change for row in stray for change in _diff_stand_in(wanted, row, plan, now)]
    if latest.is_open and stands:
        changes.append(_cancel(latest, Reason.SUPERSEDED))
    elif latest.is_open:
        changes.append(_diff_open(wanted, latest, plan, now))
    elif not stands and _comes_again(wanted, latest):
        changes.append(_add(wanted, _next_occurrence(rows), plan, now))
    else:
        changes.append(Change(Action.KEEP, wanted.step, latest, wanted, latest.occurrence))
    return changes


def _still_stands(
    wanted: PlannedMessage, rows: Sequence[ExistingMessage], existing: Sequence[ExistingMessage]
) -> bool:
    """Whether the patient has this very message already, and was told no other date since.

    So it is after a change that was taken back before anything about it went out.
    """
    gone = [row for row in rows if row.may_have_gone_out and not row.is_escalation]
    if not gone or _basis_moved(gone[-1], wanted):
        return False
    since = gone[-1].sent_at
    return not any(
        row.tells_a_date and row.sent_at and since and row.sent_at > since and _basis_differs(row, wanted)
        for row in existing
    )


def _diff_stand_in(wanted: PlannedMessage, row: ExistingMessage, plan: Plan, now: datetime) -> list[Change]:
    """A stand-in belongs to the date it was made for; one that a pause held goes on after it."""
    if _basis_moved(row, wanted):
        return [_cancel(row, Reason.DATE_MOVED)]
    if row.status is not Status.HELD or plan.paused:
        return []
    again = replace(wanted, verdict=Verdict.SEND, reason=None, channel=row.channel, send_by=row.send_by)
    target, call = send_now(again, plan, now)
    return [Change(Action.MOVE, wanted.step, row, target, row.occurrence, target.reason, call)]


def _diff_open(wanted: PlannedMessage, row: ExistingMessage, plan: Plan, now: datetime) -> Change:
    unmoved = not _basis_moved(row, wanted) and (row.planned_at, row.send_by) == (
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
    target, call = _face_the_clock(wanted, plan, now)
    return Change(Action.MOVE, wanted.step, row, target, row.occurrence, target.reason, call)


def _comes_again(wanted: PlannedMessage, latest: ExistingMessage) -> bool:
    """Whether a step that is over gets another row: only a changed basis gives a reason to."""
    moved = _basis_moved(latest, wanted)
    if latest.may_have_gone_out or latest.status is Status.FAILED:
        return moved and wanted.repeats
    if wanted.verdict is Verdict.SKIP:
        return False
    return moved or latest.reason in _REVERSIBLE


def _basis_moved(row: ExistingMessage, wanted: PlannedMessage) -> bool:
    return (row.procedure_date, row.arrival_time) != (wanted.procedure_date, wanted.arrival_time)


def _basis_differs(row: ExistingMessage, wanted: PlannedMessage) -> bool:
    """Of rows of different steps, which depend on a date, or on a time too, or on neither."""
    if wanted.procedure_date is not None and row.procedure_date != wanted.procedure_date:
        return True
    return None not in (row.arrival_time, wanted.arrival_time) and row.arrival_time != wanted.arrival_time


def _add(wanted: PlannedMessage, occurrence: int, plan: Plan, now: datetime) -> Change:
    target, call = _face_the_clock(wanted, plan, now)
    return Change(Action.ADD, wanted.step, None, target, occurrence, target.reason, call)


def _face_the_clock(wanted: PlannedMessage, plan: Plan, now: datetime) -> tuple[PlannedMessage, bool]:
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


def _cancel(row: ExistingMessage, reason: Reason) -> Change:
    return Change(Action.CANCEL, row.step, row, None, row.occurrence, reason)


def _next_occurrence(rows: Iterable[ExistingMessage]) -> int:
    return max((row.occurrence for row in rows), default=-1) + 1


def _diff_correction(
    plan: Plan, existing: Sequence[ExistingMessage], now: datetime, is_new_date: bool
) -> list[Change]:
    """At most one open correction, and only while the patient was last told something else."""
    wanted = plan.correction
    if wanted is None:
        return []
    rows = sorted((row for row in existing if row.step == wanted.step), key=lambda r: r.occurrence)
    stale = [row for row in rows if row.is_open and _basis_moved(row, wanted)]
    cancels = [_cancel(row, Reason.SUPERSEDED) for row in stale]
    last = rows[-1] if rows else None
    if plan.paused or not was_told_otherwise(existing, wanted):
        return [_cancel(row, Reason.SUPERSEDED) for row in rows if row.is_open]
    if last and not _basis_moved(last, wanted) and _answers(last, is_new_date):
        # This very change has its correction already; what became of it is on the timeline.
        return [*cancels, Change(Action.KEEP, wanted.step, last, wanted, last.occurrence)]
    target, call = send_now(wanted, plan, now) if wanted.verdict is Verdict.SEND else (wanted, True)
    target = replace(target, why=replace(target.why, shifts=()))
    return [
        *cancels,
        Change(Action.CORRECT, wanted.step, None, target, _next_occurrence(rows), target.reason, call),
    ]


def _answers(correction: ExistingMessage, is_new_date: bool) -> bool:
    if is_new_date:
        return correction.is_open or correction.may_have_gone_out
    return correction.status is not Status.CANCELLED


def was_told_otherwise(existing: Sequence[ExistingMessage], wanted: PlannedMessage) -> bool:
    """Whether the last message that named a date (or arrival time) named another one.

    Only the latest counts: a patient moved away and back, and told neither, needs no correction.
    """
    told = sorted(
        (row for row in existing if row.may_have_gone_out and row.sent_at),
        key=lambda row: row.sent_at or row.due_at,
    )
    dates = [row for row in told if row.quotes is not Quotes.NOTHING]
    if dates and dates[-1].procedure_date != wanted.procedure_date:
        return True
    arrivals = [row for row in told if row.quotes is Quotes.ARRIVAL]
    if not arrivals or arrivals[-1].arrival_time is None or wanted.arrival_time is None:
        return False
    return arrivals[-1].arrival_time != wanted.arrival_time
