"""Puts the web application together from its parts."""

from __future__ import annotations

from fastapi import FastAPI

from journey import __version__
from journey.bootstrap import App
from journey.web import health, hooks, unsubscribe
from journey.web.security import SecurityHeaders


def create_app(app: App) -> FastAPI:
    """The web application on a wired process."""
    web = FastAPI(title="Journey", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    web.state.journey = app
    web.add_middleware(SecurityHeaders)
    for module in (health, hooks, unsubscribe):
        web.include_router(module.router)
    return web
