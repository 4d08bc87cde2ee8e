"""The world around the engine: it wires processes to one database, and lets people and nature act."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

from journey.domain.outcomes import Receipt
from journey.domain.pathway import Channel
from journey.services.admission import Setting
from journey.services.context import Context, Refusal
from journey.services.library import Library
from journey.services.receipts import receive
from journey.simulation.faults import RULES, Faults, Process, ProcessDatabase, SimulatedCrash
from journey.simulation.history import History
from journey.simulation.invariants import Invariants
from journey.simulation.people import Case
from journey.simulation.provider import Accept, Provider
from journey.simulation.scheduler import Scheduler, VirtualClock
from journey.simulation.workers import Workers
from journey.store.database import Database

Use = Callable[[Context], Any]


@dataclass
class World:
    """Everything of one run. What people do is in `acting`, what nature does in `weather`."""

    scheduler: Scheduler
    clock: VirtualClock
    faults: Faults
    provider: Provider
    history: History
    invariants: Invariants
    database: Database
    settings: list[Setting]
    people: Random
    actions: Counter[str] = field(default_factory=Counter)
    cases: dict[UUID, Case] = field(default_factory=dict)
    restarted: dict[tuple[Channel, str], int] = field(default_factory=dict)  # last asked when
    workers: Workers = field(init=False)
    library: Library = field(default_factory=Library)

    def context_of(self, process: Process) -> Context:
        return Context(ProcessDatabase(self.database, process), self.clock, RULES, "https://example.org")

    def use(self, name: str, case: Case | None, use: Use) -> Any:
        """One request to a web process of its own. None if it was refused, or the process died."""
        process = Process("web", self.scheduler, self.faults)
        process.after_commit = self.workers.arm
        subject = case.id if case else None
        self.actions[name] += 1
        self.history.note(f"{name} asked", subject)
        try:
            result = use(self.context_of(process))
        except SimulatedCrash as crash:
            self.history.note(f"{name}: {crash}", subject)
            return None
        except Refusal as refusal:
            self.actions[f"{name} refused"] += 1
            self.history.note(f"{name} refused: {refusal}", subject)
            return None
        except Exception as error:
            self.trouble(name, error, case)
            return None
        self.history.note(f"{name} returned", subject)
        return result

    def trouble(self, name: str, error: Exception, case: Case | None = None) -> None:
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{where.filename.rsplit('/', 1)[-1]}:{where.lineno}"
        said = str(error).split("\n")[0][:200]
        detail = f"{name}: {type(error).__name__} at {place}: {said}"
        self.history.violate("a service raised", detail, case.id if case else None)

    def on_receipt(self, entry: Accept, receipt: Receipt) -> None:
        def take(context: Context) -> None:
            receive(context, self.library, entry.message_id, entry.attempt, receipt)

        self.use("receipt", None, take)
