"""What the engine takes from the machine by itself, taken from the simulation for the time of a run.

Three things reach no port: the pause while a change waits, the seconds of a worker's round, and the
random part of ids. They are put back at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random

from journey.services import changing, dispatching
from journey.simulation.scheduler import Scheduler
from journey.store import ids


@dataclass(frozen=True, slots=True)
class _Time:
    """Stands in for the module `time`."""

    monotonic: Callable[[], float]
    sleep: Callable[[float], None]
    time_ns: Callable[[], int]


@dataclass(frozen=True, slots=True)
class _Os:
    """Stands in for the module `os`."""

    urandom: Callable[[int], bytes]


@contextmanager
def simulated_machine(scheduler: Scheduler, seed: int) -> Iterator[None]:
    """One run at a time in a process: these are module globals."""
    random = Random(f"machine/{seed}")

    def sleep(seconds: float) -> None:
        # A machine may be late: mostly a little, at times by seconds.
        scheduler.sleep(int(max(seconds, random.uniform(0, 3)) * 1_000_000))

    machine = _Time(lambda: scheduler.now / 1_000_000, sleep, lambda: scheduler.now * 1000)
    stand_ins = [
        (changing, "real_time", machine),
        (dispatching, "real_time", machine),
        (ids, "time", machine),
        (ids, "os", _Os(random.randbytes)),
    ]
    before = [getattr(module, name) for module, name, _ in stand_ins]
    try:
        for module, name, stand_in in stand_ins:
            setattr(module, name, stand_in)
        yield
    finally:
        for (module, name, _), value in zip(stand_ins, before, strict=True):
            setattr(module, name, value)
