"""Pages of long lists: the cursor is where the last page ended, and means nothing to its reader."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query

from journey.web.api.problems import MEDIA

Limit = Annotated[int, Query(ge=1, le=100, description="How many at most.")]
Cursor = Annotated[
    str | None,
    Query(pattern=r"^[0-9a-f]{32}$", description="`next` of the page before; none for the first page."),
]


def read_cursor(text: str | None) -> UUID | None:
    return UUID(hex=text) if text else None


def cursor_of(last: UUID) -> str:
    return last.hex


_WORDS = {
    400: "The body is no JSON.",
    401: "No key, or one that nobody has.",
    403: "The key lacks the scope.",
    404: "There is nothing of that id.",
    409: "Well formed, but not possible as things stand; `errors` names the fields at fault.",
    422: "Does not fit the schema; `errors` names the fields at fault.",
    429: "Too many requests; wait as long as Retry-After says.",
    503: "The database does not answer; try again.",
}


def answers(*more: int) -> dict[int | str, dict[str, Any]]:
    """The refusals that a route can give, for the document."""
    schema = {MEDIA: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}
    codes = sorted({400, 401, 403, 422, 429, 503, *more})
    return {code: {"description": _WORDS[code], "content": schema} for code in codes}
