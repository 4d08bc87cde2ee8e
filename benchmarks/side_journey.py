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


def start_warm_worker(scene: Scene, practice: Practice) -> RunningWorker:
    worker = RunningWorker(scene, practice)
    try:
        run_backlog(scene, practice, worker, WARM_UP)
    except BaseException:
        worker.stop()
        raise
    return worker


def run_backlog(
    scene: Scene,
    practice: Practice,
    tree: ProcessTree,
    number: int,
    *,
    apart: float = 0.0,
    latency: float = 0.0,
) -> Pace:
    """Makes messages due at once, or `apart` seconds each, and measures from first claim to last record.

    `latency` is what the provider takes for each answer, in seconds.
    """
    due = datetime.now(UTC) + timedelta(seconds=1.0 + number / 20_000)
    practice.make_due(STEP, number, due, apart)
    scene.provider.reset()
    scene.provider.control(latency=latency)
    practice.vacuum()
    before = tree.cpu_seconds()
    time.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()))
    begun, ended = practice.wait_until_recorded(STEP, number, timeout=60 + number * max(apart, 0.05))
    used = tree.cpu_seconds() - before
    late = latenesses(scene, practice, STEP, number)
    practice.cancel(STEP)
    return Pace(number, ended - begun, used, late)


def latenesses(scene: Scene, practice: Practice, step: str, number: int) -> list[float]:
    """Seconds between due and accepted. Also the proof that each message was accepted exactly once."""
    found = practice.rows(f"SELECT id, due_at FROM messages WHERE step = '{step}' AND status = 'accepted'")
    due = {str(row.id): row.due_at.timestamp() for row in found}
    events = scene.provider.accepted()
    ids = [_message_id(event["callback"]) for event in events]
    assert len(ids) == len(set(ids)) == number, "lost or doubled messages"
    return [event["at"] - due[message_id] for event, message_id in zip(events, ids, strict=True)]


def _message_id(callback: str) -> str:
    return callback.partition("message=")[2].partition("&")[0]
