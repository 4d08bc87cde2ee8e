"""Who may be enrolled: every field of a request read and checked, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from journey.domain.changes import Change
from journey.domain.conditions import FactValue
from journey.domain.contact import (
    ContactPlan,
    FieldErrors,
    Person,
    read_contact_plan,
    read_date,
    read_person,
)
from journey.domain.pathway import Channel
from journey.domain.plan import Anchors, Plan
from journey.domain.planning import plan_messages
from journey.domain.replanning import diff_plan
from journey.domain.steptime import parse_wall_time
from journey.services.library import policies_for
from journey.store.pathways import PathwayVersion
from journey.store.sites import StoredSite

MAX_AHEAD = timedelta(days=730)


@dataclass(frozen=True, slots=True)
class Request:
    """What staff or another system asks for, as text: it is read and checked here."""

    person: Mapping[str, str | None]
    procedure_date: str
    arrival_time: str | None = None
    facts: Mapping[str, FactValue] = field(default_factory=dict)
    consent_sms: bool | None = None  # None: not stated; a new patient has given none
    consent_email: bool | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """Where people are enrolled: one site, one published version, and who does it."""

    site: StoredSite
    version: PathwayVersion
    actor: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request that passed every check."""

    person: Person
    contact: ContactPlan
    facts: Mapping[str, FactValue]
    procedure_date: date
    arrival_time: time | None
    consent_stated: frozenset[Channel] = frozenset(Channel)  # on the others a known patient's stays
    locale_stated: bool = True


def prepare(request: Request, setting: Setting, now: datetime) -> Prepared:
    """Checks every field. Raises FieldErrors with all faults at once."""
    site = setting.site.site
    errors: dict[str, str] = {}
    today = now.date()

    def attempt(name: str, read: Any) -> Any:
        try:
            return read()
        except FieldErrors as error:
            errors.update(error.errors)
        except ValueError as error:
            errors[name] = str(error)
        return None

    person = attempt("person", lambda: read_person(request.person, site.country, today))
    contact = attempt(
        "locale",
        lambda: read_contact_plan(
            request.person,
            default_locale=site.locale,
            consent_sms=bool(request.consent_sms),
            consent_email=bool(request.consent_email),
        ),
    )
    day = attempt("procedure_date", lambda: read_procedure_date(request.procedure_date, today))
    arrival = attempt("arrival_time", lambda: read_arrival(request.arrival_time))
    facts = attempt("facts", lambda: setting.version.pathway.read_facts(request.facts))
    if day is not None and "arrival_time" not in errors:
        attempt("procedure_date", lambda: _refuse_begun(day, arrival, setting, now))
    if errors:
        raise FieldErrors(errors)
    stated = frozenset(
        channel
        for channel, given in ((Channel.SMS, request.consent_sms), (Channel.EMAIL, request.consent_email))
        if given is not None
    )
    return Prepared(
        person, contact, facts, day, arrival, stated, bool((request.person.get("locale") or "").strip())
    )


def read_procedure_date(text: str, today: date) -> date:
    if not text or not text.strip():
        raise ValueError("is missing; write it as YYYY-MM-DD")
    day = read_date(text)
    # A day's grace, since the clinic's today may be yesterday in UTC; the exact check follows.
    if day < today - timedelta(days=1):
        raise ValueError(f"{day} is past; enroll before the procedure")
    if day > today + MAX_AHEAD:
        raise ValueError(f"{day} is more than two years ahead; check the year")
    return day


def read_arrival(text: str | None) -> time | None:
    return parse_wall_time(text.strip()) if text and text.strip() else None


def _refuse_begun(day: date, arrival: time | None, setting: Setting, now: datetime) -> None:
    policies = policies_for(setting.site.site, _NOBODY, (), day.year)
    local = now.astimezone(policies.site_zone)
    begun = local.date() > day or (local.date() == day and arrival is not None and local.time() >= arrival)
    if begun:
        raise ValueError(f"{day} {arrival or ''}".strip() + " is past at the clinic; check the date")


_NOBODY = ContactPlan("en-GB", None, None, False, False)


def plan_for(
    prepared: Prepared, setting: Setting, reachable: tuple[Channel, ...], now: datetime
) -> tuple[Plan, list[Change]]:
    """The calendar of a patient who is enrolled now, with what lateness makes of it."""
    anchors = Anchors(now, prepared.procedure_date, prepared.arrival_time)
    policies = policies_for(setting.site.site, prepared.contact, reachable, prepared.procedure_date.year)
    plan = plan_messages(setting.version.pathway, anchors, prepared.facts, policies)
    return plan, diff_plan(plan, [], now)
