"""The audit log: searched by who, what and whom, and walked to see that it is whole."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import RedirectResponse, Response

from journey.bootstrap import App
from journey.domain.calendar import to_instant
from journey.domain.contact import read_date
from journey.services import auditing, working
from journey.services.library import practice_zone
from journey.store.audit import Wanted
from journey.store.staff import Staff
from journey.web.access import Auditor
from journey.web.forms import Form
from journey.web.requests import TheApp
from journey.web.staff.shell import show

router = APIRouter()
_AT_ONCE = 1.0  # seconds of walking before the page shows how far it is
_MOST = 200  # characters of what is searched for
_ACTIONS = (
    "patient.viewed", "patient.listed", "message.viewed", "enrollment.created", "enrollment.rescheduled",
    "enrollment.cancelled", "enrollment.completed", "patient.contact_changed", "message.written",
    "message.sent_now", "task.done", "session.began", "session.refused", "staff.invited", "staff.disabled",
    "site.changed", "import.begun", "report.viewed", "audit.searched",
)  # fmt: skip


@router.get("/audit")
def look(
    request: Request,
    app: TheApp,
    who: Auditor,
    actor: str = Query("", max_length=_MOST),
    action: str = Query("", max_length=_MOST),
    subject: str = Query("", max_length=_MOST),
    since: str = "",
    until: str = "",
    before: int | None = Query(None, ge=1, le=2**53),
) -> Response:
    with app.context.database.read() as tx:
        zone = practice_zone(tx)
    errors: dict[str, str] = {}
    begins, ends = _day("since", since, errors), _day("until", until, errors)
    for name, text in (("actor", actor), ("action", action), ("subject", subject)):
        if not text.isprintable():
            raise HTTPException(422, f"What is searched under {name} holds a control character.")
    wanted = Wanted(
        actor.strip(),
        action.strip().replace(" ", "."),
        subject.strip(),
        _instant(begins, zone),
        _instant(ends + timedelta(days=1) if ends else None, zone),
    )
    return _show(app, who, request, wanted, before, zone, errors)


def _day(name: str, text: str, errors: dict[str, str]) -> date | None:
    try:
        day = read_date(text) if text else None
        if day is not None and not 2000 <= day.year < 2200:
            raise ValueError(f"{text} is outside of any log")
    except ValueError as error:
        errors[name] = str(error)
        return None
    return day


def _instant(day: date | None, zone: ZoneInfo) -> datetime | None:
    return to_instant(day, time(0), zone) if day else None


def _show(
    app: App,
    who: Staff,
    request: Request,
    wanted: Wanted,
    before: int | None,
    zone: ZoneInfo,
    errors: dict[str, str],
) -> Response:
    found = auditing.search(app.context, wanted, before, who.email)
    check = auditing.latest_check(app.context)
    kept = {name: text for name, text in request.query_params.items() if name != "before" and text}
    older = f"/audit?{urlencode(kept | {'before': found.before})}" if found.before else ""
    return show(
        app,
        who,
        "audit",
        here="/audit",
        status=422 if errors else 200,
        wanted=wanted,
        since=request.query_params.get("since", ""),
        until=request.query_params.get("until", ""),
        found=found,
        next_page=older,
        zone=zone,
        check=check,
        checked_at=(check.ended_at or check.created_at).astimezone(zone) if check else None,
        actions=_ACTIONS,
        errors=errors,
    )


@router.post("/audit/check")
def walk(app: TheApp, who: Auditor, form: Form) -> Response:
    """Begins to walk the log; a short one is walked at once."""
    job_id = auditing.begin_check(app.context, who.email)
    working.work(app.context, _AT_ONCE, job_id)
    return RedirectResponse("/audit", status_code=303)
