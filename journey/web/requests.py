"""What every route takes from its request."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from journey.bootstrap import App


def journey_of(request: Request) -> App:
    """The wired application behind a request."""
    app: App = request.app.state.journey
    return app


TheApp = Annotated[App, Depends(journey_of)]
