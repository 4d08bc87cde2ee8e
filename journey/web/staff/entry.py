"""The way in: signing in with password and second factor, setting an account up, and signing out.

A form that was sent after its session had ended is kept, sealed, through the sign-in, and comes back filled.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from journey.bootstrap import App
from journey.domain.contact import FieldErrors
from journey.services import accounts, signing_in
from journey.services.context import Refusal
from journey.store.sealing import SealError
from journey.store.staff import Session
from journey.web.access import (
    PUBLIC,
    PendingSession,
    clear_session,
    cookie_name,
    session_behind,
    set_session,
)
from journey.web.forms import Fields, Form, own_path, read_fields
from journey.web.pages import page
from journey.web.requests import TheApp, journey_of
from journey.web.throttle import limit_tries

router = APIRouter()
_KEPT, _KEPT_FOR = "form.kept", timedelta(hours=1)
_SAFE = ("GET", "HEAD")
# They hold passwords and codes, which no page ever shows again.
_NEVER_KEPT = ("/account/password", "/sign-in/code", "/second-factor", "/sign-out")


@router.get("/sign-in", dependencies=[PUBLIC])
def ask(request: Request, next: str = "/") -> Response:
    found = session_behind(request)
    if found is not None and found.is_complete:
        return RedirectResponse(own_path(next), status_code=303)
    return _door("sign-in", next=own_path(next), kept="", email="", error="", sso=_sso_name(request))


@router.post("/sign-in", dependencies=[PUBLIC])
def enter(request: Request, app: TheApp, form: Form) -> Response:
    limit_tries(request, "password", form["email"])
    try:
        token = signing_in.sign_in(app.context, form["email"], form.raw("password"))
    except Refusal as error:
        return _door(
            "sign-in",
            status=422,
            next=own_path(form["next"]),
            kept=form["kept"],
            email=form["email"],
            error=str(error),
            sso=_sso_name(request),
        )
    session = _session(app, token)
    if session.is_complete:
        response = _onward(app, form, session.staff.id)
    elif session.staff.sealed_totp is None:
        response = RedirectResponse("/second-factor", status_code=303)
    else:
        response = _door("code", next=own_path(form["next"]), kept=form["kept"], error="")
    set_session(request, response, token)
    return response


@router.get("/sign-in/code")
def ask_code(session: PendingSession) -> Response:
    if session.is_complete:
        return RedirectResponse("/", status_code=303)
    return _door("code", next="/", kept="", error="")


@router.post("/sign-in/code")
def give_code(request: Request, app: TheApp, session: PendingSession, form: Form) -> Response:
    limit_tries(request, "code", str(session.staff.id))
    try:
        token = signing_in.give_code(app.context, session, form["code"])
    except Refusal as error:
        return _door("code", status=422, next=own_path(form["next"]), kept=form["kept"], error=str(error))
    response = _onward(app, form, session.staff.id)
    set_session(request, response, token)
    return response


@router.post("/sign-out")
def leave(app: TheApp, session: PendingSession) -> Response:
    signing_in.sign_out(app.context, session)
    response = RedirectResponse("/sign-in", status_code=303)
    clear_session(response, app.settings)
    return response


@router.get("/setup/{token}", dependencies=[PUBLIC])
def ask_setup(request: Request, app: TheApp, token: str) -> Response:
    """Changes nothing: scanners of mail follow links."""
    limit_tries(request, "setup", token)
    owner = accounts.whose_link(app.context, token)
    return _door("setup", owner=owner, email="", name=owner.name if owner else "", errors={})


@router.post("/setup/{token}", dependencies=[PUBLIC])
def set_up(request: Request, app: TheApp, token: str, form: Form) -> Response:
    limit_tries(request, "setup", token)
    owner = accounts.whose_link(app.context, token)
    try:
        one = accounts.set_up(
            app.context, token, email=form["email"], name=form["name"], password=form.raw("password")
        )
    except FieldErrors as error:
        return _door(
            "setup", status=422, owner=owner, email=form["email"], name=form["name"], errors=error.errors
        )
    session_token = signing_in.begin(app.context, one)
    to = "/" if _session(app, session_token).is_complete else "/second-factor"
    if one.sealed_totp is not None:
        to = "/sign-in/code"
    response = RedirectResponse(to, status_code=303)
    set_session(request, response, session_token)
    return response


async def sign_in_needed(request: Request, _error: Exception) -> Response:
    """A page: to the sign-in and back. A form: kept until its sender has signed in again."""
    if request.method in _SAFE:
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        to = "/sign-in" if path == "/" else f"/sign-in?next={own_path(path).replace('&', '%26')}"
        return RedirectResponse(to, status_code=303)
    app = journey_of(request)
    is_form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    whose = signing_in.whose(app.context, request.cookies.get(cookie_name(app.settings), ""))
    is_kept = is_form and whose is not None and request.url.path not in _NEVER_KEPT
    kept = _keep(app, request.url.path, await read_fields(request), str(whose)) if is_kept else ""
    error = "You were away for a while, so you have been signed out. "
    error += "Sign in, and your form comes back as you filled it." if kept else "Sign in and try again."
    sso = "" if kept else _sso_name(request)  # a kept form comes back by this page alone
    return _door("sign-in", status=401, next="/", kept=kept, email="", error=error, sso=sso)


def _sso_name(request: Request) -> str:
    provider = request.app.state.provider
    return provider.name if provider else ""


def _keep(app: App, path: str, fields: Fields, whose: str) -> str:
    """For nobody but the one whose session it was."""
    until = app.context.clock.now() + _KEPT_FOR
    # Which button was pressed is left out: what comes back is the form, not its effect.
    pairs = [[name, text] for name, text in fields.pairs if name != "step"]
    return app.context.sealer.seal([path, pairs, until.isoformat()], _KEPT, whose).hex()


def _onward(app: App, form: Fields, whose: UUID) -> Response:
    """Where one wanted to go; with a kept form, back to it."""
    found = _read_kept(app, form["kept"], str(whose))
    if found is None:
        return RedirectResponse(own_path(form["next"]), status_code=303)
    path, pairs = found
    return page("resume", path=path, pairs=pairs)


def _read_kept(app: App, kept: str, whose: str) -> tuple[str, list[tuple[str, str]]] | None:
    try:
        path, pairs, until = app.context.sealer.open(bytes.fromhex(kept), _KEPT, whose)
    except (ValueError, SealError):
        return None
    if datetime.fromisoformat(until) < app.context.clock.now():
        return None
    return own_path(path), pairs


def _session(app: App, token: str) -> Session:
    always = signing_in.Limits(timedelta(days=1), timedelta(days=1))
    found = signing_in.session_of(app.context, token, always)
    assert found is not None  # it began a moment ago
    return found


def _door(template: str, /, *, status: int = 200, **values: Any) -> HTMLResponse:
    return page(f"entry/{template}", status=status, **values)
