"""The few figures that tell whether messages flow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from journey.services.context import Context
from journey.store import messages, staff_tasks


@dataclass(frozen=True, slots=True)
class Vitals:
    by_status: Mapping[str, int]
    oldest_due_seconds: float
    open_tasks: int


def take_vitals(context: Context) -> Vitals:
    now = context.clock.now()
    with context.database.read() as tx:
        counts = messages.counts_by_status(tx)
        due = messages.next_due(tx)
        tasks = staff_tasks.count_open(tx)
    waited = max(0.0, (now - due).total_seconds()) if due else 0.0
    return Vitals(counts, waited, tasks)
