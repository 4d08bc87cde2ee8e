"""Refusals and failures as problem documents (RFC 9457), naming the field at fault."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, Field
from starlette.routing import compile_path

from journey.services.context import Missing, Refusal, Stale

PREFIX = "/api/"
MEDIA = "application/problem+json"
_TITLES = {
    400: "Cannot be read",
    401: "Key needed",
    403: "Not allowed",
    404: "Not found",
    405: "Not possible here",
    409: "Not possible now",
    413: "Too large",
    422: "Does not fit the schema",
    429: "Too many requests",
    500: "Fault in Journey",
    503: "Database away",
}


class FieldFault(BaseModel):
    """What is wrong with one field. `pointer`: a JSON pointer into the body, or a parameter's name."""

    pointer: str = Field(examples=["#/patient/phone"])
    detail: str


class ProblemDocument(BaseModel):
    """RFC 9457. `errors` names each field at fault."""

    type: str = Field(examples=["urn:journey:problem:not-possible-now"])
    title: str
    status: int
    detail: str
    errors: list[FieldFault] = Field(default_factory=list)


class Problem(Exception):
    """A refusal of the API."""

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Sequence[FieldFault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors, self.headers = status, detail, errors, headers


def is_api(request: Request) -> bool:
    return request.url.path.startswith(PREFIX)


def as_problem(
    status: int, detail: str, errors: Sequence[FieldFault] = (), headers: Mapping[str, str] | None = None
) -> JSONResponse:
    title = _TITLES.get(status, "Not possible")
    is_field = bool(set("._#:") & set(detail.partition(" ")[0]))  # a field keeps its name as it is
    text = f"{detail[:1] if is_field else detail[:1].upper()}{detail[1:].rstrip('.')}."
    document = ProblemDocument(
        type=f"urn:journey:problem:{title.lower().replace(' ', '-')}",
        title=title,
        status=status,
        detail=text,
        errors=list(errors),
    )
    return JSONResponse(document.model_dump(), status, dict(headers or {}), MEDIA)


async def on_problem(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    return as_problem(error.status, error.detail, error.errors, error.headers)


def refused(error: Refusal) -> JSONResponse:
    """Well formed, but it cannot be done as things stand; 404 for what is not there."""
    if isinstance(error, Missing):
        return as_problem(404, str(error))
    detail = str(error)
    if isinstance(error, Stale):
        detail += "; read the enrollment again for its present revision"
    return as_problem(409, detail)


def faults(errors: Mapping[str, str], places: Mapping[str, str]) -> Problem:
    """Fields that are well formed and still cannot be. `places` gives each one's place in the body."""
    found = [
        FieldFault(pointer=f"#/{places.get(name, name)}" if name else "#", detail=text)
        for name, text in errors.items()
    ]
    first = next(iter(errors.items()))
    return Problem(409, f"{places.get(first[0], first[0]).replace('/', '.')} {first[1]}".strip(), found)


def unreadable(errors: Sequence[Any]) -> JSONResponse:
    """What does not fit the schema. What was sent is not repeated: it may be a patient's."""
    if any(error["type"] == "json_invalid" for error in errors):
        return as_problem(400, "the body is no JSON")
    found = [FieldFault(pointer=_pointer(error["loc"]), detail=str(error["msg"])) for error in errors]
    detail = f"{found[0].pointer}: {found[0].detail}" if found else "the request does not fit the schema"
    return as_problem(422, detail, found)


def _pointer(place: Sequence[str | int]) -> str:
    kind, *rest = place or ("body",)
    path = "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in rest)
    return f"#/{path}" if kind == "body" else f"{kind}:{path}"


def routes_of_api(web: FastAPI) -> list[tuple[re.Pattern[str], frozenset[str]]]:
    """The addresses of the API with their methods."""
    found = []
    for context in iter_route_contexts(web.routes):
        path = str(getattr(context, "path", ""))
        if path.startswith(PREFIX):
            found.append((compile_path(path)[0], frozenset(context.methods or ())))
    return found


def allowed_methods(request: Request) -> str:
    """Every method of an address: each route alone knows only its own."""
    known: list[tuple[re.Pattern[str], frozenset[str]]] = request.app.state.api_routes
    methods = {method for path, own in known if path.match(request.url.path) for method in own}
    return ", ".join(sorted(methods))
