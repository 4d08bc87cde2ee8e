"""Puts the web application together from its parts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.staticfiles import StaticFiles

from journey import __version__
from journey.bootstrap import App, public_address
from journey.web import access, api, errors, health, hooks, staff, unsubscribe
from journey.web.api import problems
from journey.web.api.bodies import BoundedBodies
from journey.web.oidc import Provider
from journey.web.security import SecurityHeaders
from journey.web.staff.entry import sign_in_needed
from journey.web.staff.sso import BACK
from journey.web.throttle import Throttle

_STATIC = Path(__file__).parent / "static"


def create_app(app: App, pages: Sequence[APIRouter] = (staff.router,)) -> FastAPI:
    """The web application on a wired process. The demonstration has pages of its own."""
    web = FastAPI(title="Journey", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    web.router.redirect_slashes = False  # it would send to whatever host the request names
    web.state.journey = app
    web.state.throttle = Throttle(app.settings)
    back = public_address(app.settings, BACK)
    web.state.provider = Provider(app.settings, back) if app.settings.oidc_issuer else None
    web.add_middleware(BoundedBodies)
    web.add_middleware(SecurityHeaders, is_https=app.settings.public_url.startswith("https://"))
    errors.add_handlers(web)
    web.add_exception_handler(access.SignInNeeded, sign_in_needed)
    for router in (health.router, hooks.router, unsubscribe.router, api.router, *pages):
        web.include_router(router)
    web.mount("/static", StaticFiles(directory=_STATIC), name="static")
    access.check_rules(web)
    web.state.noting = asyncio.Semaphore(2)
    web.state.api_routes = problems.routes_of_api(web)
    return web
