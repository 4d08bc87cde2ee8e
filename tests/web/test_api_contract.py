"""The API keeps to its own document: schemathesis reads it and tries whatever it allows and forbids."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn

from journey.domain.access import Scope
from journey.services import api_keys
from journey.web.app import create_app
from journey.web.listening import listen
from tests.clinic import Clinic, RealClock


@dataclass(frozen=True, slots=True)
class Served:
    address: str
    key: str


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    clinic = Clinic(tmp_path / "clinic", clock=RealClock(), api_requests_per_minute=10**6)
    key = api_keys.add(clinic.app.context, "schemathesis", list(Scope), "tests")
    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(create_app(clinic.app), access_log=False, log_level="warning"))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    yield Served(f"http://127.0.0.1:{listener.getsockname()[1]}", key)
    server.should_exit = True
    thread.join(10)
    clinic.close()


def run(served: Served, folder: Path, examples: int, phases: str) -> None:
    tried = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            "run",
            f"{served.address}/api/v1/openapi.json",
            "--checks=all",
            f"--max-examples={examples}",
            f"--phases={phases}",
            "--generation-deterministic",
            "--suppress-health-check=all",
            "--header",
            f"Authorization: Bearer {served.key}",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=540,
    )
    assert tried.returncode == 0, tried.stdout[-6000:] + tried.stderr[-2000:]


def test_a_few_of_every_request(served: Served, tmp_path: Path) -> None:
    run(served, tmp_path, 4, "examples,fuzzing,stateful")


@pytest.mark.slow
def test_many_of_every_request(served: Served, tmp_path: Path) -> None:
    run(served, tmp_path, 60, "examples,coverage,fuzzing,stateful")
