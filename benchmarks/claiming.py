"""Whether claiming stays as fast with millions of planned rows: the queue's own cost."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

from benchmarks.figures import Figure, Tell, percentile
from benchmarks.filling import fill
from benchmarks.practice import Practice
from benchmarks.scene import Scene
from journey.domain.delivery import Event
from journey.domain.pathway import Channel
from journey.store import messages
from journey.store.messages import Move

FEW = 10_000
BATCH = 100
ROUNDS = 5
CLAIMS = 20  # per round and side
_DUE = (ROUNDS * CLAIMS + 5) * BATCH


def _many(quick: bool) -> int:
    return 500_000 if quick else 5_000_000


def steps(quick: bool) -> int:
    return 2 + ROUNDS


def measure(scene: Scene, tell: Tell) -> list[Figure]:
    many = _many(scene.quick)
    with ExitStack() as stack:
        few_side, many_side = (stack.enter_context(Practice(scene)) for _ in range(2))
        tell(f"make {FEW:,} rows")
        fill(few_side, FEW + _DUE)
        tell(f"make {many:,} rows")
        fill(many_side, many)
        for side in (few_side, many_side):
            _make_some_due(side)
            for _ in range(5):
                claim_once(side)
        runs = []
        for turn in range(1, ROUNDS + 1):
            tell(f"claim, {turn}")
            runs.append(_one_round(few_side, many_side))
    few, more = (sorted(run[key] for run in runs)[len(runs) // 2] for key in ("few_ms", "many_ms"))
    ratios = sorted(run["ratio"] for run in runs)
    return [
        Figure(
            name="claim",
            title=f"Claim latency with {many:,} planned rows against {FEW:,}",
            measured=ratios[len(ratios) // 2],
            goal=1.3,
            at_least=False,
            unit=" ×",
            detail=f"{more:.1f} against {few:.1f} ms for {BATCH} rows, commit included; "
            f"ratios {ratios[0]:.2f}…{ratios[-1]:.2f}",
            runs=runs,
        )
    ]


def _one_round(few_side: Practice, many_side: Practice) -> dict[str, float]:
    """Claims by turns on both sides; the medians, so that one slow flush to disk decides nothing."""
    few, many = [], []
    for _ in range(CLAIMS):
        few.append(claim_once(few_side))
        many.append(claim_once(many_side))
    few_ms, many_ms = 1000 * percentile(few, 0.5), 1000 * percentile(many, 0.5)
    return {
        "few_ms": round(few_ms, 3),
        "many_ms": round(many_ms, 3),
        "few_p95_ms": round(1000 * percentile(few, 0.95), 3),
        "many_p95_ms": round(1000 * percentile(many, 0.95), 3),
        "ratio": round(many_ms / few_ms, 3),
    }


def _make_some_due(practice: Practice) -> None:
    """The rows that come due first do so now; where they lie on disk stays scattered."""
    practice.execute(
        f"""
        UPDATE messages SET due_at = now() - interval '1 hour' + (due_at - now()) / 1000000
        WHERE id IN (SELECT id FROM messages WHERE status = 'planned' ORDER BY due_at LIMIT {_DUE})
        """
    )
    practice.vacuum()


def claim_once(practice: Practice) -> float:
    """One batch claimed and committed as a worker does it. Returns the seconds it took."""
    now = datetime.now(UTC)
    sealed = os.urandom(300)
    begun = time.perf_counter()
    with practice.context.database.write() as tx:
        due = messages.take_due(tx, Channel.SMS, now, BATCH)
        moves = [
            Move.of(
                message,
                Event.CLAIM,
                now,
                claimed_at=now,
                check_at=now + timedelta(seconds=40),
                segments=2,
                sealed_content=sealed,
            )
            for message in due
        ]
        won = messages.move(tx, moves)
    taken = time.perf_counter() - begun
    assert len(won) == BATCH
    return taken
