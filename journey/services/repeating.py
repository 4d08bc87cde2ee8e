"""Requests that may be repeated: whoever sends one twice under the same key gets one enrollment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from journey.services.context import Context, Refusal
from journey.services.enrolling import Enrolled
from journey.store import api_keys
from journey.store.api_keys import ApiKey
from journey.store.database import Tx

# A request that has not ended by then has died: enrolling again finds what it may have done.
_DEAD = timedelta(seconds=60)


class StillAtWork(Refusal):
    """The first request of this key has not ended yet."""


@dataclass(frozen=True, slots=True)
class Once:
    """`is_repeated`: an earlier request did it, and nothing was done now; `is_new` is what it was told."""

    enrollment_id: UUID
    is_new: bool
    is_repeated: bool
    differs: tuple[str, ...] = ()


Note = Callable[[Tx, list[Enrolled]], None]


def once(context: Context, key: ApiKey, name: str, content: str, enroll: Callable[[Note], Enrolled]) -> Once:
    """Enrolls under an idempotency key. Raises Refusal if the key was used for other content.

    `enroll` must call what it is given in the transaction that enrolls: then no crash comes between the
    enrollment and the note of it. Key and content are kept as keyed hashes, since they name a patient.
    """
    now = context.clock.now()
    key_hash, *older = context.sealer.tokens("idempotency", f"{key.id}/{name}")
    content_hashes = context.sealer.tokens("request", content)
    with context.database.write() as tx:
        known = [one for one in (api_keys.earlier_request(tx, key.id, h) for h in (key_hash, *older)) if one]
        is_mine = not known and api_keys.begin_request(tx, key.id, key_hash, content_hashes[0], now)
    if known and known[0].request_hash not in content_hashes:
        raise Refusal("this Idempotency-Key was used for another request; take a new one for each enrollment")
    if known and known[0].enrollment_id is not None:
        return Once(known[0].enrollment_id, known[0].was_new, True)
    if not is_mine and (not known or now - known[0].at < _DEAD):
        raise StillAtWork(
            "the first request with this Idempotency-Key is still at work; try again in a moment"
        )

    def note(tx: Tx, done: list[Enrolled]) -> None:
        first = done[0]
        if not api_keys.finish_request(tx, key.id, key_hash, first.enrollment_id, was_new=first.is_new):
            # This one slept so long that another took its place: what it did is rolled back.
            raise StillAtWork("another request with this Idempotency-Key came first; send it again")

    try:
        done = enroll(note)
    except Exception:
        with context.database.write() as tx:
            api_keys.forget_request(tx, key.id, key_hash)
        raise
    return Once(done.enrollment_id, done.is_new, False, done.differs)
