"""The parts fit together, and the rules of the house hold: read off the code itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from journey.tasks.app import QUEUE, celery, configure
from tests.clinic import Clinic

ROOT = Path(__file__).parent.parent / "journey"
SOURCES = sorted(ROOT.rglob("*.py"))
MAX_FILE, MAX_FUNCTION = 300, 45


def _names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def test_every_beat_entry_names_a_real_task_and_its_queue_has_a_worker(embedded_clinic: Clinic) -> None:
    app = configure(embedded_clinic.app)
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= set(celery.tasks)
    # Workers listen to the default queue: no task may be sent anywhere else.
    assert app.conf.task_default_queue == QUEUE
    assert not app.conf.task_routes
    assert [task.queue for task in app.tasks.values() if getattr(task, "queue", None)] == []


def test_no_task_waits_in_the_broker_for_a_later_time() -> None:
    """The row holds the due time: whatever Redis loses is found again by the next tick."""
    waiting = [path for path in SOURCES if re.search(r"\beta=|\bcountdown=", path.read_text("utf-8"))]
    assert _names(waiting) == []


def test_one_place_commits() -> None:
    assert _names([path for path in SOURCES if ".commit(" in path.read_text("utf-8")]) in (
        [],
        ["store/database.py"],
    )


def test_one_file_writes_the_status_of_messages() -> None:
    writes = re.compile(r"\b(?:update|insert)\(\s*(?:messages|schema\.messages)\s*\)|UPDATE\s+messages\b")
    assert _names([path for path in SOURCES if writes.search(path.read_text("utf-8"))]) == [
        "store/messages.py"
    ]


def test_one_function_moves_a_message_to_another_status() -> None:
    tree = _tree(ROOT / "store" / "messages.py")
    updating = {
        function.name
        for function in _functions(tree)
        if "update(messages)" in ast.unparse(function) and "'status'" in ast.unparse(function)
    }
    assert updating == {"_conditional_update"}


def test_one_file_reads_the_wall_clock() -> None:
    clocks = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
    reading = [
        path
        for path in SOURCES
        if any(
            (isinstance(node, ast.Attribute) and ast.unparse(node).removeprefix("datetime.") in clocks)
            or (isinstance(node, ast.Attribute) and ast.unparse(node) in clocks)
            for node in ast.walk(_tree(path))
        )
    ]
    assert _names(reading) == ["bootstrap.py"]


def test_every_module_says_what_lives_in_it() -> None:
    silent = [path for path in SOURCES if not ast.get_docstring(_tree(path))]
    assert _names(silent) == []


def test_no_file_is_longer_than_a_sitting() -> None:
    long = {
        name: lines
        for name, path in zip(_names(SOURCES), SOURCES, strict=True)
        if (lines := len(path.read_text("utf-8").splitlines())) > MAX_FILE and "migrations" not in name
    }
    assert long == {}


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{name}:{function.name} ({length})"
        for name, path in zip(_names(SOURCES), SOURCES, strict=True)
        if "migrations" not in name
        for function in _functions(_tree(path))
        if (length := (function.end_lineno or 0) - function.lineno + 1) > MAX_FUNCTION
    ]
    assert long == []


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("folder", ["utils", "helpers", "common", "misc"])
def test_no_drawer_for_odds_and_ends(folder: str) -> None:
    assert [path for path in SOURCES if folder in (path.stem, path.parent.name)] == []
