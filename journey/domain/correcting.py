"""The one message that says "your date has changed": when it is due, and when a change has it already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from journey.domain.changes import Action, Change, ExistingMessage, basis_moved, cancelled, next_occurrence
from journey.domain.delivery import Reason, Status
from journey.domain.lateness import send_now
from journey.domain.pathway import Quotes
from journey.domain.plan import Plan, PlannedMessage, Verdict

_UNREACHED = frozenset({Reason.NO_ADDRESS, Reason.OPTED_OUT, Reason.NO_CONSENT})


def diff_correction(
    plan: Plan, existing: Sequence[ExistingMessage], now: datetime, is_new_date: bool
) -> list[Change]:
    """At most one open correction, and only while the patient was last told something else."""
    wanted = plan.correction
    if wanted is None:
        return []
    rows = sorted((row for row in existing if row.step == wanted.step), key=lambda r: r.occurrence)
    stale = [row for row in rows if row.is_open and basis_moved(row, wanted)]
    cancels = [cancelled(row, Reason.SUPERSEDED) for row in stale]
    last = rows[-1] if rows else None
    if not was_told_otherwise(existing, wanted):
        return [cancelled(row, Reason.SUPERSEDED) for row in rows if row.is_open]
    if plan.paused:
        return cancels + _while_paused(wanted, rows, is_new_date)
    if last and not basis_moved(last, wanted) and last.status is Status.HELD:
        target, call = _now(wanted, plan, now)
        return [
            *cancels,
            Change(Action.MOVE, wanted.step, last, target, last.occurrence, target.reason, call),
        ]
    if last and not basis_moved(last, wanted) and _answers(last, wanted, is_new_date):
        # This very change has its correction already; what became of it is on the timeline.
        return [*cancels, Change(Action.KEEP, wanted.step, last, wanted, last.occurrence)]
    target, call = _now(wanted, plan, now)
    return [
        *cancels,
        Change(Action.CORRECT, wanted.step, None, target, next_occurrence(rows), target.reason, call),
    ]


def _now(wanted: PlannedMessage, plan: Plan, now: datetime) -> tuple[PlannedMessage, bool]:
    target, call = send_now(wanted, plan, now) if wanted.verdict is Verdict.SEND else (wanted, True)
    return replace(target, why=replace(target.why, shifts=())), call


def _while_paused(wanted: PlannedMessage, rows: Sequence[ExistingMessage], is_new_date: bool) -> list[Change]:
    """Nothing leaves. Resuming makes the correction, unless an older one for this date seems to answer:
    then what the change needs is kept waiting."""
    last = rows[-1] if rows else None
    if last is None or basis_moved(last, wanted):
        return []
    if last.status is Status.HELD:
        return [Change(Action.KEEP, wanted.step, last, wanted, last.occurrence)]
    if last.is_open:
        return [cancelled(last, Reason.SUPERSEDED)]
    if not is_new_date or last.may_have_gone_out or last.status is Status.CANCELLED:
        return []
    target = replace(wanted, verdict=Verdict.HOLD, reason=Reason.PAUSED)
    return [Change(Action.CORRECT, wanted.step, None, target, next_occurrence(rows), Reason.PAUSED)]


def _answers(correction: ExistingMessage, wanted: PlannedMessage, is_new_date: bool) -> bool:
    """Whether the present change needs no correction beside this one, which is for the same date."""
    if is_new_date:
        return correction.is_open or correction.may_have_gone_out
    if correction.status is Status.SKIPPED and correction.reason in _UNREACHED:
        return wanted.verdict is not Verdict.SEND  # the patient can be reached again
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
