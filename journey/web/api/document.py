"""The OpenAPI document of the API, for people who write against it and programs that test it."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse

from journey import __version__
from journey.web.access import PUBLIC

router = APIRouter(dependencies=[PUBLIC], include_in_schema=False)
_ABOUT = """Enroll patients, follow and change their journey, see what needs a person.

Send a key as `Authorization: Bearer KEY`. What is refused is a problem document (RFC 9457): 422 does not
fit this schema, 409 is well formed but not possible as things stand; `errors` names the fields at fault.
Events are posted to webhooks that an admin sets up, signed as Standard Webhooks says.
"""


@router.get("/openapi.json")
def openapi() -> JSONResponse:
    return JSONResponse(_document())


@cache
def _document() -> dict[str, Any]:
    from journey.web.api import router as api  # the router that this module is part of

    shown = FastAPI(title="Journey", version=__version__, description=_ABOUT)
    shown.include_router(api)
    return shown.openapi()
