"""The append-only record of what a fake provider saw: one JSON object per line."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

Event = dict[str, Any]


class Ledger:
    """Appends events; with fsync on, an event is on the disk when `append` returns."""

    def __init__(self, path: Path, *, fsync: bool = True) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._fsync = fsync
        self._lines: list[bytes] = []
        self._flushed: asyncio.Future[None] | None = None

    async def append(self, event: Event) -> None:
        line = json.dumps(event).encode() + b"\n"
        if not self._fsync:
            os.write(self._file, line)
            return
        # Everything that arrives in one turn of the loop shares one fsync: at 16 requests
        # in flight that is what lets a durable ledger keep up.
        self._lines.append(line)
        if self._flushed is None:
            loop = asyncio.get_running_loop()
            self._flushed = loop.create_future()
            loop.call_soon(self._flush)
        # Shielded: a client that goes away must not take the others' write with it.
        await asyncio.shield(self._flushed)

    def _flush(self) -> None:
        lines, flushed = self._lines, self._flushed
        self._lines, self._flushed = [], None
        assert flushed is not None
        try:
            os.write(self._file, b"".join(lines))
            os.fsync(self._file)
        except OSError as error:
            flushed.set_exception(error)
        else:
            flushed.set_result(None)


def mark_reset(path: Path) -> None:
    """Make later reads start here, without losing what is in the file."""
    with path.open("a") as file:
        file.write('{"event": "reset"}\n')


def read_events(path: Path) -> list[Event]:
    """All events since the last reset; a line still being written is left out."""
    events: list[Event] = []
    for line in path.read_bytes().splitlines(keepends=True):
        if not line.endswith(b"\n"):
            break
        event = json.loads(line)
        if event["event"] == "reset":
            events.clear()
        else:
            events.append(event)
    return events
