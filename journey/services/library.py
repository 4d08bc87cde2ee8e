"""What rarely changes, read once: sites with their calendars, and published pathway versions."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo

import holidays

from journey.domain.calendar import Window, read_zone
from journey.domain.contact import ContactPlan
from journey.domain.pathway import Channel
from journey.domain.plan import Policies
from journey.domain.site import Site
from journey.store import pathways, sites
from journey.store.database import Tx
from journey.store.pathways import PathwayVersion
from journey.store.sites import StoredSite

_YEARS = range(-1, 3)


@lru_cache(maxsize=64)
def public_holidays(country: str, year: int) -> frozenset[date]:
    """A country's public holidays around a year; none where the country is not known."""
    if country not in holidays.list_supported_countries(include_aliases=False):
        return frozenset()
    years = [year + offset for offset in _YEARS]
    return frozenset(holidays.country_holidays(country, years=years))


@lru_cache(maxsize=4096)
def window_for(site: Site, zone: str, year: int) -> Window:
    """The hours and days for a patient in a zone, around a year."""
    closed = public_holidays(site.country, year) if site.keeps_public_holidays else frozenset()
    return Window(read_zone(zone), site.opens, site.closes, frozenset(site.open_weekdays), closed)


def policies_for(
    site: Site,
    contact: ContactPlan,
    reachable: tuple[Channel, ...],
    year: int,
    *,
    goals: frozenset[str] = frozenset(),
    paused: bool = False,
) -> Policies:
    return Policies(
        window=window_for(site, contact.time_zone or site.zone, year),
        site_zone=read_zone(site.zone),
        reachable=reachable,
        prefers=contact.prefers,
        goals=goals,
        paused=paused,
    )


def practice_zone(tx: Tx) -> ZoneInfo:
    """The first site's zone, which is the practice's where there are several."""
    known = sites.everyone(tx)
    return read_zone(known[0].site.zone if known else "UTC")


class Library:
    """A cache of immutable versions, and of sites for one unit of work. Make one per process;
    call `forget_sites` before work that must see new settings."""

    def __init__(self) -> None:
        self._versions: dict[UUID, PathwayVersion] = {}
        self._sites: dict[UUID, StoredSite] = {}

    def version(self, tx: Tx, version_id: UUID) -> PathwayVersion:
        if version_id not in self._versions:
            self._versions[version_id] = pathways.get(tx, version_id)
        return self._versions[version_id]

    def site(self, tx: Tx, site_id: UUID) -> Site:
        found = self._sites.get(site_id)  # one look: another thread may forget them at any moment
        if found is None:
            found = self._sites[site_id] = sites.get(tx, site_id)
        return found.site

    def forget_sites(self) -> None:
        self._sites.clear()
