"""The small grammar of a step's `time` and of durations, as written in pathway files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator

_WALL = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_DURATION = re.compile(r"(?:(\d{1,3})h)?(?:(\d{1,4})m)?")
_ARRIVAL = re.compile(r"arrival(?:([+-])(.+))?")
AT_ONCE = "at once"


@dataclass(frozen=True, slots=True)
class StepTime:
    """One of: a local wall time, an offset from the arrival time, or at once (both fields None)."""

    wall: time | None = None
    from_arrival: timedelta | None = None

    def __str__(self) -> str:
        if self.wall is not None:
            return self.wall.strftime("%H:%M")
        if self.from_arrival is None:
            return AT_ONCE
        if not self.from_arrival:
            return "arrival"
        sign = "+" if self.from_arrival > timedelta(0) else "-"
        return f"arrival{sign}{format_duration(abs(self.from_arrival))}"


def parse_wall_time(text: Any) -> time:
    """Reads "HH:MM" (24 h)."""
    if isinstance(text, time):
        return text
    if isinstance(text, int):  # YAML reads an unquoted 18:00 as the number 1080
        raise ValueError(f'{text!r} is not a time of day; put it in quotes: "HH:MM"')
    match = _WALL.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f'{text!r} is not a time of day; write it as "HH:MM", from 00:00 to 23:59')
    return time(int(match[1]), int(match[2]))


def parse_duration(text: Any) -> timedelta:
    """Reads "4h", "90m" or "2h30m"."""
    if isinstance(text, timedelta):
        return text
    match = _DURATION.fullmatch(text) if isinstance(text, str) and text else None
    if match is None:
        raise ValueError(f'{text!r} is not a duration; write it like "4h", "90m" or "2h30m"')
    return timedelta(hours=int(match[1] or 0), minutes=int(match[2] or 0))


def format_duration(value: timedelta) -> str:
    hours, minutes = divmod(int(value.total_seconds()) // 60, 60)
    if not hours:
        return f"{minutes}m"
    return f"{hours}h{minutes}m" if minutes else f"{hours}h"


def parse_step_time(text: Any) -> StepTime:
    if isinstance(text, StepTime):
        return text
    if text == AT_ONCE:
        return StepTime()
    match = _ARRIVAL.fullmatch(text) if isinstance(text, str) else None
    if match is not None:
        offset = parse_duration(match[2]) if match[2] else timedelta(0)
        return StepTime(from_arrival=-offset if match[1] == "-" else offset)
    try:
        return StepTime(wall=parse_wall_time(text))
    except ValueError as error:
        if isinstance(text, str):
            raise ValueError(f"{error}, or as arrival-2h without spaces, or as at once") from None
        raise


WallTime = Annotated[time, PlainValidator(parse_wall_time), PlainSerializer(lambda t: t.strftime("%H:%M"))]
Duration = Annotated[timedelta, PlainValidator(parse_duration), PlainSerializer(format_duration)]
WhenInDay = Annotated[StepTime, PlainValidator(parse_step_time), PlainSerializer(str)]
