"""The sender's rate, shared by all workers through Redis (or kept in memory when embedded)."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.errors import ConfigurationError as ConfigurationError
from limits.errors import StorageError
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter
from redis.exceptions import RedisError

from journey.domain.pathway import Channel


class SharedLimiter:
    """At most `rates[channel]` messages a second; channels without a rate are not limited.

    With Redis down each process falls back to a limit of its own: Twilio queues what is too fast, so
    a short overshoot costs nothing, while standing still would.
    """

    def __init__(self, rates: Mapping[Channel, float], redis_url: str | None) -> None:
        self._items = {channel: _item(rate) for channel, rate in rates.items()}
        self._own = FixedWindowRateLimiter(storage_from_string("memory://"))
        self._shared = self._own
        if redis_url:
            storage: Storage = storage_from_string(redis_url, wrap_exceptions=True)  # type: ignore[assignment]
            self._shared = FixedWindowRateLimiter(storage)

    def take(self, channel: Channel, wanted: int) -> int:
        item = self._items.get(channel)
        if item is None:
            return wanted
        try:
            return _take(self._shared, item, channel, wanted)
        except (StorageError, RedisError, OSError, ValueError):  # ValueError: somebody wrote into our keys
            return _take(self._own, item, channel, wanted)

    def pause(self, channel: Channel) -> float:
        item = self._items.get(channel)
        if item is None:
            return 0.0
        now = time.time()  # the storage's own notion of its windows
        return max(0.01, math.ceil(now / item.get_expiry()) * item.get_expiry() - now)


def _item(rate: float) -> RateLimitItem:
    """A window of one second, or of several for rates below one."""
    if rate >= 1:
        return RateLimitItemPerSecond(int(rate))
    return RateLimitItemPerSecond(1, math.ceil(1 / rate))


def _take(limiter: FixedWindowRateLimiter, item: RateLimitItem, channel: Channel, wanted: int) -> int:
    left = min(wanted, limiter.get_window_stats(item, channel.value).remaining)
    while left > 0:
        if limiter.hit(item, channel.value, cost=left):
            return left
        left //= 2  # another worker took some of it meanwhile
    return 0
