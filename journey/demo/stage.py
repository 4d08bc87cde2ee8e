"""Moving the demonstration's clock: from one due moment to the next, never past a message on its way.

The clock moves, and Celery's own beat and workers do the rest. A jump over several due moments stops
at each of them: a message must not look late only because the clock was moved by hand.
"""

from __future__ import annotations

import threading
import time as real_time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from journey.demo.clock import DemoClock
from journey.domain.calendar import read_zone, to_instant
from journey.domain.delivery import Status
from journey.domain.pathway import Channel
from journey.services.context import Context, Refusal
from journey.store import enrollments, messages, sites
from journey.store.messages import Message

_POLL = 0.02  # seconds between looks at the queue
_PATIENCE = 20.0  # seconds for what is due to be dealt with; a worker needs well under one
_FRAME = 0.05  # seconds between two moves while playing
_SPEED = timedelta(days=1)  # shown time per second while playing, at most
_DWELL = 0.8  # seconds to stay at a moment at which messages went out, so that they can be read
_LOOK_UP_LATER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Outlook:
    """When something happens next, and how many messages of how many are decided."""

    next_at: datetime | None
    decided: int
    total: int


def is_busy(context: Context) -> bool:
    """Whether something is due, on its way or to be looked at: then the clock must wait."""
    now = context.clock.now()
    with context.database.read() as tx:
        if messages.counts_by_status(tx).get(Status.SENDING.value):
            return True
        due = any(messages.count_due(tx, channel, now, 1) for channel in Channel)
        return due or bool(messages.to_check(tx, now, 1))


def look_ahead(context: Context) -> Outlook:
    """What is still to come."""
    now = context.clock.now()
    with context.database.read() as tx:
        rows = [m for one in enrollments.everyone(tx) for m in messages.of_enrollment(tx, one.id)]
    upcoming = [moment for row in rows if (moment := _next_moment(row, now)) is not None]
    return Outlook(min(upcoming, default=None), len(rows) - len(upcoming), len(rows))


def _next_moment(row: Message, now: datetime) -> datetime | None:
    """When a worker deals with a message next; None once it is decided."""
    if row.status is Status.PLANNED:
        return row.due_at
    if row.status is Status.HELD:
        return row.send_by
    if row.status is Status.UNKNOWN:
        return now + _LOOK_UP_LATER
    return None


class Stage:
    """The clock's buttons. Safe to use from several threads."""

    def __init__(self, context: Context, clock: DemoClock, wake: Callable[[], object]) -> None:
        """`wake` asks the workers to look for due messages now."""
        self._context, self._clock, self._wake = context, clock, wake
        # Held for each move and each change: a change is made at one moment, not between two.
        self._moving = threading.RLock()
        self._play = threading.Event()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self.stories: Mapping[UUID, str] = {}
        self.news_after = clock.now()

    @property
    def is_playing(self) -> bool:
        return self._play.is_set()

    @contextmanager
    def still(self) -> Iterator[None]:
        """Inside the block the clock does not move."""
        with self._moving:
            yield

    def next_moment(self) -> datetime | None:
        return look_ahead(self._context).next_at

    def to_next(self) -> None:
        """To the next moment at which something happens; stays where nothing more is planned."""
        self.pause()
        with self._moving:
            upcoming = self.settle().next_at
            if upcoming is not None:
                self.news_after = self._clock.now()
                self._move(upcoming)
                self.settle()

    def ahead(self, days: int) -> None:
        """To the same time of day, days later on the clinic's clocks, through all that is due before."""
        self.pause()
        with self._context.database.read() as tx:
            zone = read_zone(sites.everyone(tx)[0].site.zone)
        self.news_after = self._clock.now()
        local = self.news_after.astimezone(zone)
        self.travel(to_instant(local.date() + timedelta(days=days), local.time(), zone))

    def travel(self, end: datetime) -> None:
        """To a moment, stopping at each due one on the way until it is dealt with."""
        while True:
            with self._moving:
                upcoming = self.settle().next_at
                if upcoming is None or upcoming > end:
                    self._move(end)
                    return
                self._move(upcoming)

    def to_the_end(self, progress: Callable[[int, int], None]) -> None:
        """Until nothing is planned any more; `progress` hears how many messages are decided, of how many."""
        while True:
            with self._moving:
                seen = self.settle()
                progress(seen.decided, seen.total)
                if seen.next_at is None:
                    return
                self._move(seen.next_at)

    def settle(self) -> Outlook:
        """Waits until nothing is due or on its way. Raises Refusal when the workers do not get there."""
        give_up = real_time.monotonic() + _PATIENCE
        while is_busy(self._context):
            if real_time.monotonic() > give_up:
                raise Refusal("the demonstration's worker does not answer; stop it and start it again")
            real_time.sleep(_POLL)
        return look_ahead(self._context)

    def _move(self, moment: datetime) -> None:
        self._clock.move_to(moment)
        # The beat would find it within a tick; asking at once only saves the wait.
        self._wake()

    def play(self) -> None:
        """Lets the time run, a day per second, until paused or nothing is planned."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="clock", daemon=True)
            self._thread.start()
        self._play.set()

    def pause(self) -> None:
        self._play.clear()

    def close(self) -> None:
        """Ends the playing thread."""
        self._closed.set()
        self._play.set()
        if self._thread is not None:
            self._thread.join(_PATIENCE)

    def _run(self) -> None:
        while self._play.wait() and not self._closed.is_set():
            self._closed.wait(self._advance())

    def _advance(self) -> float:
        """One small step of playing. Returns the seconds until the next one."""
        with self._moving:
            if is_busy(self._context) or not self.is_playing:
                return _FRAME
            upcoming = look_ahead(self._context).next_at
            if upcoming is None:
                self.pause()
                return _FRAME
            self.news_after = self._clock.now()
            target = self.news_after + _SPEED * _FRAME
            if target < upcoming:
                self._clock.move_to(target)
                return _FRAME
            self._move(upcoming)
            return _DWELL
