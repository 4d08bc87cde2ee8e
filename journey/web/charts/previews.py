"""A plan's messages as a vertical line of days, with the procedure among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import groupby
from zoneinfo import ZoneInfo

from journey.domain.calendar import read_zone, to_instant
from journey.domain.delivery import Status
from journey.domain.pathway import Channel, Pathway
from journey.domain.site import Site
from journey.services.showing import ShownMessage
from journey.web.charts.cards import clinic_time, step_title
from journey.web.words import CHANNELS, STATES, Tag, say_zones_in


@dataclass(frozen=True, slots=True)
class Item:
    """One message to come, or the procedure (`is_procedure`)."""

    at: datetime
    title: str
    at_clinic: str = ""
    channel: str = ""
    state: Tag | None = None
    reason: str = ""
    subject: str = ""
    text: str = ""
    segments: int | None = None
    is_procedure: bool = False
    goes_out: bool = True


@dataclass(frozen=True, slots=True)
class Day:
    date: date
    items: Sequence[Item]


@dataclass(frozen=True, slots=True)
class Preview:
    """Days in order; `out` counts what will go out, `kept` what will not or waits."""

    days: Sequence[Day]
    zone: str
    is_abroad: bool
    out: int
    kept: int


def preview_days(
    messages: Sequence[ShownMessage],
    pathway: Pathway,
    site: Site,
    zone: ZoneInfo,
    day: date | None,
    arrival: time | None,
) -> Preview:
    items = [_item(one, pathway, site, zone) for one in messages]
    out = sum(one.goes_out for one in items)
    kept = len(items) - out
    if day is not None:
        at = to_instant(day, arrival or time(0), read_zone(site.zone)).astimezone(zone)
        title = f"Procedure, arrive at {arrival:%H:%M}" if arrival else "Procedure, arrival time not set"
        items.append(Item(at, title, clinic_time(at, site) if arrival else "", is_procedure=True))
    items.sort(key=lambda one: (one.at, one.title))
    days = [Day(when, list(found)) for when, found in groupby(items, key=lambda one: one.at.date())]
    return Preview(days, zone.key, zone.key != site.zone, out, kept)


def _item(one: ShownMessage, pathway: Pathway, site: Site, zone: ZoneInfo) -> Item:
    at, status = datetime.fromisoformat(one.at).astimezone(zone), Status(one.status)
    return Item(
        at=at,
        title=step_title(pathway, one.step),
        at_clinic=clinic_time(at, site),
        channel=CHANNELS[Channel(one.channel)] if one.channel else "",
        state=STATES[status],
        reason=say_zones_in(one.reason, zone.key),
        subject=one.subject,
        text=one.text,
        segments=one.segments,
        goes_out=status is Status.PLANNED,
    )
