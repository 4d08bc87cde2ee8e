"""A real worker as operators run it, and what its processes cost."""

from __future__ import annotations

import signal
from contextlib import suppress

import psutil

from benchmarks.practice import Practice
from benchmarks.scene import PROCESSES, Scene, python
from tests.fakes.process import REPOSITORY, Child, Server

STOP_SECONDS = 10.0


class ProcessTree(Server):
    """A process with its children. Ends with all of them, by their pids."""

    def __init__(self, command: list[str], scene: Scene, database_url: str, name: str) -> None:
        self._command = command
        # Runs in the run's own folder: beat leaves files where it starts.
        self._environment = scene.environment(database_url) | {"PYTHONPATH": str(REPOSITORY)}
        self._folder = scene.folder
        self._log = scene.log(name)
        self.start()

    def start(self) -> None:
        self._child = Child(self._command, log=self._log, cwd=self._folder, env=self._environment)
        self._process = psutil.Process(self._child.pid)

    def _members(self) -> list[psutil.Process]:
        return [self._process, *self._process.children(recursive=True)]

    def cpu_seconds(self) -> float:
        """User and system time of the processes that live now."""
        times = [member.cpu_times() for member in self._members()]
        return sum(one.user + one.system for one in times)

    def resident_megabytes(self) -> float:
        """Resident memory, added up: pages that a fork shares count once per process."""
        return sum(member.memory_info().rss for member in self._members()) / 2**20

    def stop(self) -> None:
        members = self._members() if self._child.is_running else []
        self._child.stop(signal.SIGTERM)
        _, left = psutil.wait_procs(members, timeout=STOP_SECONDS)
        for member in left:
            with suppress(psutil.NoSuchProcess):
                member.kill()


class RunningWorker(ProcessTree):
    """`journey worker` on a practice's database."""

    def __init__(self, scene: Scene, practice: Practice, processes: int = PROCESSES) -> None:
        command = python("-m", "journey", "worker", "--concurrency", str(processes))
        super().__init__(command, scene, practice.url, "worker")
