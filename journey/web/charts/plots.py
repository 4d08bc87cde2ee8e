"""Charts as plain SVG: drawn here, read by everybody, with the numbers in a table beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log10

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _FOOT, _TOP = 640, 220, 44, 20, 26, 8  # units of the drawing
_GAP = 0.25  # of a column's place


@dataclass(frozen=True, slots=True)
class Series:
    """One kind of value. `tone` is a class of the stylesheet; `label` is what the legend says."""

    label: str
    tone: str
    values: Sequence[int]


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle of the drawing, with what it stands for."""

    x: float
    y: float
    width: float
    height: float
    tone: str
    said: str


@dataclass(frozen=True, slots=True)
class Plot:
    """Stacked columns over time or classes. `ticks`: height and number; `names`: place and word."""

    title: str
    summary: str
    series: Sequence[Series]
    labels: Sequence[str]
    bars: Sequence[Bar]
    ticks: Sequence[tuple[float, int]]
    names: Sequence[tuple[float, str]]
    width: int = _WIDTH
    height: int = _HEIGHT
    left: int = _LEFT

    @property
    def is_empty(self) -> bool:
        return not any(sum(one.values) for one in self.series)

    @property
    def rows(self) -> list[tuple[str, list[int]]]:
        """The table behind the drawing."""
        return [
            (label, [one.values[place] for one in self.series]) for place, label in enumerate(self.labels)
        ]


def columns(title: str, summary: str, labels: Sequence[str], series: Sequence[Series]) -> Plot:
    """A plot of stacked columns, one a label."""
    totals = [sum(one.values[place] for one in series) for place in range(len(labels))]
    top = _round_up(max(totals, default=0))
    room = _HEIGHT - _FOOT - _TOP
    step = (_WIDTH - _LEFT - _RIGHT) / max(len(labels), 1)
    bars = []
    for place, label in enumerate(labels):
        base = float(_HEIGHT - _FOOT)
        for one in series:
            high = room * one.values[place] / top
            base -= high
            if high:
                x = _LEFT + step * (place + _GAP / 2)
                said = f"{label}: {one.values[place]:,} {one.label.lower()}"
                bars.append(Bar(x, base, step * (1 - _GAP), high, one.tone, said))
    ticks = [(_HEIGHT - _FOOT - room * part / 2, top * part // 2) for part in range(3)]
    every = ceil(len(labels) / 8)
    names = [
        (_LEFT + step * (place + 0.5), label) for place, label in enumerate(labels) if place % every == 0
    ]
    return Plot(title, summary, series, labels, bars, ticks, names)


def _round_up(number: int) -> int:
    """The next number of 2, 4, 10, 20, 40 … that the axis ends at."""
    if number <= 2:
        return 2
    power: int = 10 ** int(log10(number))
    return next(power * part for part in (1, 2, 4, 10) if power * part >= number)
