"""Child processes that never outlive the tests: bounded start, bounded stop, no orphans."""

import os
import select
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

REPOSITORY = Path(__file__).resolve().parents[2]
START_SECONDS = 20.0
STOP_SECONDS = 5.0


class Child:
    """One process we started, ended by its pid; it also ends if we are killed outright."""

    def __init__(self, command: list[str], *, log: Path, end_with: str = "TERM", **options: Any) -> None:
        """`end_with` names the signal for when we die; options are those of Popen."""
        with log.open("ab") as output:
            # A process group of its own: a test may kill its worker's whole group.
            options = {"stdin": subprocess.DEVNULL, "stdout": output, **options}
            self._process: subprocess.Popen[bytes] = subprocess.Popen(
                command, stderr=output, process_group=0, **options
            )
        self._watchdog = _end_with_us(self._process.pid, end_with)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    @property
    def output(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout

    def stop(self, signal_number: int) -> None:
        """Ask, wait a bounded time, then kill; harmless when it has already gone."""
        if self.is_running:
            self._process.send_signal(signal_number)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(STOP_SECONDS)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._watchdog.kill()
        self._watchdog.communicate()


def _end_with_us(pid: int, signal_name: str) -> subprocess.Popen[bytes]:
    """A shell that blocks on a pipe from us; however we die the pipe closes, and it acts."""
    return subprocess.Popen(
        ["/bin/sh", "-c", 'read _; kill -"$1" "$2"', "sh", signal_name, str(pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        process_group=0,
    )


class Server(ABC):
    """A server with `start` and `stop`, usable in a `with` statement."""

    @abstractmethod
    def start(self) -> None: ...

    @abstractmethod
    def stop(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def wait_until(is_true: Callable[[], bool], what: str, *, timeout: float = START_SECONDS) -> None:
    """Poll until the condition holds; raise TimeoutError saying what was awaited."""
    give_up = time.monotonic() + timeout
    while not is_true():
        if time.monotonic() > give_up:
            raise TimeoutError(f"{what} did not happen within {timeout} s")
        time.sleep(0.01)


def start_fake(module: str, arguments: list[str], *, log: Path) -> tuple[Child, str]:
    """Run a fake's module and return it with the address from its `listening on` line."""
    child = Child(
        [sys.executable, "-m", module, *arguments],
        log=log,
        stdout=subprocess.PIPE,
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    # A fake prints a single line in its life, so one readable event means that line or its end.
    readable, _, _ = select.select([child.output], [], [], START_SECONDS)
    line = child.output.readline().decode().strip() if readable else ""
    prefix = "listening on "
    if not line.startswith(prefix):
        child.stop(signal.SIGTERM)
        raise RuntimeError(f"{module} did not start: {log.read_text()[-2000:]}")
    return child, line.removeprefix(prefix)
