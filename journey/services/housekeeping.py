"""What is taken away once nobody needs it: ended sessions, repeated requests, uploaded files, told events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from journey.services import uploads
from journey.services.context import Context
from journey.services.signing_in import Limits
from journey.store import api_keys, imports, staff, webhooks

REPEATABLE = timedelta(hours=24)  # how long a request's idempotency key is known
_TOLD = timedelta(days=30)
_LATE = timedelta(days=1)  # a form that is sent after its session ended is kept for whoever it was


@dataclass(frozen=True, slots=True)
class Tidied:
    sessions: int
    requests: int
    files: int
    events: int


def tidy(context: Context, limits: Limits) -> Tidied:
    now = context.clock.now()
    with context.database.write() as tx:
        return Tidied(
            sessions=staff.end_sessions_before(tx, now - limits.absolute - _LATE, now - limits.idle - _LATE),
            requests=api_keys.forget_requests_before(tx, now - REPEATABLE),
            files=imports.forget_files(tx, now - uploads.KEPT_FOR),
            events=webhooks.forget_before(tx, now - _TOLD),
        )
