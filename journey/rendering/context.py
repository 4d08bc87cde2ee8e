"""The variables that a template may mention, built from a site, a patient and a procedure.

An SMS gets no `patient`: names stay out of texts, and one template that tried would not render.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from journey.domain.conditions import FactValue
from journey.domain.contact import Person
from journey.domain.pathway import Channel
from journey.domain.site import Site
from journey.rendering.filters import LocalClock, LocalDate

_SITE_FIELDS = (
    "name", "sms_name", "phone", "address", "office_hours", "emergency_number", "emergency_place",
    "urgent_advice_number", "booking_url", "lifting_limit", "activity_rest", "wound_care",
    "fasting_note",
)  # fmt: skip


def build_context(
    *,
    site: Site,
    person: Person,
    channel: Channel,
    locale: str,
    procedure_date: date | None,
    arrival_time: time | None,
    facts: Mapping[str, FactValue],
) -> dict[str, Any]:
    """Plain mappings and local dates. Clock times are the clinic's, where the patient will be."""
    context: dict[str, Any] = {
        "site": {name: getattr(site, name) for name in _SITE_FIELDS},
        "facts": dict(facts),
        "procedure": {"arrival_time": LocalClock(arrival_time, locale) if arrival_time else None},
    }
    if channel is Channel.EMAIL:
        context["patient"] = {
            "given_name": person.given_name,
            "family_name": person.family_name,
        }
    if procedure_date is not None:
        context["procedure"]["date"] = LocalDate(procedure_date, locale)
    if procedure_date is not None and arrival_time is not None:
        arrival = datetime.combine(procedure_date, arrival_time)
        context["fasting"] = {
            "food_until": _before(arrival, site.food_before_arrival, locale),
            "fluids_until": _before(arrival, site.fluids_before_arrival, locale),
        }
    return context


def _before(arrival: datetime, span: timedelta, locale: str) -> LocalClock:
    return LocalClock(arrival - span, locale)
