"""Local time: wall clocks to instants, and the hours and days on which messages may go out.

Every instant is an aware UTC datetime; a local date or time exists only beside the zone it is meant in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

# Outer limits that no site can widen (CARE: quiet hours 08:00-21:00 local).
HARD_OPENS, HARD_CLOSES = time(8), time(21)
# Messages moved earlier land this long before closing, which leaves time to deliver and to try again.
BEFORE_CLOSING = timedelta(minutes=30)
_SEARCH_DAYS = 400


class UnknownZone(ValueError):
    """The zone's name is not in the IANA database."""


class Shift(StrEnum):
    """Why a message does not go out at its step's plain time."""

    QUIET_HOURS = "quiet_hours"
    CLOSED_DAY = "closed_day"
    BEFORE_PROCEDURE = "before_procedure"  # would have landed after the procedure began
    AFTER_PROCEDURE = "after_procedure"  # would have landed before the procedure was over
    LATE = "late"  # its time had passed; goes out at once
    DST = "dst"  # the clock change skips that wall time


@lru_cache(maxsize=1024)
def read_zone(name: str) -> ZoneInfo:
    """The zone of that IANA name. Raises UnknownZone: a guess would send at the wrong hour.

    Kept, since listing the zones reads the whole database from disk.
    """
    if name not in available_timezones():
        raise UnknownZone(f"{name!r} is no time zone; use an IANA name such as Europe/London")
    return ZoneInfo(name)


def check_aware(moment: datetime) -> datetime:
    """Refuses naive datetimes at the door and gives the same instant in UTC."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone; give an offset such as +00:00")
    return moment.astimezone(UTC)


def to_instant(day: date, wall: time, zone: ZoneInfo) -> datetime:
    """The instant at which clocks in the zone show the wall time on that day.

    A time that DST skips moves forward by the size of the gap; one it repeats takes the first:
    both are what fold=0 means, once the result is taken through UTC.
    """
    if wall.fold:
        wall = wall.replace(fold=0)
    return datetime.combine(day, wall, zone).astimezone(UTC)


def is_skipped(day: date, wall: time, zone: ZoneInfo) -> bool:
    """Whether the zone's clocks jump over that wall time."""
    local = to_instant(day, wall, zone).astimezone(zone)
    return (local.date(), local.time()) != (day, wall)


@dataclass(frozen=True, slots=True)
class Window:
    """When a patient may be written to: hours in the patient's zone, and the clinic's open days."""

    zone: ZoneInfo
    opens: time = time(8)
    closes: time = time(20)
    open_weekdays: frozenset[int] = frozenset(range(7))  # Monday is 0
    closed_dates: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if not HARD_OPENS <= self.opens < self.closes <= HARD_CLOSES:
            raise ValueError(
                f"messages may go out from {self.opens:%H:%M} to {self.closes:%H:%M}: the hours must "
                f"lie within {HARD_OPENS:%H:%M}-{HARD_CLOSES:%H:%M} and open before they close"
            )
        if not self.open_weekdays:
            raise ValueError("the clinic is open on no day of the week; open at least one")

    def is_open_day(self, day: date) -> bool:
        return day.weekday() in self.open_weekdays and day not in self.closed_dates

    def allows(self, moment: datetime, *, any_day: bool) -> bool:
        local = moment.astimezone(self.zone)
        if not self.opens <= local.time() < self.closes:
            return False
        return any_day or self.is_open_day(local.date())

    def settle(self, moment: datetime, *, later: bool, any_day: bool) -> tuple[datetime, tuple[Shift, ...]]:
        """The nearest allowed instant in one direction, and what moved it.

        A closed day keeps the wall time and changes the day; quiet hours change the time.
        """
        if self.allows(moment, any_day=any_day):
            return moment, ()
        local = moment.astimezone(self.zone)
        day, wall = local.date(), local.time()
        shifts: list[Shift] = []
        if not self.opens <= wall < self.closes:
            shifts.append(Shift.QUIET_HOURS)
            day, wall = self._out_of_quiet_hours(day, wall, later=later)
        if not any_day and not self.is_open_day(day):
            shifts.append(Shift.CLOSED_DAY)
            day = self._next_open_day(day, 1 if later else -1)
        return to_instant(day, wall, self.zone), tuple(shifts)

    def _out_of_quiet_hours(self, day: date, wall: time, *, later: bool) -> tuple[date, time]:
        if later:
            return (day, self.opens) if wall < self.opens else (day + timedelta(days=1), self.opens)
        latest = max(self.opens, _minus(self.closes, BEFORE_CLOSING))
        return (day, latest) if wall >= self.closes else (day - timedelta(days=1), latest)

    def _next_open_day(self, day: date, step: int) -> date:
        for _ in range(_SEARCH_DAYS):
            day += timedelta(days=step)
            if self.is_open_day(day):
                return day
        raise ValueError(f"the clinic has no open day within {_SEARCH_DAYS} days of {day}")


def _minus(wall: time, span: timedelta) -> time:
    return (datetime.combine(date.min + timedelta(days=1), wall) - span).time()
