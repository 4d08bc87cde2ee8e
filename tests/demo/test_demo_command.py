"""`journey demo` as a process: whole, closed to the outside, and gone without a trace at its end."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections import Counter
from pathlib import Path

import pytest

from journey.demo.cast import CAST

_HOSTILE = {
    "JOURNEY_SMS": "twilio",
    "JOURNEY_EMAIL": "smtp",
    "JOURNEY_SMTP_URL": "smtp://192.0.2.1:25",
    "JOURNEY_TWILIO_ACCOUNT_SID": "AC1",
    "JOURNEY_TWILIO_AUTH_TOKEN_FILE": "/nowhere",
    "JOURNEY_DATABASE_URL": "postgresql://192.0.2.1/patients",
    "JOURNEY_REDIS_URL": "redis://192.0.2.1",
    "JOURNEY_TICK_SECONDS": "nonsense",
    "CELERY_BROKER_URL": "redis://192.0.2.1",
    "CELERY_BROKER_READ_URL": "redis://192.0.2.1",
    "CELERY_BROKER_WRITE_URL": "redis://192.0.2.1",
}
# Whoever opens a connection or asks for a name ends the process at once.
_GUARDED = """
import os, sys
def guard(event, args):
    if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"):
        os.write(2, f"went outside: {event} {args}".encode())
        os._exit(99)
sys.addaudithook(guard)
from journey.cli import main
main()
"""


def _environment(folder: Path, **more: str) -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("JOURNEY_", "CELERY_"))}
    return {**clean, "TMPDIR": str(folder), "JOURNEY_DATA_DIR": str(folder / "data"), **more}


def test_once_tells_the_whole_story_whatever_the_environment_says(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _GUARDED, "demo", "--once"],
        env=_environment(tmp_path, **_HOSTILE),
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if re.match(r"│ \w{3} \d", line)]
    cells = [[cell.strip() for cell in row.strip("│").split("│")] for row in rows]
    told = Counter((cell[1], cell[2]) for cell in cells)
    assert set(told.values()) == {1}
    assert {name for name, _ in told} == {f"{one.given_name} {one.family_name}" for one in CAST}
    assert len(told) >= 13 * len(CAST)
    states = Counter(cell[4] for cell in cells)
    assert set(states) == {"Delivered", "Cancelled", "Skipped", "Expired"}
    assert ("Carla Mendes", "Your date has changed") in told
    assert all(cell[3] == "E-mail" for cell in cells if cell[1] == "David Osei" and cell[2] != "Welcome")
    assert list(tmp_path.iterdir()) == []  # neither ./data nor anything temporary is left


def test_the_pages_are_served_until_it_is_told_to_stop(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "journey", "demo", "--port", "0"],
        env=_environment(tmp_path, PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = ""
        while (found := re.search(r"http://127\.0\.0\.1:\d+/demo", said)) is None:
            line = process.stdout.readline()
            assert line, said
            said += line
        request = urllib.request.Request(
            f"{found[0]}/clock/next", data=b"back=/demo", headers={"Sec-Fetch-Site": "same-origin"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            page = answer.read().decode()
        assert "went out" in page
        assert "Anna Kowalska" in page
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.communicate()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("port", ["taken", "99999"])
def test_a_port_that_cannot_be_had_is_explained(tmp_path: Path, port: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = str(taken.getsockname()[1]) if port == "taken" else port
        done = subprocess.run(
            [sys.executable, "-m", "journey", "demo", "--port", number],
            env=_environment(tmp_path),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
    assert ("is in use by another program" if port == "taken" else "--port 99999") in done.stderr
