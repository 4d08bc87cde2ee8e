"""The worker processes: woken when something is due, killed and started again as the seed wants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from journey.domain.pathway import Channel
from journey.services.clockwatch import ClockWatch
from journey.services.context import Context
from journey.services.dispatching import NoLimit, Worker, deliver
from journey.services.library import Library
from journey.services.sending import Sender
from journey.services.sweeping import sweep
from journey.simulation.channel import SimulatedChannel
from journey.simulation.faults import Faults, Process, SimulatedCrash
from journey.simulation.looks import Looks
from journey.simulation.provider import Provider
from journey.simulation.scheduler import HOUR, SECOND, Scheduler, VirtualClock

_SIZE = 2
_PATIENCE = 30  # rounds in a row that changed nothing, before a worker looks less often


@dataclass
class _Place:
    """Where a worker process runs, or will run again."""

    name: str
    process: Process | None = None
    worker: Worker | None = None
    is_busy: bool = False


@dataclass
class Workers:
    """All of them. `context_of` gives a process its own view of the database."""

    scheduler: Scheduler
    clock: VirtualClock
    faults: Faults
    provider: Provider
    looks: Looks
    random: Random
    context_of: Callable[[Process], Context]
    on_trouble: Callable[[str, Exception], None]
    places: list[_Place] = field(default_factory=lambda: [_Place(f"worker {n}") for n in range(_SIZE)])
    is_calm: bool = False
    _armed_for: int | None = None
    _idle_rounds: int = 0

    def start(self) -> None:
        for place in self.places:
            self._start(place)

    def _start(self, place: _Place) -> None:
        process = Process(place.name, self.scheduler, self.faults)
        process.after_commit = self.arm
        context = self.context_of(process)
        factories = {
            Channel.SMS: lambda: SimulatedChannel(Channel.SMS, self.provider, process),
            Channel.EMAIL: lambda: SimulatedChannel(Channel.EMAIL, self.provider, process),
        }
        place.process, place.is_busy = process, False
        watch = ClockWatch(context.clock, context.rules.lookup_grace)
        place.worker = Worker(context, Sender(context, factories), Library(), NoLimit(), watch)
        self.arm()

    def rearm(self) -> None:
        """After the wall clock was set, the next thing is due at another instant."""
        self._armed_for = None
        self.arm()

    def arm(self) -> None:
        """Wakes a worker when the next thing is due. Called after every commit, so it asks cheaply."""
        times = [self.clock.instant_of(one) for one in self.looks.next_work() if one is not None]
        if not times:
            return
        when = max(min(times), self.scheduler.now)
        if self._armed_for is None or when < self._armed_for:
            self._armed_for = when
            # The tick comes every second: late by up to that much, and by a little on top.
            late = self.random.randint(0, 3 * SECOND // 2)
            if self._idle_rounds > _PATIENCE:
                late = HOUR
            self.scheduler.at(when + late, lambda: self._wake(when))

    def _wake(self, armed_for: int) -> None:
        if armed_for != self._armed_for:
            return  # armed for something earlier meanwhile
        self._armed_for = None
        free = [place for place in self.places if place.worker is not None and not place.is_busy]
        if not free:
            return  # whoever comes back arms anew
        self.random.shuffle(free)
        if len(free) > 1 and self.faults.strikes("two workers at once", 0.3):
            second = free[1]
            self.scheduler.after(self.random.randint(0, SECOND), lambda: self._work(second))
        self._work(free[0])

    def _work(self, place: _Place) -> None:
        worker, process = place.worker, place.process
        if worker is None or process is None or place.is_busy:
            return
        place.is_busy = True
        changed = False
        try:
            changed = self._round(worker)
        except SimulatedCrash:
            process.die()
        except Exception as error:  # a service must not raise here: the task would be lost
            self.on_trouble(place.name, error)
        place.is_busy = False
        self._idle_rounds = 0 if changed else self._idle_rounds + 1
        if not process.is_alive:
            self._bury(place)
        self.rearm()

    def _round(self, worker: Worker) -> bool:
        """What beat's tasks do: the due channels, then what must be looked after."""
        now = self.clock.now()
        *due, check = (when is not None and when <= now for when in self.looks.next_work())
        channels = [
            channel for channel, is_due in zip((Channel.SMS, Channel.EMAIL), due, strict=True) if is_due
        ]
        self.random.shuffle(channels)
        sent = sum(deliver(worker, channel) for channel in channels)
        looked = sweep(worker) if check else 0
        return bool(sent or looked)

    def _bury(self, place: _Place) -> None:
        """The dead process's connections close; another takes its place, mostly soon."""
        assert place.worker is not None
        place.worker.sender.close()
        place.worker = place.process = None
        away = self.faults.span(1, 60)
        if not self.is_calm and self.faults.random.random() < 0.1:
            away = self.faults.span(600, 6 * 3600)
        self.scheduler.after(away, lambda: self._start(place))

    def kill_busy(self) -> None:
        """Kills whoever is in the middle of something."""
        for place in self.places:
            if place.is_busy and place.process is not None:
                place.process.die()
                return

    def all_down(self) -> None:
        """A power cut: every worker is gone for hours."""
        away = self.faults.span(3600, 30 * 3600)
        for place in self.places:
            if place.worker is None or place.process is None:
                continue
            place.process.die()
            if not place.is_busy:
                place.worker.sender.close()
                place.worker = place.process = None
                self.scheduler.after(away, lambda place=place: self._start(place))  # type: ignore[misc]

    def close(self) -> None:
        for place in self.places:
            if place.worker is not None:
                place.worker.sender.close()
