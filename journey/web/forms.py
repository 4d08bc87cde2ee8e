"""What a page of ours posts: short texts, read whole and bounded; missing ones are empty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import parse_qsl, quote
from uuid import UUID

from fastapi import Depends, HTTPException, Request

MAX_FORM = 200_000  # bytes
_TOO_LARGE = "This form holds more than Journey takes. Shorten what you typed and send it again."


class Fields(Mapping[str, str]):
    """A form's fields, stripped of outer blanks. A name that was not sent reads as empty."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self.pairs = pairs
        self._values = {name: text.strip() for name, text in pairs}

    def __getitem__(self, name: str) -> str:
        return self._values.get(name, "")

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Any:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def raw(self, name: str) -> str:
        """The text as it was typed, for passwords."""
        return next((text for key, text in self.pairs if key == name), "")

    def every(self, name: str) -> list[str]:
        """All values under one name, such as ticked boxes."""
        return [text for key, text in self.pairs if key == name]

    def is_ticked(self, name: str) -> bool:
        return bool(self[name])


async def read_fields(request: Request) -> Fields:
    """Raises 413 for a form that no page of ours would send, whatever its headers say."""
    kept: Fields | None = getattr(request.state, "fields", None)
    if kept is not None:
        return kept
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM:
            raise HTTPException(413, _TOO_LARGE)
    try:
        text = body.decode("utf-8")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=500, errors="strict")
    except (UnicodeError, ValueError):
        raise HTTPException(422, "The form cannot be read. Go back and send it again.") from None
    # Databases take no zero bytes in texts, and no form of ours sends them.
    fields = Fields([(name, value.replace("\0", "")) for name, value in pairs])
    request.state.fields = fields
    return fields


Form = Annotated[Fields, Depends(read_fields)]


def read_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def own_path(text: str, otherwise: str = "/") -> str:
    """An address of this application, never of another one."""
    is_own = text.startswith("/") and not text.startswith("//") and "\\" not in text and text.isprintable()
    return quote(text, safe="/?=&%-._~:+,") if is_own else otherwise
