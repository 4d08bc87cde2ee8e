"""How pages say things: dates, places, phone numbers and states, in the same words everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time

import phonenumbers

from journey.domain.delivery import Status
from journey.domain.pathway import Channel


@dataclass(frozen=True, slots=True)
class Tag:
    """A state: the word says it, the tone only colors it."""

    word: str
    tone: str  # good, info, warn, bad or quiet


STATES = {
    Status.PLANNED: Tag("Planned", "info"),
    Status.HELD: Tag("Held", "warn"),
    Status.SENDING: Tag("Sending", "info"),
    Status.ACCEPTED: Tag("Accepted", "good"),
    Status.DELIVERED: Tag("Delivered", "good"),
    Status.FAILED: Tag("Failed", "bad"),
    Status.UNKNOWN: Tag("Unknown", "warn"),
    Status.SKIPPED: Tag("Skipped", "quiet"),
    Status.EXPIRED: Tag("Expired", "bad"),
    Status.CANCELLED: Tag("Cancelled", "quiet"),
}
CHANNELS = {Channel.SMS: "Text", Channel.EMAIL: "E-mail"}


def say_day(day: date) -> str:
    """Tue 16 Mar 2027"""
    return f"{day:%a} {day.day} {day:%b %Y}"


def say_short_day(day: date) -> str:
    """Tue 16 Mar"""
    return f"{day:%a} {day.day} {day:%b}"


def say_clock(moment: datetime | time) -> str:
    """09:00"""
    return f"{moment:%H:%M}"


def say_distance(day: date, today: date) -> str:
    """How far off a day is: today, tomorrow, in 3 days, 2 weeks ago."""
    days = (day - today).days
    near = {0: "today", 1: "tomorrow", -1: "yesterday"}
    if days in near:
        return near[days]
    span = count(abs(days), "day") if abs(days) < 28 else count(round(abs(days) / 7), "week")
    return f"in {span}" if days > 0 else f"{span} ago"


def say_zone(zone: str) -> str:
    """The place that people name: "New York" for America/New_York."""
    return zone.rpartition("/")[2].replace("_", " ")


def say_zones_in(text: str, zone: str) -> str:
    """A reason with its zone as people say it."""
    return text.replace(f"({zone})", f"({say_zone(zone)} time)").replace(zone, f"{say_zone(zone)} time")


def say_phone(number: str | None, country: str) -> str:
    """A number as the clinic's country writes it."""
    if not number:
        return "none"
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    home = phonenumbers.country_code_for_region(country) == parsed.country_code
    kind = phonenumbers.PhoneNumberFormat
    return phonenumbers.format_number(parsed, kind.NATIONAL if home else kind.INTERNATIONAL)


def count(number: int, noun: str, plural: str | None = None) -> str:
    """1 message, 2 messages"""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def join(parts: list[str]) -> str:
    """One, two and three."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def as_sentence(text: str) -> str:
    """A reason with a capital and a full stop, for where it stands alone."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""


_LANGUAGES = {"en-GB": "English (United Kingdom)", "en-US": "English (United States)"}


def as_languages(locales: Iterable[str]) -> list[tuple[str, str]]:
    """Locales as choices of a form."""
    return [(one, _LANGUAGES.get(one, one)) for one in locales]


def as_pairs(choices: Iterable[str]) -> list[tuple[str, str]]:
    """A fact's choices as choices of a form: "sedation_deep" reads as "Sedation deep"."""
    return [(one, one.replace("_", " ").replace("-", " ").capitalize()) for one in choices]
