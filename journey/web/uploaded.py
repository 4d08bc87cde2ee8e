"""A file that somebody uploads: read whole and bounded, in memory alone, since it holds patients."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from journey.services.uploads import MOST_BYTES
from journey.web.forms import Fields

_BESIDE = 100_000  # bytes of what surrounds the file
_TOO_LARGE = f"A file may have at most {MOST_BYTES // 1_000_000} MB. Split it, and upload the parts."
_BROKEN = "The upload did not arrive whole. Try again; if it keeps failing, save the file again as CSV."


class _InMemory(MultiPartParser):
    """Never a temporary file: whatever is on disk is sealed."""

    spool_max_size = MOST_BYTES + _BESIDE

    def __init__(self, *args: Any, **how: Any) -> None:
        super().__init__(*args, **how)
        self.opened: list[UploadFile] = []

    def on_headers_finished(self) -> None:
        super().on_headers_finished()
        if self._current_part.file is not None:
            self.opened.append(self._current_part.file)


@dataclass(frozen=True, slots=True)
class Uploaded:
    """`raw` None: no file was chosen."""

    fields: Fields
    name: str
    raw: bytes | None


async def read_upload(request: Request) -> Uploaded:
    """Raises 413 for a file that is too large whatever its headers say, 422 for a broken upload."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise HTTPException(422, _BROKEN)
    parser = _InMemory(request.headers, _bounded(request), max_files=1, max_fields=20)
    try:
        form = await parser.parse()
        file = form.get("file")
        pairs = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
        if isinstance(file, UploadFile):
            return Uploaded(Fields(pairs), _plain_name(file.filename or ""), await file.read() or None)
        if parser.opened:
            raise HTTPException(422, _BROKEN)  # it begins, and its end never came
        return Uploaded(Fields(pairs), "", None)
    except (MultiPartException, UnicodeError):
        raise HTTPException(422, _BROKEN) from None
    finally:
        for part in parser.opened:
            await part.close()


async def _bounded(request: Request) -> AsyncGenerator[bytes, None]:
    taken = 0
    async for chunk in request.stream():
        taken += len(chunk)
        if taken > MOST_BYTES + _BESIDE:
            raise HTTPException(413, _TOO_LARGE)
        yield chunk


def _plain_name(name: str) -> str:
    """The file's own name, without the folders that some browsers send."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(char for char in last if char.isprintable())[:120] or "patients.csv"


Upload = Annotated[Uploaded, Depends(read_upload)]
