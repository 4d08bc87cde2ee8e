"""How often somebody may try: counted per account and per address, through Redis where there is one."""

from __future__ import annotations

import hashlib
from ipaddress import ip_address, ip_network

from fastapi import HTTPException, Request
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from journey.settings import Settings

_PATIENCE = 1.0  # seconds for an answer of Redis: a door that hangs is worse than one that counts alone
_TOO_MANY = "Too many tries. Wait a quarter of an hour, then try again."


class Throttle:
    """Names are hashed, so that Redis holds nobody's address. With Redis down each process counts alone."""

    def __init__(self, settings: Settings) -> None:
        self._own = FixedWindowRateLimiter(storage_from_string("memory://"))
        self._shared = self._own
        if redis_url := settings.redis_url.get_secret_value():
            storage: Storage = storage_from_string(  # type: ignore[assignment]
                redis_url, wrap_exceptions=True, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE
            )
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
    """Raises 429 once there were too many tries at an account, from an address, or both together.

    What is refused for one count does not feed the next: one stranger must not lock an account for all.
    """
    throttle: Throttle = request.app.state.throttle
    address = _address_of(request)
    allowed = (
        throttle.take(_BY_BOTH, what, account.casefold(), address)
        and throttle.take(_BY_ADDRESS, what, address)
        and throttle.take(_BY_ACCOUNT, what, account.casefold())
    )
    if not allowed:
        raise HTTPException(429, _TOO_MANY)


def limit_address(request: Request, what: str) -> None:
    """Raises 429 once there were too many tries from an address, where no account is known yet."""
    throttle: Throttle = request.app.state.throttle
    if not throttle.take(_BY_ADDRESS, what, _address_of(request)):
        raise HTTPException(429, _TOO_MANY)


def _address_of(request: Request) -> str:
    """An IPv6 address counts by its network: whoever has one has all of them."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return host if address.version == 4 else str(ip_network((address, 64), strict=False))
