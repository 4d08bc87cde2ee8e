"""Dates and clock times as people in each country write them. Filters take the value alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from jinja2 import Undefined

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LocalDate:
    """A date together with the locale that says how to write it."""

    value: date
    locale: str

    def __str__(self) -> str:
        return short_date(self)


@dataclass(frozen=True, slots=True)
class LocalClock:
    """A wall-clock moment or time on the clinic's clocks, with the locale to write it in."""

    value: datetime | time
    locale: str

    def __str__(self) -> str:
        return clock(self)


_FITS = {
    LocalDate: "it is for dates; times take clock",
    LocalClock: "it is for times; dates take long_date or short_date",
    datetime: "it is for a day with a time, such as fasting.food_until",
    str: "it is for texts",
}


def _call(value: Any) -> str:
    """What a value is, in words: its own text could be a patient's name."""
    kinds = {LocalDate: "a date", LocalClock: "a time", time: "a time", str: "a text"}
    return "an empty value" if value is None else kinds.get(type(value), "what stands here")


def _need(value: Any, kind: type, name: str) -> Any:
    if isinstance(value, Undefined):
        str(value)  # raises the error that names the variable
    if not isinstance(value, kind):
        raise ValueError(f"the filter {name} does not fit {_call(value)}; {_FITS[kind]}")
    return value


def long_date(value: Any) -> str:
    local: LocalDate = _need(value, LocalDate, "long_date")
    day = local.value
    if local.locale.endswith("-US"):
        return f"{_DAYS[day.weekday()]}, {_MONTHS[day.month - 1]} {day.day}, {day.year}"
    return f"{_DAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year}"


def short_date(value: Any) -> str:
    local: LocalDate = _need(value, LocalDate, "short_date")
    day = local.value
    weekday, month = _DAYS[day.weekday()][:3], _MONTHS[day.month - 1][:3]
    if local.locale.endswith("-US"):
        return f"{weekday}, {month} {day.day}"
    return f"{weekday} {day.day} {month}"


def clock(value: Any) -> str:
    local: LocalClock = _need(value, LocalClock, "clock")
    if local.locale.endswith("-US"):
        return f"{local.value.hour % 12 or 12}:{local.value:%M} {'AM' if local.value.hour < 12 else 'PM'}"
    return f"{local.value:%H:%M}"


def day_clock(value: Any) -> str:
    local: LocalClock = _need(value, LocalClock, "day_clock")
    moment: datetime = _need(local.value, datetime, "day_clock")
    return f"{short_date(LocalDate(moment.date(), local.locale))}, {clock(local)}"


def _upper(value: Any) -> str:
    return str(_need(value, str, "upper")).upper()


def _lower(value: Any) -> str:
    return str(_need(value, str, "lower")).lower()


def _capitalize(value: Any) -> str:
    return str(_need(value, str, "capitalize")).capitalize()


FILTERS = {
    "upper": _upper,
    "lower": _lower,
    "capitalize": _capitalize,
    "long_date": long_date,
    "short_date": short_date,
    "clock": clock,
    "day_clock": day_clock,
}
