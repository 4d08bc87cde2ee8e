"""How late messages are: at a steady pace, and after a backlog that came due at once."""

from __future__ import annotations

from statistics import median
from typing import Any

from benchmarks.figures import Figure, Tell, percentile
from benchmarks.practice import Practice
from benchmarks.scene import Scene
from benchmarks.side_journey import run_backlog, start_warm_worker

PACE = 50  # messages per second


def _seconds(quick: bool) -> int:
    return 8 if quick else 30


def _rounds(quick: bool) -> int:
    return 1 if quick else 3


def _backlogs(quick: bool) -> list[int]:
    return [50, 200, 800] if quick else [10, 50, 200, 1000, 4000]


def steps(quick: bool) -> int:
    return 2 + _rounds(quick) + len(_backlogs(quick))


def measure(scene: Scene, tell: Tell) -> list[Figure]:
    number = PACE * _seconds(scene.quick)
    backlogs = _backlogs(scene.quick)
    with Practice(scene) as practice:
        tell("enroll patients")
        practice.enroll(max(number, *backlogs))
        tell("start a worker")
        with start_warm_worker(scene, practice) as worker:
            runs: list[dict[str, Any]] = []
            for turn in range(1, _rounds(scene.quick) + 1):
                tell(f"{PACE} messages/s for {_seconds(scene.quick)} s, {turn}")
                pace = run_backlog(scene, practice, worker, number, apart=1 / PACE)
                runs.append(_as_run(pace.latenesses))
            curve: list[dict[str, Any]] = []
            for size in backlogs:
                tell(f"{size} messages due at once")
                pace = run_backlog(scene, practice, worker, size)
                entry = {"backlog": size, "per_second": round(pace.per_second, 1)}
                curve.append(entry | _as_run(pace.latenesses))
    return [_figure(runs, curve)]


def _as_run(late: list[float]) -> dict[str, Any]:
    return {
        "p50_s": round(percentile(late, 0.50), 3),
        "p99_s": round(percentile(late, 0.99), 3),
        "max_s": round(max(late), 3),
    }


def _figure(runs: list[dict[str, Any]], curve: list[dict[str, Any]]) -> Figure:
    return Figure(
        name="lateness",
        title=f"Lateness at a steady {PACE} messages/s, p99",
        measured=float(median(run["p99_s"] for run in runs)),
        goal=1.5,
        at_least=False,
        unit=" s",
        detail=f"due to accepted, by the provider's ledger; median {median(run['p50_s'] for run in runs)} s, "
        f"worst {max(run['max_s'] for run in runs)} s",
        runs=[*runs, *curve],
    )
