"""A plan: what it is made from, and what it holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from zoneinfo import ZoneInfo

from journey.domain.calendar import Shift, Window, check_aware
from journey.domain.delivery import Reason
from journey.domain.pathway import Anchor, Channel, Late, Quotes


@dataclass(frozen=True, slots=True)
class Anchors:
    """The moments and dates that steps count from. `procedure_date` is None while postponed."""

    enrolled_at: datetime
    procedure_date: date | None
    arrival_time: time | None = None  # on the clinic's clocks
    completed_on: date | None = None  # staff confirmed that it went ahead

    def __post_init__(self) -> None:
        check_aware(self.enrolled_at)


@dataclass(frozen=True, slots=True)
class Policies:
    """What the site and the patient add: hours, zones and the channels that reach the patient."""

    window: Window  # in the patient's zone
    site_zone: ZoneInfo
    reachable: tuple[Channel, ...] = (Channel.SMS, Channel.EMAIL)  # the patient's order
    prefers: Channel | None = None
    goals: frozenset[str] = frozenset()  # reached, such as "booked"
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Why:
    """How a message's time came about; `domain.explain` puts it in words."""

    anchor: Anchor
    day: int
    time: str
    anchor_date: date
    zone: str
    shifts: tuple[Shift, ...] = ()


class Verdict(StrEnum):
    SEND = "planned"
    HOLD = "held"
    SKIP = "skipped"


@dataclass(frozen=True, slots=True)
class PlannedMessage:
    """One message as the pathway wants it; all instants UTC.

    `at` is the time the pathway gives it, `due_at` the one it will have (later if it comes late).
    `procedure_date` and `arrival_time` are set as far as the message depends on them: its basis.
    """

    step: str
    phase: str
    channel: Channel | None
    at: datetime
    due_at: datetime
    send_by: datetime
    verdict: Verdict
    reason: Reason | None
    why: Why
    late: Late
    critical: bool
    repeats: bool  # goes out again for a new date
    quotes: Quotes
    procedure_date: date | None
    arrival_time: time | None


@dataclass(frozen=True, slots=True)
class Plan:
    """A patient's whole calendar, in time order, and what a correction would look like today."""

    messages: tuple[PlannedMessage, ...]
    correction: PlannedMessage | None
    window: Window
    paused: bool = False
