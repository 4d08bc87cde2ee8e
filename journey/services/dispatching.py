"""The queue's engine: claim what is due, send it with no transaction open, record, and go on."""

from __future__ import annotations

import time as real_time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from journey.domain.outcomes import Outcome
from journey.domain.pathway import Channel
from journey.services.clockwatch import ClockWatch, Stamp
from journey.services.context import Context
from journey.services.library import Library
from journey.services.preparing import Claimed, claim_due
from journey.services.recording import record
from journey.services.sending import Sender
from journey.store import messages
from journey.store.database import StoreUnavailable

_RECORD_PAUSES = (0.2, 1.0, 3.0)  # seconds; with the request well within the lease


class Limiter(Protocol):
    """The sender's rate, shared by all workers."""

    def take(self, channel: Channel, wanted: int) -> int:
        """How many of `wanted` messages may go out now; they count as sent."""
        ...

    def pause(self, channel: Channel) -> float:
        """Seconds until more may go out."""
        ...


class NoLimit:
    """For channels without a rate, such as the outbox."""

    def take(self, channel: Channel, wanted: int) -> int:
        return wanted

    def pause(self, channel: Channel) -> float:
        return 0.0


@dataclass(frozen=True, slots=True)
class Worker:
    """What one thread of a worker process has."""

    context: Context
    sender: Sender
    library: Library
    limiter: Limiter
    watch: ClockWatch


def deliver(worker: Worker, channel: Channel, *, seconds: float = 20.0) -> int:
    """Sends what is due on a channel until nothing is, or the time is up. Returns how many went out."""
    ends = real_time.monotonic() + seconds
    sent = 0
    worker.library.forget_sites()
    while real_time.monotonic() < ends:
        allowed = worker.limiter.take(channel, worker.context.rules.batch)
        if not allowed:
            pause = worker.limiter.pause(channel)
            if real_time.monotonic() + pause >= ends:
                break
            real_time.sleep(min(pause, 1.0))
            continue
        looked_at, went_out = deliver_batch(worker, channel, allowed)
        sent += went_out
        if looked_at < allowed:
            break
    return sent


def deliver_batch(worker: Worker, channel: Channel, limit: int) -> tuple[int, int]:
    """One round: how many due rows were looked at, and how many were handed to the provider."""
    begun = Stamp.of(worker.context.clock)
    claimed, looked_at = claim_due(worker.context, worker.library, channel, limit)
    if claimed:
        batch = [one.outgoing for one in claimed]
        outcomes = worker.sender.send_all(channel, batch, begun)
        _write_down(worker, claimed, outcomes)
    return looked_at, len(claimed)


def _write_down(worker: Worker, claimed: Sequence[Claimed], outcomes: Sequence[Outcome]) -> None:
    """Records what the provider said, also past a database that stumbles: what is lost here must be
    looked up, or asked of staff."""
    for pause in _RECORD_PAUSES:
        try:
            record(worker.context, worker.library, claimed, outcomes)
            return
        except StoreUnavailable:
            real_time.sleep(pause)
    record(worker.context, worker.library, claimed, outcomes)


def due_channels(context: Context, wakeups: int) -> dict[Channel, int]:
    """How many wake-ups each channel deserves now: one per full batch that is due, within bounds."""
    batch = context.rules.batch
    now = context.clock.now()
    with context.database.read() as tx:
        due = {c: messages.count_due(tx, c, now, batch * wakeups) for c in Channel}
    return {channel: -(-count // batch) for channel, count in due.items() if count}
