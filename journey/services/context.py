"""What every use case gets: the database, the clock, and the rules of sending."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from journey.store.database import Database
from journey.store.sealing import Sealer


class Clock(Protocol):
    def now(self) -> datetime:
        """The present instant, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that only ever grow, for leases: a wall clock can be set back."""
        ...


@dataclass(frozen=True, slots=True)
class SendingRules:
    """Times in seconds; see `settings.py` for each default and its reason."""

    lease: float = 40.0
    begin: float = 5.0
    request: float = 10.0
    lookup_grace: float = 45.0
    batch: int = 128
    in_flight: int = 16

    @property
    def drain(self) -> timedelta:
        """How long a message can at most be under way before its claim is void."""
        return timedelta(seconds=self.lease + 5)


@dataclass(frozen=True, slots=True)
class Context:
    database: Database
    clock: Clock
    rules: SendingRules
    public_url: str

    @property
    def sealer(self) -> Sealer:
        return self.database.sealer


class Refusal(ValueError):
    """A wish that cannot be granted, in words for whoever asked: what, where, and what to do."""


class Missing(Refusal):
    """There is nothing of that name."""


class Stale(Refusal):
    """Somebody else changed it first."""
