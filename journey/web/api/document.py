"""The OpenAPI document of the API, for people who write against it and programs that test it."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse

from journey import __version__
from journey.web.access import PUBLIC
from journey.web.api.problems import ProblemDocument
from journey.web.requests import TheApp

_SOON = timedelta(days=28)
router = APIRouter(dependencies=[PUBLIC], include_in_schema=False)
_ABOUT = """Enroll patients, follow and change their journey, see what needs a person.

Send a key as `Authorization: Bearer KEY`. What is refused is a problem document (RFC 9457): 422 does not
fit this schema, 409 is well formed but not possible as things stand; `errors` names the fields at fault.
Events are posted to webhooks that an admin sets up, signed as Standard Webhooks says.
"""


@router.get("/openapi.json")
def openapi(app: TheApp) -> JSONResponse:
    return JSONResponse(_document(app.context.clock.now().date() + _SOON))


@lru_cache(maxsize=1)
def _document(day: date) -> dict[str, Any]:
    """The document of today: its example is a patient who can be enrolled, whose procedure is on `day`."""
    from journey.web.api import router as api  # the router that this module is part of

    shown = FastAPI(
        title="Journey",
        version=__version__,
        description=_ABOUT,
        generate_unique_id_function=lambda route: (
            f"{route.tags[0]}_{route.name}" if route.tags else route.name
        ),
    )
    shown.include_router(api)
    document: dict[str, Any] = shown.openapi()
    problem = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
    _add_example(document, day)
    document["components"]["schemas"] |= {**problem.pop("$defs"), "ProblemDocument": problem}
    return document


def _add_example(document: dict[str, Any], day: date) -> None:
    """A whole request, and where its answer leads: readers and test programs follow both."""
    schemas, create = document["components"]["schemas"], document["paths"]["/api/v1/enrollments"]["post"]
    schemas["EnrollmentIn"]["examples"] = [
        {
            "patient": {
                "given_name": "Anna",
                "family_name": "Kowalska",
                "phone": "+447700900123",
                "email": "anna@example.org",
                "birth_date": "1961-04-12",
                "record_number": "A-101",
            },
            "pathway": "bvn-ablation",
            "procedure_date": str(day),
            "arrival_time": "07:30",
            "facts": {"takes_blood_thinners": True},
            "consent": {"sms": True, "email": True},
        }
    ]
    leads_to = ("read", "reschedule", "cancel", "complete")
    create["responses"]["201"]["links"] = {
        name: {
            "operationId": f"enrollments_{name}",
            "parameters": {"enrollment_id": "$response.body#/id"},
        }
        for name in leads_to
    }
