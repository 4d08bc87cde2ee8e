"""Changes to a patient's journey: each shown with all that follows, then done, and never over another's."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from journey.bootstrap import App
from journey.domain.calendar import read_zone
from journey.services import changing
from journey.services.context import Missing, Refusal, Stale
from journey.services.describing import describe, describe_outcome
from journey.store.staff import Staff
from journey.web.access import Coordinator
from journey.web.charts.acts import ACTS, Asked, FieldFault, acts_for, first_guess, wish_of
from journey.web.charts.consequences import consequences_of
from journey.web.charts.lines import say_event
from journey.web.charts.rewordings import rewordings
from journey.web.forms import Form, own_path
from journey.web.requests import TheApp
from journey.web.staff.patient import File, read_file
from journey.web.staff.shell import show

router = APIRouter()


@router.get("/enrollments/{enrollment_id}/acts/{key}")
def ask(app: TheApp, who: Coordinator, enrollment_id: UUID, key: str) -> Response:
    """What the act would change, with a first guess where it asks for something. Changes nothing."""
    file = read_file(app, enrollment_id, who)
    return _consequences(app, who, file, first_guess(file.chart, _act(file, key).act))


@router.post("/enrollments/{enrollment_id}/acts/{key}")
def act(app: TheApp, who: Coordinator, enrollment_id: UUID, key: str, form: Form) -> Response:
    """Shows what follows from what was typed; with the confirming button, does it."""
    file = read_file(app, enrollment_id, who)
    revision = _revision(form["revision"])
    if form["step"] == "confirm" and key in ACTS and 0 <= revision < file.chart.enrollment.revision:
        asked = Asked(ACTS[key], form["day"], form["arrival"])  # even if it cannot be done any more
        return _too_late(app, who, file, asked, revision)
    asked = Asked(_act(file, key).act, form["day"], form["arrival"])
    if form["step"] != "confirm":
        return _consequences(app, who, file, asked)
    try:
        wish = wish_of(file.chart, asked, file.now, file.ways)
        changing.change(app.context, enrollment_id, wish, who.email, revision=revision)
    except Stale:
        return _too_late(app, who, read_file(app, enrollment_id, who), asked, revision)
    except Refusal as error:
        return _consequences(app, who, file, asked, error)
    return RedirectResponse(own_path(form["back"] or f"/enrollments/{enrollment_id}"), status_code=303)


def _too_late(app: App, who: Staff, file: File, asked: Asked, revision: int) -> Response:
    return _consequences(app, who, file, asked, Stale(changing.CHANGED), list(_meanwhile(file, revision)))


def _act(file: File, key: str) -> Asked:
    if key not in ACTS or ACTS[key] not in acts_for(file.chart, file.now, file.ways):
        raise Missing("That cannot be done for this patient now.")
    return Asked(ACTS[key])


def _revision(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else -1


def _meanwhile(file: File, revision: int) -> Iterable[tuple[datetime, str, str]]:
    """Who changed what since a revision was shown, oldest first."""
    zone = read_zone(file.chart.site.zone)
    for entry in reversed(file.trail):
        detail = json.loads(entry["detail"])
        if detail.get("revision", 0) > revision:
            text, more = say_event(entry["action"], detail)
            yield entry["at"].astimezone(zone), entry["actor"], f"{text} {more}".strip()


def _consequences(
    app: App,
    who: Staff,
    file: File,
    asked: Asked,
    error: Refusal | None = None,
    meanwhile: list[Any] | None = None,
) -> Response:
    found, reworded = None, []
    try:
        wish = wish_of(file.chart, asked, file.now, file.ways)
        preview = changing.preview_change(app.context, file.chart.id, wish)
        found = consequences_of(file.chart, preview.changes)
        if asked.act.key == "version":
            before = describe(app.context, app.library, file.chart.id, who.email)
            after = describe_outcome(app.context, app.library, preview, who.email)
            reworded = rewordings(before, after, file.chart.pathway)
    except Refusal as refusal:
        error = error or refusal
    status = 200 if error is None else 409 if isinstance(error, Stale) else 422
    return show(
        app,
        who,
        "act",
        here="/patients",
        status=status,
        chart=file.chart,
        asked=asked,
        found=found,
        reworded=reworded,
        errors={getattr(error, "field", ""): str(error)} if error else {},
        meanwhile=meanwhile or [],
        field=error.field if isinstance(error, FieldFault) else "",
    )
