"""Journey's own side of the comparisons: due rows, and a real worker that sends and records them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from benchmarks.practice import Practice
from benchmarks.scene import Scene
from benchmarks.worker import ProcessTree, RunningWorker

WARM_UP = 400  # enough for every process to have made its connections and compiled its templates
STEP = "confirm"


@dataclass(frozen=True, slots=True)
class Pace:
    """`latenesses`: seconds from due to accepted, by the provider's ledger. Rates are per second."""

    messages: int
    seconds: float
    cpu_seconds: float
    latenesses: list[float]

    @property
    def per_second(self) -> float:
        return self.messages / self.seconds

    @property
    def cpu_milliseconds(self) -> float:
        return 1000 * self.cpu_seconds / self.messages


def start_warm_worker(scene: Scene, practice: Practice, step: str = STEP) -> RunningWorker:
    worker = RunningWorker(scene, practice)
    try:
        run_backlog(scene, practice, worker, WARM_UP, step)
    except BaseException:
        worker.stop()
        raise
    return worker


def run_backlog(
    scene: Scene, practice: Practice, tree: ProcessTree, number: int, step: str = STEP, apart: float = 0.0
) -> Pace:
    """Makes messages due at once, or `apart` seconds each, and measures from first claim to last record."""
    due = datetime.now(UTC) + timedelta(seconds=1.0 + number / 20_000)
    practice.make_due(step, number, due, apart)
    scene.provider.reset()
    practice.vacuum()
    before = tree.cpu_seconds()
    time.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()))
    begun, ended = practice.wait_until_recorded(step, number, timeout=60 + number * max(apart, 0.05))
    used = tree.cpu_seconds() - before
    late = latenesses(scene, practice, step, number)
    practice.cancel(step)
    return Pace(number, ended - begun, used, late)


def latenesses(scene: Scene, practice: Practice, step: str, number: int) -> list[float]:
    """Seconds between due and accepted. Also the proof that each message was accepted exactly once."""
    accepted = {event["to"]: float(event["at"]) for event in scene.provider.accepted()}
    assert len(scene.provider.accepted()) == len(accepted) == number, "lost or doubled messages"
    found = practice.rows(f"SELECT id, due_at FROM messages WHERE step = '{step}' AND status = 'accepted'")
    by_id = {str(row.id): row.due_at.timestamp() for row in found}
    events = scene.provider.accepted()
    return [event["at"] - by_id[_message_id(event["callback"])] for event in events]


def _message_id(callback: str) -> str:
    return callback.partition("message=")[2].partition("&")[0]
