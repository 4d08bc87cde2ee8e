"""Single sign-on: to the provider and back. What must be remembered meanwhile is in the browser, sealed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from journey.bootstrap import App
from journey.services import signing_in
from journey.services.context import Refusal
from journey.store.sealing import SealError
from journey.web.access import PUBLIC, set_session
from journey.web.forms import own_path
from journey.web.oidc import Departure, Provider
from journey.web.pages import page
from journey.web.requests import TheApp
from journey.web.throttle import limit_address

router = APIRouter(dependencies=[PUBLIC])
BACK = "sign-in/sso/back"
_PLACE, _PATIENCE, _MOST_PATH = "sso.departure", timedelta(minutes=10), 500


def _provider(request: Request) -> Provider:
    found: Provider | None = request.app.state.provider
    if found is None:
        raise HTTPException(404, "Single sign-on is not set up here.")
    return found


def _cookie(app: App) -> str:
    return "__Host-journey-sso" if app.settings.public_url.startswith("https://") else "journey-sso"


@router.get("/sign-in/sso")
def leave(request: Request, app: TheApp, next: str = "/") -> Response:
    provider = _provider(request)
    limit_address(request, "sso")
    try:
        # It travels in a cookie, and browsers drop large ones.
        address, departure = provider.leave(own_path(next) if len(next) <= _MOST_PATH else "/")
    except Refusal as error:
        return _door(app, provider, str(error))
    until = app.context.clock.now() + _PATIENCE
    kept = [departure.state, departure.nonce, departure.verifier, departure.next, until.isoformat()]
    response = RedirectResponse(address, status_code=303)
    _put(response, app, app.context.sealer.seal(kept, _PLACE).hex())
    return response


def _put(response: Response, app: App, value: str) -> None:
    secure = app.settings.public_url.startswith("https://")
    # Lax: it must come along when the provider sends its owner back.
    response.set_cookie(
        _cookie(app), value, max_age=int(_PATIENCE.total_seconds()), httponly=True, samesite="lax",
        secure=secure, path="/",
    )  # fmt: skip


@router.get(f"/{BACK}")
def arrive(request: Request, app: TheApp) -> Response:
    provider = _provider(request)
    limit_address(request, "sso back")
    kept = _read(app, request.cookies.get(_cookie(app), ""))
    try:
        if kept is None:
            raise Refusal("That took too long, or began in another browser. Sign in again.")
        proven = provider.arrive(dict(request.query_params), kept, app.context.clock.now())
        token = signing_in.sign_in_elsewhere(
            app.context, proven.email, has_second_factor=proven.has_second_factor
        )
    except Refusal as error:
        return _door(app, provider, str(error))
    # A session whose second factor is still to come is sent on to it by the first page it opens.
    response = RedirectResponse(kept.next, status_code=303)
    set_session(request, response, token)
    secure = app.settings.public_url.startswith("https://")
    response.delete_cookie(_cookie(app), path="/", secure=secure, httponly=True, samesite="lax")
    return response


def _read(app: App, sealed: str) -> Departure | None:
    try:
        *kept, until = app.context.sealer.open(bytes.fromhex(sealed), _PLACE)
    except (ValueError, SealError):
        return None
    return Departure(*kept) if datetime.fromisoformat(until) > app.context.clock.now() else None


def _door(app: App, provider: Provider, error: str) -> Response:
    values: dict[str, Any] = {"next": "/", "kept": "", "email": "", "error": error, "sso": provider.name}
    return page("entry/sign-in", status=422, **values)
