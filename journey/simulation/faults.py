"""What goes wrong and how often, drawn from the seed; and processes that can die at any transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

from journey.services.context import SendingRules
from journey.simulation.scheduler import SECOND, Scheduler
from journey.store.database import Database, Tx


class SimulatedCrash(BaseException):
    """The process is gone. No BaseException handler of the engine's may bring it back."""


class Faults:
    """Draws faults and counts them. Switched off, it draws nothing."""

    def __init__(self, seed: int, *, on: bool) -> None:
        self.random = Random(f"faults/{seed}")
        self.on = on
        self.counts: Counter[str] = Counter()

    def strikes(self, name: str, chance: float) -> bool:
        if not self.on or self.random.random() >= chance:
            return False
        self.counts[name] += 1
        return True

    def span(self, shortest: float, longest: float) -> int:
        """A stretch of time between two numbers of seconds."""
        return int(self.random.uniform(shortest, longest) * SECOND)


_CRASH = 0.002  # at each of the three points of a transaction: some fifty crashes in a patient-rich year
_STALL = 0.002


class Process:
    """Something that runs services, until it dies."""

    def __init__(self, name: str, scheduler: Scheduler, faults: Faults) -> None:
        self.name = name
        self.scheduler = scheduler
        self.faults = faults
        self.is_alive = True
        self.after_commit: Callable[[], None] = lambda: None

    def die(self) -> None:
        self.is_alive = False

    def may_crash(self, where: str, chance: float = _CRASH) -> None:
        if self.is_alive and self.faults.strikes(f"crash {where}", chance):
            self.die()
        if not self.is_alive:
            raise SimulatedCrash(f"{self.name} died {where}")

    def breathe(self) -> None:
        """Time passes between two transactions: a little always, and sometimes the process hangs."""
        span = self.faults.span(0.001, 0.05)
        if self.faults.strikes("process stalled", _STALL):
            span = self.faults.span(2, 120)
        self.scheduler.sleep(span)


class ProcessDatabase(Database):
    """The shared database as one process sees it: each transaction is a place to die and to be late."""

    def __init__(self, shared: Database, process: Process) -> None:
        self.url, self.sealer, self.engine = shared.url, shared.sealer, shared.engine
        self._process = process

    @contextmanager
    def write(self) -> Iterator[Tx]:
        process = self._process
        process.breathe()
        process.may_crash("before a transaction")
        with super().write() as tx:
            yield tx
            process.may_crash("before a commit")
        process.after_commit()
        process.may_crash("after a commit")


RULES = SendingRules()
