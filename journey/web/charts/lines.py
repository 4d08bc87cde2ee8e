"""A patient's story in one line of time: what happened, now, what is to come, and the procedure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from itertools import groupby
from typing import Any

from journey.domain.calendar import read_zone, to_instant
from journey.store import audit
from journey.store.database import Tx
from journey.store.replies import Reply
from journey.web.charts.cards import Card, Chart, clinic_time
from journey.web.words import say_day, say_distance, say_zone

_EVENTS = 200
# What stands first where several things share a moment.
_ORDER = {"event": 0, "procedure": 1, "message": 2, "reply": 3, "now": 4}


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing on the line. `kind`: message, reply, procedure, event or now."""

    kind: str
    at: datetime
    text: str = ""
    detail: str = ""
    card: Card | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the line."""

    date: date
    title: str
    distance: str
    entries: list[Entry] = field(default_factory=list)


def read_line(tx: Tx, chart: Chart, replies: Iterable[Reply], now: datetime) -> list[Day]:
    """The days on which something happens, in order."""
    local = now.astimezone(chart.zone)
    entries = [Entry("message", card.at, card=card) for card in chart.cards]
    entries += [Entry("reply", one.at.astimezone(chart.zone), one.text) for one in replies]
    entries += [*_procedure(chart), *_events(tx, chart), Entry("now", local, "Now")]
    entries.sort(key=lambda entry: (entry.at, _ORDER[entry.kind]))
    return [
        Day(day, say_day(day), say_distance(day, local.date()), list(found))
        for day, found in groupby(entries, key=lambda entry: entry.at.date())
    ]


def _procedure(chart: Chart) -> Iterable[Entry]:
    day, arrival = chart.enrollment.procedure_date, chart.enrollment.arrival_time
    if day is None:
        return
    clinic = read_zone(chart.site.zone)
    if arrival is None:
        at = to_instant(day, time(0), chart.zone).astimezone(chart.zone)
        yield Entry("procedure", at, "Procedure", "The arrival time is not set.")
        return
    at = to_instant(day, arrival, clinic).astimezone(chart.zone)
    if chart.is_called_off:
        yield Entry("procedure", at, "Procedure", f"Cancelled; it was planned for {arrival:%H:%M}.")
        return
    where = f" {say_zone(chart.site.zone)} time" if clinic_time(at, chart.site) else ""
    yield Entry("procedure", at, "Procedure", f"Arrive at {arrival:%H:%M}{where}, {chart.site.name}")


def _events(tx: Tx, chart: Chart) -> Iterable[Entry]:
    """What staff and patients did, from the audit log."""
    for entry in audit.of_subject(tx, f"enrollment/{chart.id}", _EVENTS):
        if entry["action"].startswith("enrollment."):
            text, detail = say_event(entry["action"], json.loads(entry["detail"]))
            yield Entry("event", entry["at"].astimezone(chart.zone), text, detail)


def say_event(action: str, detail: dict[str, Any]) -> tuple[str, str]:
    """What somebody did to an enrollment, in words: the thing, and its detail."""
    if action == "enrollment.created":
        return "Enrolled", f"for {_day(detail)}"
    if action == "enrollment.rescheduled":
        return "Date changed", f"to {_day(detail)}"
    if action in ("enrollment.confirmed", "enrollment.unconfirmed"):
        return "Patient confirmed" if action.endswith(".confirmed") else "Not confirmed after all", _day(
            detail
        )
    known = {
        "enrollment.cancelled": ("Procedure cancelled", ""),
        "enrollment.completed": ("Procedure went ahead", ""),
        "enrollment.replanned": ("Ways to reach the patient changed", "messages were planned anew"),
        "enrollment.taken_back": ("Not called off after all", ""),
        "enrollment.goal_reached": ("Follow-up booked", ""),
        "enrollment.postponed": ("Postponed", "without a new date"),
        "enrollment.contact_changed": ("Contact details changed", ""),
    }
    return known.get(action, (action.removeprefix("enrollment.").capitalize(), ""))


def _day(detail: dict[str, Any]) -> str:
    text = detail.get("procedure_date")
    return say_day(date.fromisoformat(text)) if text else "no date"
