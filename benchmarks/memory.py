"""Whether a worker's memory knows the backlog: nothing of the future may be held in it."""

from __future__ import annotations

import time
from contextlib import ExitStack

from benchmarks.figures import Figure, Tell, middle, spread
from benchmarks.filling import fill
from benchmarks.practice import Practice
from benchmarks.scene import Scene
from benchmarks.side_journey import WARM_UP, run_backlog, start_warm_worker

FEW = 1_000
DELIVERIES = 600


def _many(quick: bool) -> int:
    return 100_000 if quick else 1_000_000


def _rounds(quick: bool) -> int:
    return 2 if quick else 3


def steps(quick: bool) -> int:
    return 2 + 2 * _rounds(quick)


def measure(scene: Scene, tell: Tell) -> list[Figure]:
    many = _many(scene.quick)
    with ExitStack() as stack:
        sides = {}
        for name, number in (("few", FEW), ("many", many)):
            tell(f"make {number:,} rows")
            practice = sides[name] = stack.enter_context(Practice(scene))
            practice.enroll(DELIVERIES)
            fill(practice, number)
        runs = []
        for turn in range(1, _rounds(scene.quick) + 1):
            run = {}
            for name, practice in sides.items():
                tell(f"worker on {name} rows, {turn}")
                run[f"{name}_mb"] = round(_worker_megabytes(scene, practice), 1)
            runs.append(run | {"ratio": round(run["many_mb"] / run["few_mb"], 4)})
    return [
        Figure(
            name="memory",
            title=f"Worker memory with {many:,} planned messages against {FEW:,}",
            measured=middle(runs, "ratio"),
            goal=1.05,
            at_least=False,
            unit=" ×",
            detail=f"{middle(runs, 'many_mb'):.0f} against {middle(runs, 'few_mb'):.0f} MB resident, "
            f"all processes, after {DELIVERIES + WARM_UP} deliveries; ratios {spread(runs, 'ratio')}",
            runs=runs,
        )
    ]


def _worker_megabytes(scene: Scene, practice: Practice) -> float:
    with start_warm_worker(scene, practice) as worker:
        run_backlog(scene, practice, worker, DELIVERIES)
        time.sleep(2.0)  # a few ticks and sweeps with nothing due
        return worker.resident_megabytes()
