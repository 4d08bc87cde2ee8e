"""How often somebody may try: counted per account and per address, through Redis where there is one."""

from __future__ import annotations

import hashlib

from fastapi import HTTPException, Request
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from journey.settings import Settings

_TOO_MANY = "Too many tries. Wait a quarter of an hour, then try again."


class Throttle:
    """Names are hashed, so that Redis holds nobody's address. With Redis down each process counts alone."""

    def __init__(self, settings: Settings) -> None:
        self._own = FixedWindowRateLimiter(storage_from_string("memory://"))
        self._shared = self._own
        if redis_url := settings.redis_url.get_secret_value():
            storage: Storage = storage_from_string(redis_url, wrap_exceptions=True)  # type: ignore[assignment]
            self._shared = FixedWindowRateLimiter(storage)

    def take(self, limit: RateLimitItem, *names: str) -> bool:
        """Counts one try; False if there were too many."""
        key = hashlib.sha256("\0".join(names).encode()).hexdigest()
        try:
            return self._shared.hit(limit, key)
        except (StorageError, OSError, ValueError):
            return self._own.hit(limit, key)


_BY_BOTH = parse("8 per 15 minutes")  # one account from one address
_BY_ACCOUNT = parse("40 per 15 minutes")  # from wherever; more than one person mistypes
_BY_ADDRESS = parse("100 per 15 minutes")  # a whole clinic behind one router


def limit_tries(request: Request, what: str, account: str) -> None:
    """Raises 429 once there were too many tries at an account, from an address, or both together."""
    throttle: Throttle = request.app.state.throttle
    address = request.client.host if request.client else ""
    allowed = [
        throttle.take(_BY_BOTH, what, account.casefold(), address),
        throttle.take(_BY_ACCOUNT, what, account.casefold()),
        throttle.take(_BY_ADDRESS, what, address),
    ]
    if not all(allowed):
        raise HTTPException(429, _TOO_MANY)
