"""The practice's sites: hours, days, numbers and wording. A change plans anew what is still to go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from journey.bootstrap import App
from journey.domain.contact import LOCALES, FieldErrors
from journey.domain.site import Site
from journey.services import site_settings, working
from journey.services.context import Missing, Refusal
from journey.services.publishing import find_site
from journey.store import jobs, sites
from journey.store.schema.work import JobKind
from journey.store.sites import StoredSite
from journey.store.staff import Staff
from journey.web.access import Administrator
from journey.web.forms import Fields, Form
from journey.web.requests import TheApp
from journey.web.staff.shell import show

router = APIRouter()
_AT_ONCE = 1.0  # seconds of planning anew before the page shows how far it is
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of the form."""

    name: str
    label: str
    hint: str = ""
    type: str = "text"


_GROUPS: tuple[tuple[str, tuple[Setting, ...]], ...] = (
    (
        "The site",
        (
            Setting("name", "Name", "As e-mails name it"),
            Setting("sms_name", "Short name", "As texts begin; at most 20 letters"),
            Setting("phone", "Phone", "As patients should dial it"),
            Setting("address", "Address"),
            Setting("office_hours", "Office hours", "When replies are read, such as Mon-Fri 9am-5pm"),
            Setting("booking_url", "Booking page", "Where follow-ups are booked"),
        ),
    ),
    (
        "Place and language",
        (
            Setting("zone", "Time zone", "Such as Europe/London"),
            Setting("country", "Country", "Two letters, such as GB: its public holidays and phone numbers"),
        ),
    ),
    (
        "When messages may go out",
        (
            Setting("opens", "Not before", type="time"),
            Setting("closes", "Not after", type="time"),
        ),
    ),
    (
        "When somebody reads replies",
        (
            Setting("staffed_from", "From", type="time"),
            Setting("staffed_until", "Until", type="time"),
        ),
    ),
    (
        "In an emergency",
        (
            Setting("emergency_number", "Emergency number"),
            Setting("emergency_place", "Where to go", "Such as A&E"),
            Setting("urgent_advice_number", "Number for urgent advice", "Leave it empty where there is none"),
        ),
    ),
    (
        "Before and after the procedure",
        (
            Setting("food_before_arrival", "No food before arrival", "A duration such as 6h"),
            Setting("fluids_before_arrival", "No clear fluids before arrival", "A duration such as 2h"),
            Setting("fasting_note", "Note about fasting"),
            Setting("wound_care", "Care of the wound"),
            Setting("lifting_limit", "Lift no more than"),
            Setting("activity_rest", "No strenuous activity for"),
        ),
    ),
)
_TEXTS = [setting.name for _, group in _GROUPS for setting in group]


@router.get("/settings")
def home(app: TheApp, who: Administrator) -> Response:
    with app.context.database.read() as tx:
        known = sites.everyone(tx)
        plans = {one.id: jobs.latest(tx, JobKind.REPLAN, str(one.id)) for one in known}
    return show(app, who, "settings", here="/settings", sites=known, plans=plans, days=_DAYS)


def _find(app: App, key: str) -> StoredSite:
    try:
        with app.context.database.read() as tx:
            return find_site(tx, key)
    except Refusal:
        raise Missing("There is no such site.") from None


@router.get("/settings/sites/{key}")
def ask(app: TheApp, who: Administrator, key: str) -> Response:
    stored = _find(app, key)
    return _form(app, who, stored, Fields(_as_pairs(stored.site)), {}, str(stored.revision))


@router.post("/settings/sites/{key}")
def save(app: TheApp, who: Administrator, key: str, form: Form) -> Response:
    """Writes the settings, unless somebody else did meanwhile; small practices are planned anew at once."""
    stored = _find(app, key)
    if form["revision"] != str(stored.revision):
        text = "Somebody else has changed this site. These are the settings now; change them again."
        return _form(
            app, who, stored, Fields(_as_pairs(stored.site)), {"": text}, str(stored.revision), status=409
        )
    try:
        changed = site_settings.read_pairs(stored.site, _stated(form))
        job_id = site_settings.change_site(app.context, stored, changed, who.email)
    except FieldErrors as error:
        return _form(app, who, stored, form, error.errors, form["revision"])
    except Refusal as error:
        return _form(app, who, stored, form, {"": str(error)}, form["revision"])
    app.library.forget_sites()
    working.work(app.context, _AT_ONCE, job_id)
    return RedirectResponse("/settings", status_code=303)


def _stated(form: Fields) -> list[str]:
    days = ", ".join(str(number) for number in range(7) if str(number) in form.every("open_weekdays"))
    return [
        *(f"{name}={form[name]}" for name in (*_TEXTS, "locale")),
        f"open_weekdays=[{days}]",
        f"keeps_public_holidays={'yes' if form.is_ticked('keeps_public_holidays') else 'no'}",
    ]


def _as_pairs(site: Site) -> list[tuple[str, str]]:
    values: dict[str, Any] = site.model_dump(mode="json")
    pairs = [(name, str(values[name])) for name in (*_TEXTS, "locale")]
    pairs += [("open_weekdays", str(day)) for day in site.open_weekdays]
    return [*pairs, ("keeps_public_holidays", "yes" if site.keeps_public_holidays else "")]


def _form(
    app: App,
    who: Staff,
    stored: StoredSite,
    form: Fields,
    errors: dict[str, str],
    revision: str,
    status: int = 0,
) -> Response:
    return show(
        app,
        who,
        "site",
        here="/settings",
        status=status or (422 if errors else 200),
        site=stored.site,
        revision=revision,
        groups=_GROUPS,
        days=list(enumerate(_DAYS)),
        ticked=form.every("open_weekdays"),
        locales=LOCALES,
        form=form,
        errors=errors,
    )
