"""The demonstration's pages: the outbox as a phone and an inbox, timelines, and a clock with buttons."""

from __future__ import annotations

from fastapi import FastAPI

from journey.bootstrap import App
from journey.web.app import create_app
from journey.web.demo.controls import Controls
from journey.web.demo.routes import router

__all__ = ["Controls", "create_demo"]


def create_demo(app: App, controls: Controls) -> FastAPI:
    """The web application with the demonstration's pages in place of the staff's."""
    web = create_app(app, [router])
    web.state.demonstration = controls
    return web
