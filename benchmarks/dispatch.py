"""Sending a backlog: against the bare SDK loop, against the naive design, and its CPU per message."""

from __future__ import annotations

from typing import Any

from benchmarks.figures import Figure, Tell, middle, spread
from benchmarks.practice import Practice
from benchmarks.scene import IN_FLIGHT, PROCESSES, Scene
from benchmarks.side_bare import BareLoops
from benchmarks.side_journey import Pace, run_backlog, start_warm_worker
from benchmarks.side_naive import run_naive, start_naive_worker

Run = dict[str, Any]


# What the provider takes to answer. At once: nothing but CPU counts, the hardest case for whoever does more
# than the bare call. 50 ms: still a quick answer over the Internet, and what capacity planning meets.
AT_ONCE, AFTER_A_WHILE = 0.0, 0.05


def steps(quick: bool) -> int:
    return 2 + 4 * _rounds(quick) + _naive_rounds(quick)


def _rounds(quick: bool) -> int:
    return 3 if quick else 5


def _naive_rounds(quick: bool) -> int:
    return 2 if quick else 3


def measure(scene: Scene, tell: Tell) -> list[Figure]:
    number = 1000 if scene.quick else 4000
    tell(f"enroll {number} patients")
    with Practice(scene) as practice:
        practice.enroll(number)
        at_once, later = _against_bare(scene, practice, number, tell)
        naive = _naive(scene, practice, number // 5, tell)
    ours = middle(at_once, "journey_per_second")
    return [
        _bare_figure("bare", at_once, AT_ONCE),
        _bare_figure("bare-50ms", later, AFTER_A_WHILE),
        _naive_figure(ours, middle(naive, "naive_per_second"), naive),
        _cpu_figure(at_once),
    ]


def _against_bare(scene: Scene, practice: Practice, number: int, tell: Tell) -> tuple[list[Run], list[Run]]:
    """The two sides take turns, so that a noisy minute hits both."""
    runs: dict[float, list[Run]] = {AT_ONCE: [], AFTER_A_WHILE: []}
    tell("start workers")
    with start_warm_worker(scene, practice) as worker:
        # Both sides carry the same words.
        text = str(scene.provider.accepted()[-1]["body"])
        with BareLoops(scene, text) as bare:
            bare.run(200)
            for turn in range(1, _rounds(scene.quick) + 1):
                for latency, share in ((AT_ONCE, number), (AFTER_A_WHILE, number // 2)):
                    how = f"{share} messages, {1000 * latency:.0f} ms, turn {turn}"
                    tell(f"Journey: {how}")
                    ours = run_backlog(scene, practice, worker, share, latency=latency)
                    tell(f"bare loop: {how}")
                    theirs = bare.run(share, latency=latency)
                    runs[latency].append(_as_run(ours, theirs.as_run()))
    return runs[AT_ONCE], runs[AFTER_A_WHILE]


def _as_run(ours: Pace, bare: Run) -> Run:
    return {
        "journey_per_second": round(ours.per_second, 1),
        "journey_cpu_ms": round(ours.cpu_milliseconds, 3),
        **bare,
        "ratio": round(ours.per_second / bare["bare_per_second"], 3),
    }


def _naive(scene: Scene, practice: Practice, number: int, tell: Tell) -> list[Run]:
    runs: list[Run] = []
    with start_naive_worker(scene, practice) as tree:
        for turn in range(1, _naive_rounds(scene.quick) + 1):
            tell(f"{number} messages by the naive design, {turn}")
            pace = run_naive(scene, practice, tree, number)
            runs.append(
                {
                    "naive_per_second": round(pace.per_second, 1),
                    "naive_cpu_ms": round(pace.cpu_milliseconds, 3),
                }
            )
    return runs


def _bare_figure(name: str, runs: list[Run], latency: float) -> Figure:
    ours, bare = middle(runs, "journey_per_second"), middle(runs, "bare_per_second")
    answers = f"after {1000 * latency:.0f} ms" if latency else "at once"
    return Figure(
        name=name,
        title="Messages/s, due to recorded, against a bare loop of the same SDK calls; "
        f"provider answers {answers}",
        measured=middle(runs, "ratio"),
        goal=0.8,
        at_least=True,
        unit="",
        detail=f"{ours:.0f} against {bare:.0f}/s; {PROCESSES} processes × {IN_FLIGHT} in flight; "
        f"ratios {spread(runs, 'ratio')}",
        runs=runs,
    )


def _naive_figure(ours: float, theirs: float, runs: list[Run]) -> Figure:
    return Figure(
        name="naive",
        title="The same against the naive design (an ETA task each, synchronous SDK)",
        measured=ours / theirs,
        goal=4.0,
        at_least=True,
        unit=" ×",
        detail=f"{ours:.0f} against {theirs:.0f}/s; {PROCESSES} processes each",
        runs=runs,
    )


def _cpu_figure(runs: list[Run]) -> Figure:
    return Figure(
        name="cpu",
        title="Worker CPU per message on that path",
        measured=middle(runs, "journey_cpu_ms"),
        goal=1.5,
        at_least=False,
        unit=" ms",
        detail=f"user + system of all its processes; the bare call alone "
        f"{middle(runs, 'bare_cpu_ms'):.2f} ms; runs {spread(runs, 'journey_cpu_ms')}",
        runs=runs,
    )
