"""One's own account: the password, the second factor and its recovery codes."""

from __future__ import annotations

import pyotp
import segno
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from journey.services import accounts, signing_in
from journey.services.context import Refusal
from journey.services.passwords import is_password
from journey.store.staff import Session
from journey.web.access import Owner, PendingSession, set_session
from journey.web.forms import Form
from journey.web.pages import page
from journey.web.requests import TheApp
from journey.web.staff.shell import show
from journey.web.throttle import limit_tries

router = APIRouter()


@router.get("/second-factor")
def offer(app: TheApp, session: PendingSession) -> Response:
    if session.staff.sealed_totp is not None:
        return RedirectResponse("/account" if session.is_complete else "/sign-in/code", status_code=303)
    return _offer(app, session, error="")


@router.post("/second-factor")
def confirm(request: Request, app: TheApp, session: PendingSession, form: Form) -> Response:
    limit_tries(request, "second factor", str(session.staff.id))
    if _asks_password(session) and not is_password(session.staff.password_hash, form.raw("password")):
        return _offer(app, session, error="The password is wrong.", field="password")
    try:
        token, codes = signing_in.confirm_second_factor(app.context, session, form["code"])
    except Refusal as error:
        return _offer(app, session, error=str(error))
    response = page("entry/recovery-codes", codes=codes)
    set_session(request, response, token)
    return response


def _asks_password(session: Session) -> bool:
    """Whoever was signed in already: a browser left open must not become somebody else's account."""
    return session.is_complete and session.staff.password_hash is not None


def _offer(app: TheApp, session: Session, *, error: str, field: str = "code") -> Response:
    secret = signing_in.offered_secret(app.context, session)
    address = pyotp.TOTP(secret).provisioning_uri(name=session.staff.email, issuer_name="Journey")
    picture = segno.make(address, error="m").svg_data_uri(scale=5, border=2, light="#fff")
    spaced = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    return page(
        "entry/second-factor",
        status=422 if error else 200,
        picture=picture,
        secret=spaced,
        errors={field: error} if error else {},
        asks_password=_asks_password(session),
    )


@router.get("/account")
def account(app: TheApp, who: Owner) -> Response:
    left = signing_in.recovery_codes_left(app.context, who.id)
    return show(app, who, "account", here="/account", left=left, error="", done="")


@router.post("/account/password")
def change_password(request: Request, app: TheApp, who: Owner, form: Form) -> Response:
    """Ends every session, this one too: whoever knew the old password is out."""
    limit_tries(request, "own password", str(who.id))
    left = signing_in.recovery_codes_left(app.context, who.id)
    try:
        if not is_password(who.password_hash, form.raw("old")):
            raise ValueError("The present password is wrong.")
        accounts.set_password(app.context, who.id, form.raw("new"), who.email)
    except ValueError as error:
        text = str(error) if str(error).endswith("wrong.") else f"The new password {error}."
        return show(app, who, "account", here="/account", status=422, left=left, error=text, done="")
    return RedirectResponse("/sign-in", status_code=303)
