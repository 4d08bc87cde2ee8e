"""Patients: searched, or in groups with filters in the address. What is searched for never is."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response

from journey.bootstrap import App
from journey.services import patient_lists
from journey.services.patient_lists import Group, Listing
from journey.services.today import local_now
from journey.store.listings import Place
from journey.store.staff import Staff
from journey.web.access import Reader
from journey.web.charts.states import state_of_enrollment
from journey.web.forms import Form
from journey.web.requests import TheApp
from journey.web.staff.shell import show

router = APIRouter()
_MOMENT = "%Y%m%dT%H%M%S.%fZ"
_GROUPS = {
    Group.UPCOMING: "Upcoming",
    Group.RECOVERING: "Recovering",
    Group.ATTENTION: "Needs attention",
    Group.POSTPONED: "Without a date",
}


@router.get("/patients")
def browse(
    app: TheApp, who: Reader, wanted: Annotated[str, Query(alias="show")] = Group.UPCOMING, after: str = ""
) -> Response:
    group = Group(wanted) if wanted in set(Group) else Group.UPCOMING
    today = local_now(app.context).date()
    listing = patient_lists.browse(app.context, app.library, group, _read_place(after), today, who.email)
    return _list(app, who, listing, today, group=group)


@router.post("/patients")
def search(app: TheApp, who: Reader, form: Form) -> Response:
    """Posted, so that nobody's name or number stands in an address, a history or a proxy's log."""
    today = local_now(app.context).date()
    text = form["q"]
    if not text:
        return browse(app, who)
    return _list(app, who, patient_lists.search(app.context, app.library, text, who.email), today, text=text)


def _list(
    app: App, who: Staff, listing: Listing, today: date, *, group: Group | None = None, text: str = ""
) -> Response:
    return show(
        app,
        who,
        "patients",
        here="/patients",
        listing=listing,
        groups=_GROUPS,
        group=group,
        text=text,
        today=today,
        state_of=lambda one: state_of_enrollment(one.enrollment, today, is_over=one.next_at is None),
        next_page=_write_place(listing.after),
    )


def _write_place(place: Place | None) -> str:
    if place is None:
        return ""
    at = place.at.astimezone(UTC).strftime(_MOMENT) if place.at else ""
    return f"{place.day or ''}_{at}_{place.id}"


def _read_place(text: str) -> Place | None:
    try:
        day, at, row = text.split("_")
        moment = datetime.strptime(at, _MOMENT).replace(tzinfo=UTC) if at else None
        return Place(date.fromisoformat(day) if day else None, moment, UUID(row))
    except ValueError:
        return None
