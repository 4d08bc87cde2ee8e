"""Replies that the provider could not tell us of: fetched once a minute, so that an outage loses none."""

from __future__ import annotations

from datetime import timedelta

from journey.channels.protocol import CannotSay
from journey.domain.pathway import Channel
from journey.services.conversation.receiving import follow, receive
from journey.services.dispatching import Worker
from journey.store import installation, replies

_FIRST = timedelta(hours=1)  # how far back a new installation looks
_OVERLAP = timedelta(minutes=10)  # a provider's list may lag behind, and so may a clock


def catch_up(worker: Worker) -> int:
    """Fetches what came in and was never told. Returns how many replies were new."""
    context, now = worker.context, worker.context.clock.now()
    with context.database.read() as tx:
        since = installation.fetched_until(tx) or now - _FIRST
    listed = worker.sender.received(Channel.SMS, since - _OVERLAP)
    if isinstance(listed, CannotSay):
        return 0  # asked again from the same moment on
    with context.database.read() as tx:
        known = replies.known(tx, [one.provider_id for one in listed])
    missed = [one for one in reversed(listed) if one.provider_id not in known]  # oldest first
    faults = []
    for one in missed:
        try:
            follow(context, receive(context, worker.library, one))
        except Exception as error:  # one reply that cannot be kept must not keep back all the others
            faults.append(error)
    if faults:
        raise faults[0]  # to the log; all of it is fetched again
    with context.database.write() as tx:
        installation.note_fetched(tx, now)
    return len(missed)
