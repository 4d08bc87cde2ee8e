"""The demonstration's clock: it stands still until moved, and only ever moves forward."""

from __future__ import annotations

import threading
from datetime import datetime

from journey.domain.calendar import check_aware


class DemoClock:
    """Shared by the web pages, the beat and every worker thread.

    `monotonic` follows it: in this world the time that is skipped has passed.
    """

    def __init__(self, start: datetime) -> None:
        self._start = self._now = check_aware(start)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        with self._lock:
            return self._now

    def monotonic(self) -> float:
        return (self.now() - self._start).total_seconds()

    def move_to(self, moment: datetime) -> None:
        """Moves forward; an earlier moment is ignored."""
        with self._lock:
            self._now = max(self._now, check_aware(moment))
