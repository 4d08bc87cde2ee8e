"""`python -m tests.faults.doomed POINTS FOLDER ARGUMENTS…`: Journey's command line, dying on the way.

POINTS, comma-separated, say where a process kills (or stops) itself. Each fires once: a file in FOLDER
remembers it, so the process that comes after gets past it.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from journey.cli.app import main
from journey.services import dispatching

# Around the two transactions of a batch: before it, in it just before its commit, and after it.
KILL_POINTS = (
    "before-claim",
    "in-claim",
    "after-claim",
    "before-recording",
    "in-recording",
    "after-recording",
)
STOP = "stop-after-claim"  # not dead: SIGSTOP, as on a machine that is paused


class Doom:
    def __init__(self, points: Sequence[str], folder: Path) -> None:
        self._points = points
        self._folder = folder
        self._inside: str | None = None
        event.listen(Engine, "commit", self._on_commit)

    def meet(self, point: str) -> None:
        if point not in self._points:
            return
        with suppress(FileExistsError):
            os.close(os.open(self._folder / point, os.O_CREAT | os.O_EXCL))
            os.kill(os.getpid(), signal.SIGSTOP if point == STOP else signal.SIGKILL)

    def around(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def doomed(*arguments: Any) -> Any:
            self.meet(f"before-{name}")
            self._inside = name
            result = function(*arguments)
            self._inside = None
            if name == "recording" or result[0]:  # a claim of nothing is no claim
                self.meet(f"after-{name}")
                self.meet(f"stop-after-{name}")
            return result

        return doomed

    def _on_commit(self, _connection: object) -> None:
        if self._inside is not None:
            self.meet(f"in-{self._inside}")


def run() -> None:
    points, folder, *arguments = sys.argv[1:]
    doom = Doom(points.split(","), Path(folder))
    for name, attribute in (("claim", "claim_due"), ("recording", "record")):
        setattr(dispatching, attribute, doom.around(name, getattr(dispatching, attribute)))
    sys.argv[1:] = arguments
    main()


if __name__ == "__main__":
    run()
