"""What a figure is: a measured value beside its goal, with every run kept so that noise shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil
from statistics import median
from typing import Any

# A figure says what it is about to do; the progress bar shows it.
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Figure:
    """`at_least` says which side of the goal is good. `runs` holds one entry per repetition."""

    name: str
    title: str
    measured: float
    goal: float
    at_least: bool
    unit: str
    detail: str
    runs: Sequence[dict[str, Any]] = field(default_factory=list)

    @property
    def is_met(self) -> bool:
        return self.measured >= self.goal if self.at_least else self.measured <= self.goal

    @property
    def goal_text(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.goal:g}{self.unit}"

    @property
    def measured_text(self) -> str:
        return f"{self.measured:.{3 if self.measured < 1 else 2}f}{self.unit}"

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "title": self.title,
            "measured": round(self.measured, 4),
            "goal": self.goal,
            "better": "higher" if self.at_least else "lower",
            "unit": self.unit.strip(),
            "met": self.is_met,
            "detail": self.detail,
            "runs": list(self.runs),
        }


def middle(runs: Sequence[dict[str, Any]], key: str) -> float:
    return float(median(run[key] for run in runs))


def percentile(values: Sequence[float], part: float) -> float:
    """The smallest value that at least `part` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, ceil(part * len(ordered)) - 1)]


def spread(runs: Sequence[dict[str, Any]], key: str) -> str:
    """The lowest and highest run, for the table's detail."""
    values = [float(run[key]) for run in runs]
    return f"{min(values):.3g}…{max(values):.3g}"
