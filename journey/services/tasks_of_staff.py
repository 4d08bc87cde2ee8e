"""What staff do with their tasks."""

from __future__ import annotations

from uuid import UUID

from journey.services.context import Context, Refusal
from journey.store import audit, staff_tasks


def finish(context: Context, task_id: UUID, actor: str) -> None:
    """Somebody did it. Raises Refusal for a task that is not open."""
    now = context.clock.now()
    with context.database.write() as tx:
        if not staff_tasks.close(tx, task_id, actor, now):
            raise Refusal(f"there is no open task {task_id}; `journey tasks` lists them")
        audit.append(tx, [audit.Entry(actor, "task.done", f"task/{task_id}", {})], now)
