"""Virtual time: one thing happens at a time, in an order that only the seed decides.

Jobs may sleep in the middle, and others then act in between: each sleeper keeps its thread, and a new
one goes on with the next event. Exactly one thread ever runs, so a run can be repeated.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

SECOND = 1_000_000  # virtual time counts in microseconds
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86400 * SECOND

Act = Callable[[], None]


def span_of(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


class Scheduler:
    """Events in the order of their time. `after_step` runs after each one."""

    def __init__(self) -> None:
        self.now = 0
        self.steps = 0
        self.after_step: Act = lambda: None
        self._events: list[tuple[int, int, Act | threading.Lock]] = []
        self._numbers = itertools.count()
        self._sleeping = 0
        self._until = 0
        self._finished = threading.Event()
        self._failure: BaseException | None = None

    def at(self, when: int, act: Act) -> None:
        heapq.heappush(self._events, (max(when, self.now), next(self._numbers), act))

    def after(self, span: int, act: Act) -> None:
        self.at(self.now + span, act)

    def sleep(self, span: int) -> None:
        """Lets the time pass for the calling job; whatever is due before that happens meanwhile."""
        wake = self.now + max(0, span)
        if not self._events or self._events[0][0] > wake:
            self.now = wake  # nothing can come between: no need to change threads
            return
        lock = threading.Lock()
        lock.acquire()
        self._sleeping += 1
        heapq.heappush(self._events, (wake, next(self._numbers), lock))
        self._start_leader()
        lock.acquire()

    def run(self, until: int) -> None:
        """Goes on until the time is over and nobody is in the middle of a job."""
        self._until = until
        self._start_leader()
        self._finished.wait()
        if self._failure is not None:
            raise self._failure

    def _start_leader(self) -> None:
        threading.Thread(target=self._lead, daemon=True).start()

    def _lead(self) -> None:
        try:
            while self._events and (self._sleeping or self._events[0][0] <= self._until):
                when, _, act = heapq.heappop(self._events)
                self.now = max(self.now, when)
                if not callable(act):
                    self._sleeping -= 1
                    act.release()
                    return
                act()
                self.steps += 1
                self.after_step()
            self.now = max(self.now, self._until)
        except BaseException as error:  # handed to the thread that called `run`
            self._failure = error
        self._finished.set()


class VirtualClock:
    """A wall clock that can be set, and a monotonic one that cannot."""

    _RECENT = 90 * SECOND

    def __init__(self, scheduler: Scheduler, start: datetime) -> None:
        self._scheduler = scheduler
        self._start = start
        self.offset = 0
        self._before: list[tuple[int, int]] = []  # when it was set, and how far off it was until then

    def now(self) -> datetime:
        return self.true_time() + timedelta(microseconds=self.offset)

    def true_time(self) -> datetime:
        return self._start + timedelta(microseconds=self._scheduler.now)

    def monotonic(self) -> float:
        return self._scheduler.now / SECOND

    def step(self, offset: int) -> None:
        self._before.append((self._scheduler.now, self.offset))
        self.offset = offset

    def instant_of(self, wall: datetime) -> int:
        """The virtual time at which this clock will show a wall time, if nobody sets it."""
        return span_of(wall - self._start) - self.offset

    def recent(self) -> list[datetime]:
        """What the clock shows, and what it would show had it not been set just now."""
        since = self._scheduler.now - self._RECENT
        offsets = {self.offset} | {offset for when, offset in self._before if when >= since}
        return sorted(self.true_time() + timedelta(microseconds=offset) for offset in offsets)
