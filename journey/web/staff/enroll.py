"""Enrolling: a form from the pathway's own facts, beside it every message to come, then one click."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from journey.bootstrap import App
from journey.domain.calendar import read_zone
from journey.domain.contact import LOCALES, FieldErrors
from journey.domain.facts import ARRIVAL_FACT, Fact
from journey.services.admission import Prepared, Request, Setting, prepare
from journey.services.considering import Consideration, consider
from journey.services.enrolling import CONSENT_WORDING, enroll
from journey.services.known import SOMEBODY_ELSE, SomebodyElse
from journey.services.publishing import find_setting, offered
from journey.store.staff import Staff
from journey.web.access import Coordinator
from journey.web.charts.previews import Preview, preview_days
from journey.web.forms import Fields, Form
from journey.web.pages import page
from journey.web.requests import TheApp
from journey.web.staff.shell import show

router = APIRouter()
_PERSON = (
    "given_name",
    "family_name",
    "phone",
    "email",
    "birth_date",
    "record_number",
    "locale",
    "time_zone",
)
_CHANGED = "What would go out has changed since you looked. Read it again, then enroll."


@dataclass(frozen=True, slots=True)
class Desk:
    """What the form offers: pathways and sites to choose from, and the chosen ones."""

    pathways: list[tuple[str, str]]
    sites: list[tuple[str, str]]
    setting: Setting

    @property
    def facts(self) -> list[Fact]:
        return [fact for fact in self.setting.version.pathway.facts if fact.key != ARRIVAL_FACT]

    @property
    def zone(self) -> str:
        return self.setting.site.site.zone


@router.get("/enroll")
def ask(app: TheApp, who: Coordinator, pathway: str = "", site: str = "") -> Response:
    desk = _desk(app, who, Fields([("pathway", pathway), ("site", site)]))
    return _form(app, who, desk, Fields(_first(desk)), {}, None)


@router.post("/enroll")
def decide(app: TheApp, who: Coordinator, form: Form) -> Response:
    """Shows what would happen; with the button of exactly that preview, does it."""
    desk = _desk(app, who, form)
    prepared, errors = _read(app, desk, form)
    if prepared is None:
        return _form(app, who, desk, form, errors, None)
    try:
        found = consider(app.context, desk.setting, prepared)
        if form["step"] != "confirm":
            return _form(app, who, desk, form, {}, _preview(desk, prepared, found))
        if form["seen"] != found.seen:
            return _form(app, who, desk, form, {"": _CHANGED}, _preview(desk, prepared, found), status=409)
        done = enroll(app.context, desk.setting, prepared)
    except SomebodyElse:
        return _form(app, who, desk, form, {"record_number": SOMEBODY_ELSE}, None)
    return RedirectResponse(f"/enrollments/{done.enrollment_id}?new={int(done.is_new)}", status_code=303)


@router.post("/enroll/preview")
def look(app: TheApp, who: Coordinator, form: Form) -> HTMLResponse:
    """The preview alone, for the script that keeps it beside the form while one types."""
    desk = _desk(app, who, form)
    prepared, errors = _read(app, desk, form)
    if prepared is None:
        missing = {name: text for name, text in errors.items() if form[name] or name == "facts"}
        return page("staff/enroll-preview", preview=None, waiting=missing)
    try:
        preview = _preview(desk, prepared, consider(app.context, desk.setting, prepared))
    except SomebodyElse:
        waiting = {"record_number": f"Record number {SOMEBODY_ELSE}"}
        return page("staff/enroll-preview", preview=None, waiting=waiting)
    return page("staff/enroll-preview", preview=preview, waiting={})


def _desk(app: App, who: Staff, form: Fields) -> Desk:
    """Raises Refusal while no pathway is published."""
    with app.context.database.read() as tx:
        live, known = offered(tx)
        pathway = form["pathway"] if form["pathway"] in dict(live) else live[0][0]
        site = form["site"] if form["site"] in dict(known) else known[0][0]
        setting = find_setting(tx, pathway, site, who.email)
    return Desk(live, known, setting)


def _first(desk: Desk) -> list[tuple[str, str]]:
    """What the empty form begins with: the pathway's defaults, and nothing ticked."""
    begins = [("pathway", desk.setting.version.pathway_key), ("site", desk.setting.site.site.key)]
    for fact in desk.facts:
        if fact.default is not None:
            begins.append((f"fact.{fact.key}", _as_text(fact.default)))
    return begins


def _as_text(value: bool | str) -> str:
    return value if isinstance(value, str) else "yes" if value else "no"


def _read(app: App, desk: Desk, form: Fields) -> tuple[Prepared | None, dict[str, str]]:
    """The request, or what is wrong with each field."""
    stated = {fact.key: form[f"fact.{fact.key}"] for fact in desk.facts if form[f"fact.{fact.key}"]}
    person: dict[str, str | None] = {name: form[name] for name in _PERSON}
    request = Request(
        person=person | {"prefers": form["prefers"] or None},
        procedure_date=form["procedure_date"],
        arrival_time=form["arrival_time"] or None,
        facts=stated,
        # An empty box says nothing: a known patient's consent is taken back on their own page alone.
        consent_sms=form.is_ticked("consent_sms") or None,
        consent_email=form.is_ticked("consent_email") or None,
    )
    errors: dict[str, str] = {}
    for fact in desk.facts:
        try:
            if fact.key in stated:
                fact.read(stated[fact.key])
        except ValueError as error:
            errors[f"fact.{fact.key}"] = str(error)
    try:
        prepared = prepare(request, desk.setting, app.context.clock.now())
    except FieldErrors as error:
        errors |= {name: text for name, text in error.errors.items() if name != "facts" or not errors}
        return None, errors
    return (None, errors) if errors else (prepared, {})


def _preview(desk: Desk, prepared: Prepared, found: Consideration) -> dict[str, Any]:
    zone = read_zone(prepared.contact.time_zone or desk.zone)
    day = prepared.procedure_date
    shown: Preview = preview_days(
        found.messages, desk.setting.version.pathway, desk.setting.site.site, zone, day, prepared.arrival_time
    )
    return {"found": found, "shown": shown, "name": prepared.person.given_name}


def _form(
    app: App,
    who: Staff,
    desk: Desk,
    form: Fields,
    errors: dict[str, str],
    preview: dict[str, Any] | None,
    status: int = 200,
) -> HTMLResponse:
    return show(
        app,
        who,
        "enroll",
        here="/enroll",
        status=422 if errors and status == 200 else status,
        desk=desk,
        form=form,
        errors=_with_names(errors),
        preview=preview,
        waiting={},
        locales=LOCALES,
        wording=CONSENT_WORDING,
    )


_NAMES = {
    "given_name": "Given name",
    "family_name": "Family name",
    "phone": "Mobile phone",
    "email": "E-mail",
    "birth_date": "Date of birth",
    "record_number": "Record number",
    "procedure_date": "Procedure date",
    "arrival_time": "Arrival time",
    "time_zone": "Time zone",
    "locale": "Language",
}


def _with_names(errors: dict[str, str]) -> dict[str, str]:
    return {name: f"{_NAMES[name]} {text}" if name in _NAMES else text for name, text in errors.items()}
