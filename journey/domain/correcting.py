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
    if plan.paused or not was_told_otherwise(existing, wanted):
        return [cancelled(row, Reason.SUPERSEDED) for row in rows if row.is_open]
    if last and not basis_moved(last, wanted) and _answers(last, is_new_date):
        # This very change has its correction already; what became of it is on the timeline.
        return [*cancels, Change(Action.KEEP, wanted.step, last, wanted, last.occurrence)]
    target, call = send_now(wanted, plan, now) if wanted.verdict is Verdict.SEND else (wanted, True)
    target = replace(target, why=replace(target.why, shifts=()))
    return [
        *cancels,
        Change(Action.CORRECT, wanted.step, None, target, next_occurrence(rows), target.reason, call),
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
