"""The few figures that tell whether messages flow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from journey.services.context import Context
from journey.store import installation, messages, staff_tasks


@dataclass(frozen=True, slots=True)
class Vitals:
    by_status: Mapping[str, int]
    oldest_due_seconds: float
    open_tasks: int
    unfetched_seconds: float


def take_vitals(context: Context) -> Vitals:
    now = context.clock.now()
    with context.database.read() as tx:
        counts = messages.counts_by_status(tx)
        due = messages.next_due(tx)
        tasks = staff_tasks.count_open(tx)
        fetched = installation.fetched_until(tx)
    waited = max(0.0, (now - due).total_seconds()) if due else 0.0
    return Vitals(counts, waited, tasks, max(0.0, (now - fetched).total_seconds()) if fetched else 0.0)
