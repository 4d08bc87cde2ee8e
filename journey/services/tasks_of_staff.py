"""What staff do with their tasks: take one, write beside it, be done with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from journey.services.context import Context, Missing, Refusal, Stale
from journey.store import audit, staff_tasks

_MOST_NOTE = 2_000


def finish(context: Context, task_id: UUID, actor: str) -> None:
    """Somebody did it. Raises Refusal for a task that is not open."""
    now = context.clock.now()
    with context.database.write() as tx:
        if not staff_tasks.close(tx, task_id, actor, now):
            raise Missing(f"there is no open task {task_id}; `journey tasks` lists them")
        audit.append(tx, [audit.Entry(actor, "task.done", f"task/{task_id}", {})], now)


def claim(context: Context, task_id: UUID, actor: str) -> None:
    """Takes a task, so that two people do not call the same patient."""
    now = context.clock.now()
    with context.database.write() as tx:
        if not staff_tasks.claim(tx, task_id, actor, now):
            raise _taken(staff_tasks.get(tx, task_id))
        audit.append(tx, [audit.Entry(actor, "task.claimed", f"task/{task_id}", {})], now)


def release(context: Context, task_id: UUID, actor: str) -> None:
    """Gives a task back."""
    now = context.clock.now()
    with context.database.write() as tx:
        if not staff_tasks.release(tx, task_id, actor):
            raise _taken(staff_tasks.get(tx, task_id))
        audit.append(tx, [audit.Entry(actor, "task.released", f"task/{task_id}", {})], now)


def _taken(task: Mapping[str, Any] | None) -> Refusal:
    if task is None:
        return Missing("there is no such task")
    if task["done_at"] is not None:
        return Stale(f"{task['done_by']} has done this already")
    return Stale(f"{task['claimed_by'] or 'nobody'} has this task now")


def note(context: Context, task_id: UUID, text: str, actor: str) -> None:
    """Writes beside a task, also a done one. The text is sealed, since it may name the patient."""
    words = text.strip()
    if not words or len(words) > _MOST_NOTE:
        raise Refusal(f"write a note of 1 to {_MOST_NOTE:,} characters")
    now = context.clock.now()
    with context.database.write() as tx:
        if staff_tasks.get(tx, task_id) is None:
            raise Missing("there is no such task")
        staff_tasks.add_note(tx, task_id, words, actor, now)
        audit.append(tx, [audit.Entry(actor, "task.noted", f"task/{task_id}", {})], now)
