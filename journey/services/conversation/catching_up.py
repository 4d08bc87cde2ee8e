"""Replies that the provider could not tell us of: fetched once a minute, so that an outage loses none."""

from __future__ import annotations

from datetime import datetime, timedelta

from journey.channels.protocol import CannotSay
from journey.domain.pathway import Channel
from journey.services.context import Context
from journey.services.conversation.receiving import follow, receive
from journey.services.dispatching import Worker
from journey.store import installation, replies

_FIRST = timedelta(hours=1)  # how far back a new installation looks
_OVERLAP = timedelta(hours=1)  # a provider's list may lag behind, and so may one of the clocks
_AT_ONCE = timedelta(hours=6)  # of a long outage, so that each list stays short


class NotListed(Exception):
    """The provider does not list what came in. It is asked again, from the same moment on."""


def catch_up(worker: Worker) -> int:
    """Fetches what came in and was never told. Returns how many replies were new. Raises NotListed."""
    context, now, new = worker.context, worker.context.clock.now(), 0
    since, faults = _begin(context, now), list[Exception]()
    while True:
        until = min(since + _AT_ONCE, now)
        found, failed = _fetch(worker, since, until)
        new, faults = new + found, faults + failed
        if not faults:  # else all of it is fetched again, from here on
            with context.database.write() as tx:
                installation.note_fetched(tx, until)
        if until == now:
            break
        since = until
    if faults:
        raise faults[0]  # to the log
    return new


def _begin(context: Context, now: datetime) -> datetime:
    """Where to go on. The first time it is noted at once, or nothing would tell that listing never works."""
    with context.database.write() as tx:
        since = installation.fetched_until(tx)
        if since is None:
            since = now - _FIRST
            installation.note_fetched(tx, since)
    return since


def _fetch(worker: Worker, since: datetime, until: datetime) -> tuple[int, list[Exception]]:
    """How many replies were new, and what kept others from being kept: one must not keep back all."""
    listed = worker.sender.received(Channel.SMS, since - _OVERLAP, until + _OVERLAP)
    if isinstance(listed, CannotSay):
        raise NotListed("the provider does not list what came in: it is away, refuses us, or has too much")
    with worker.context.database.read() as tx:
        known = replies.known(tx, [one.provider_id for one in listed])
    new, faults = 0, list[Exception]()
    for one in reversed(listed):  # oldest first
        if one.provider_id in known:
            continue
        try:
            follow(worker.context, receive(worker.context, worker.library, one))
            new += 1
        except Exception as error:
            faults.append(error)
    return new, faults
