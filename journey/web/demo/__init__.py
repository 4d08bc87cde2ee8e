"""The demonstration's pages: the outbox as a phone and an inbox, timelines, and a clock with buttons."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from journey.bootstrap import App
from journey.services.context import Refusal
from journey.web.app import create_app
from journey.web.demo.controls import Controls
from journey.web.demo.routes import router
from journey.web.pages import page

__all__ = ["Controls", "create_demo"]


def create_demo(app: App, controls: Controls) -> FastAPI:
    """The web application with the demonstration's pages, and its refusals as pages too."""
    web = create_app(app, [router])
    web.state.demonstration = controls
    web.add_exception_handler(Refusal, _refused)
    web.add_exception_handler(RequestValidationError, _unreadable)
    web.add_exception_handler(HTTPException, _failed)
    return web


async def _refused(_request: Request, error: Exception) -> Response:
    return page("demo-refused", status=404, title="Not found", error=str(error))


async def _unreadable(_request: Request, _error: Exception) -> Response:
    text = "The address or the form is not complete. Go back and try again."
    return page("demo-refused", status=422, title="Not understood", error=text)


async def _failed(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    titles = {403: "Refused", 404: "Not found"}
    text = "There is no page at this address." if error.status_code == 404 else str(error.detail)
    title = titles.get(error.status_code, "Not possible")
    return page("demo-refused", status=error.status_code, title=title, error=text)
