"""The staff tasks that follow from a plan's changes: what a message cannot do, a person must."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from journey.domain.changes import Action, Change, ExistingMessage, cancelled
from journey.domain.delivery import Reason
from journey.domain.pathway import WRITTEN
from journey.domain.plan import Verdict
from journey.store.staff_tasks import NewTask, TaskKind

_HOLDS = {
    Reason.NEEDS_ARRIVAL: (
        TaskKind.SET_ARRIVAL,
        "Set the arrival time: messages about arrival and fasting wait for it.",
    ),
    Reason.NEEDS_COMPLETION: (
        TaskKind.CONFIRM_DONE,
        "Say whether the procedure went ahead: recovery messages wait for it.",
    ),
}


def tasks_for(enrollment_id: UUID, changes: Iterable[Change], now: datetime) -> list[NewTask]:
    """One task per cause. The cause holds the procedure date, so a new date can ask again."""
    tasks: dict[str, NewTask] = {}
    for change in changes:
        if change.action is Action.CANCEL and change.call:
            task = _unsaid(enrollment_id, change, now)
            tasks.setdefault(task.cause, task)
        if change.target is None or change.action is Action.KEEP:
            continue
        for task in _tasks_of(enrollment_id, change, now):
            tasks.setdefault(task.cause, task)
    return list(tasks.values())


def _tasks_of(enrollment_id: UUID, change: Change, now: datetime) -> Sequence[NewTask]:
    target = change.target
    assert target is not None
    date = target.procedure_date
    if target.verdict is Verdict.HOLD and target.reason in _HOLDS:
        kind, detail = _HOLDS[target.reason]
        return [NewTask(kind, f"{enrollment_id}/{date}", detail, target.due_at, enrollment_id)]
    if target.verdict is Verdict.SKIP and target.reason is Reason.NO_ADDRESS:
        detail = "No text or e-mail can reach this patient: get consent and a working address."
        task = NewTask(TaskKind.UNREACHABLE, str(enrollment_id), detail, target.due_at, enrollment_id)
        # Whoever was told another date must hear the new one now, whatever becomes of the address.
        return [task, _call(enrollment_id, change, now)] if change.action is Action.CORRECT else [task]
    return [_call(enrollment_id, change, now)] if change.call else []


def unsaid_tasks(enrollment_id: UUID, rows: Sequence[ExistingMessage], now: datetime) -> list[NewTask]:
    """For what staff wrote and a cancellation took back, once the cancellation is taken back itself."""
    return [
        _unsaid(enrollment_id, cancelled(row, Reason.ENROLLMENT_CANCELLED), now)
        for row in rows
        if row.is_written and row.step == WRITTEN and row.reason is Reason.ENROLLMENT_CANCELLED
    ]


def _unsaid(enrollment_id: UUID, change: Change, now: datetime) -> NewTask:
    """Words of staff that were taken back: only their writer knows whether they still hold."""
    return NewTask(
        TaskKind.CALL,
        f"{enrollment_id}/{change.step}/{change.occurrence}",
        "What staff wrote to the patient was not sent, since the enrollment changed before it left: phone, "
        "or write it again.",
        now,
        enrollment_id,
        change.existing.id if change.existing else None,
    )


def _call(enrollment_id: UUID, change: Change, now: datetime) -> NewTask:
    target = change.target
    assert target is not None
    detail = f"Call the patient about “{target.step}”: {why_call(target.reason)}."
    cause = f"{enrollment_id}/{target.step}/{change.occurrence}"
    return NewTask(TaskKind.CALL, cause, detail, max(now, target.due_at), enrollment_id)


def why_call(reason: Reason | None) -> str:
    if reason is Reason.NO_ADDRESS:
        return "no text or e-mail can reach them"
    if reason is Reason.PAST_DEADLINE:
        return "its deadline has passed"
    if reason is Reason.NO_TIME_LEFT:
        return "no allowed hour is left before its deadline"
    return "its time had passed, and it is not sent late"
