"""What reaches a log: events with their place, never a patient's data."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from journey.logs import configure_logs
from journey.store.database import StoreUnavailable

NAME, PHONE, EMAIL = "Kowalska", "+447700900101", "anna@example.org"


@pytest.fixture
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.usefixtures("_restored")
def test_an_exception_is_told_by_its_type_and_place_and_not_by_its_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs(StoreUnavailable)
    try:
        raise ValueError(f"{NAME} {PHONE}")
    except ValueError as error:
        structlog.stdlib.get_logger("journey.tasks").error("task failed", task="t", exc_info=error)
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
    said = capsys.readouterr().err
    assert NAME not in said
    assert PHONE not in said
    for line in lines(said):
        assert line["error"] == "ValueError"
        assert "test_logs.py" in str(line["where"])


@pytest.mark.usefixtures("_restored")
def test_an_error_written_for_operators_is_told_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(StoreUnavailable)
    try:
        raise StoreUnavailable("the disk of the database is full")
    except StoreUnavailable:
        logging.getLogger("lib").exception("task failed")
    (line,) = lines(capsys.readouterr().err)
    assert line["said"] == "the disk of the database is full"


@pytest.mark.usefixtures("_restored")
def test_addresses_that_a_library_names_are_blacked_out(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs()
    logging.getLogger("lib").warning("no route to %s or %s or 020 7946 0000", PHONE, EMAIL)
    (line,) = lines(capsys.readouterr().err)
    assert line["event"] == "no route to [address] or [address] or [address]"


def test_a_failing_task_of_a_real_worker_says_so_without_the_patients_data(tmp_path: Path) -> None:
    """The whole way through Celery, whose own log would quote the exception."""
    code = f"""
from journey.tasks.app import celery, configure
from journey.bootstrap import build
from journey.settings import read_settings
from journey.tasks.embedded import EmbeddedWorker
from journey.logs import configure_logs
import threading
configure_logs()
done = threading.Event()
@celery.task(name="journey.fails")
def fails():
    try:
        raise RuntimeError("{NAME} {PHONE}")
    finally:
        done.set()
app = configure(build(read_settings()))
app.conf.beat_schedule = {{}}
with EmbeddedWorker(app):
    fails.delay()
    assert done.wait(20)
"""
    environment = {"JOURNEY_DATA_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"}
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    told = [line for line in lines(ran.stderr) if line["event"] == "task failed"]
    assert [line["error"] for line in told] == ["RuntimeError"]
    assert NAME not in ran.stderr
    assert PHONE not in ran.stderr
