"""Telling time that passed from a clock that was set: leases are instants, and instants can jump."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime

from journey.services.context import Clock

_TOLERANCE = 1.0  # seconds: more than clocks drift apart between two looks


@dataclass(frozen=True, slots=True)
class Stamp:
    """One moment on both clocks; `ticks` are monotonic seconds."""

    at: datetime
    ticks: float

    @classmethod
    def of(cls, clock: Clock) -> Stamp:
        return cls(clock.now(), clock.monotonic())

    def seconds_until(self, later: Stamp) -> tuple[float, float]:
        """What passed on the wall clock, and what passed on the monotonic one."""
        return (later.at - self.at).total_seconds(), later.ticks - self.ticks


class ClockWatch:
    """Notices a wall clock that ran ahead: set forward, or a machine that was asleep.

    Then a lease of a moment ago looks long past, and a message on its way looks lost and absent.
    """

    def __init__(self, clock: Clock, settle: float) -> None:
        """`settle`: seconds that must pass after such a jump before instants count again."""
        self._clock, self._settle = clock, settle
        self._lock = threading.Lock()
        self._last = Stamp.of(clock)
        self._doubt_until = self._last.ticks

    def is_settled(self) -> bool:
        """Whether what the wall clock says has passed did pass. Ask often."""
        with self._lock:
            now = Stamp.of(self._clock)
            wall, ticks = self._last.seconds_until(now)
            if wall - ticks > _TOLERANCE:
                self._doubt_until = now.ticks + self._settle
            self._last = now
            return now.ticks >= self._doubt_until
