"""Replies that the provider could not tell us of: fetched once a minute, so that an outage loses none."""

from __future__ import annotations

from datetime import timedelta

from journey.channels.protocol import CannotSay
from journey.domain.pathway import Channel
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
    with context.database.read() as tx:
        since = installation.fetched_until(tx) or now - _FIRST
    while True:
        until = min(since + _AT_ONCE, now)
        listed = worker.sender.received(Channel.SMS, since - _OVERLAP, until + _OVERLAP)
        if isinstance(listed, CannotSay):
            raise NotListed("the provider does not list what came in; check its credentials")
        with context.database.read() as tx:
            known = replies.known(tx, [one.provider_id for one in listed])
        faults = []
        for one in reversed(listed):  # oldest first
            if one.provider_id in known:
                continue
            try:
                follow(context, receive(context, worker.library, one))
                new += 1
            except Exception as error:  # one reply that cannot be kept must not keep back all the others
                faults.append(error)
        if faults:
            raise faults[0]  # to the log; all of it is fetched again
        with context.database.write() as tx:
            installation.note_fetched(tx, until)
        if until == now:
            return new
        since = until
