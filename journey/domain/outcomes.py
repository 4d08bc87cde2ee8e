"""What a provider said, in our words, and what follows from it. Retry is data, never an exception."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from journey.domain.delivery import Event, Reason


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has it, under this id; `delivered` where it is with the patient already.

    No two messages have one id; at most 255 characters.
    """

    provider_id: str
    delivered: bool = False

    def __post_init__(self) -> None:
        if len(self.provider_id) > 255:
            raise ValueError("a provider's id has more than 255 characters; shorten it in its channel")


@dataclass(frozen=True, slots=True)
class Refused:
    """A final no. `blocks_address`: this address takes no more on this channel; `ask_staff`: a task."""

    reason: Reason
    code: str = ""
    blocks_address: bool = False
    ask_staff: bool = True


@dataclass(frozen=True, slots=True)
class NotNow:
    """Surely not accepted; trying later can help. `halts`: nobody's messages pass, staff must act."""

    reason: Reason
    code: str = ""
    halts: bool = False


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """It may have been accepted: the request was written and no verdict came back."""

    detail: str = ""


Outcome = Accepted | Refused | NotNow | NoAnswer


@dataclass(frozen=True, slots=True)
class Retry:
    at: datetime


@dataclass(frozen=True, slots=True)
class GiveUp:
    reason: Reason


_BACKOFF = tuple(timedelta(seconds=s) for s in (5, 15, 60, 180, 600, 1200))
_HALT_PAUSE = timedelta(minutes=1)


def decide_retry(outcome: NotNow, attempts: int, send_by: datetime, now: datetime) -> Retry | GiveUp:
    """When to try again after the given number of attempts; gives up where the deadline is first."""
    pause = _HALT_PAUSE if outcome.halts else _BACKOFF[min(attempts, len(_BACKOFF)) - 1]
    at = now + pause
    return Retry(at) if at < send_by else GiveUp(Reason.PAST_DEADLINE)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A later word of the provider about a message that it accepted."""

    event: Event
    provider_id: str = ""
    code: str = ""
    reason: Reason | None = None
    blocks_address: bool = False
    ask_staff: bool = False
    resend: bool = False  # 30003 and the like: once more within the deadline
