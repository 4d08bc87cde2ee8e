"""Puts the web application together from its parts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.staticfiles import StaticFiles

from journey import __version__
from journey.bootstrap import App
from journey.web import health, hooks, unsubscribe
from journey.web.security import SecurityHeaders

_STATIC = Path(__file__).parent / "static"


def create_app(app: App, extra_routers: Sequence[APIRouter] = ()) -> FastAPI:
    """The web application on a wired process, with pages of its own for the demonstration."""
    web = FastAPI(title="Journey", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    web.router.redirect_slashes = False  # it would send to whatever host the request names
    web.state.journey = app
    web.add_middleware(SecurityHeaders)
    for module in (health, hooks, unsubscribe):
        web.include_router(module.router)
    for router in extra_routers:
        web.include_router(router)
    web.mount("/static", StaticFiles(directory=_STATIC), name="static")
    return web
