"""Lateness and throughput over the size of a backlog, as an SVG written by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.figures import Figure

WIDTH, HEIGHT = 720, 640
LEFT, RIGHT = 84, 690
INK, FAINT, BLUE, ORANGE = "#1f2937", "#d1d5db", "#1d4ed8", "#c2410c"
Run = dict[str, Any]
Scale = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Panel:
    """One diagram; `top` and `bottom` are its edges in the picture."""

    title: str
    label: str
    top: int
    bottom: int
    highest: float
    logarithmic: bool = False
    lowest: float = 0.0

    def y(self, value: float) -> float:
        if self.logarithmic:
            part = math.log10(value / self.lowest) / math.log10(self.highest / self.lowest)
        else:
            part = value / self.highest
        return self.bottom - part * (self.bottom - self.top)

    def ticks(self) -> list[float]:
        if self.logarithmic:
            first, last = round(math.log10(self.lowest)), round(math.log10(self.highest))
            return [10.0**power for power in range(first, last + 1)]
        step = _round_step(self.highest)
        return [step * n for n in range(int(self.highest / step) + 1)]


def write_plot(path: Path, figures: Sequence[Figure]) -> None:
    by_name = {figure.name: figure for figure in figures}
    curve = [run for run in by_name["lateness"].runs if "backlog" in run]
    rates = [run["per_second"] for run in curve]
    levels = _levels(by_name["bare"].runs, by_name["naive"].runs)
    highest = 1.15 * max(*rates, *(value for _, value in levels))
    times = [run["p99_s"] for run in curve] + [run["p50_s"] for run in curve]
    x = _x_scale([run["backlog"] for run in curve])
    rate = Panel("Throughput", "messages per second", 70, 290, highest)
    late = Panel(
        "Lateness (due to accepted)",
        "seconds",
        370,
        570,
        _decade(max(times), 1),
        True,
        _decade(min(times), 0),
    )
    parts = [
        *_frame(rate, x, curve),
        *(part for name, value in levels for part in _level(rate, name, value)),
        *_line(rate, x, [(run["backlog"], run["per_second"]) for run in curve], BLUE, "Journey"),
        *_frame(late, x, curve),
        *_line(late, x, [(run["backlog"], run["p99_s"]) for run in curve], BLUE, "99th percentile"),
        *_line(late, x, [(run["backlog"], run["p50_s"]) for run in curve], ORANGE, "median", below=True),
        _text((LEFT + RIGHT) / 2, HEIGHT - 20, "backlog: messages that came due at the same moment", 13),
    ]
    path.write_text(_document(parts), encoding="utf-8")


def _levels(bare: Sequence[Run], naive: Sequence[Run]) -> list[tuple[str, float]]:
    """The other sides of the comparison, as level lines: their middle runs."""
    sides = [
        ("bare SDK loop", [run["bare_per_second"] for run in bare if "bare_per_second" in run]),
        ("naive design", [run["naive_per_second"] for run in naive if "naive_per_second" in run]),
    ]
    return [(name, median(values)) for name, values in sides if values]


def _x_scale(sizes: Sequence[int]) -> Scale:
    low, high = math.log10(min(sizes)), math.log10(max(sizes))
    return lambda size: LEFT + 30 + (math.log10(size) - low) / (high - low) * (RIGHT - LEFT - 110)


def _decade(value: float, up: int) -> float:
    power = math.ceil(math.log10(value)) if up else math.floor(math.log10(value))
    return float(10.0**power)


def _round_step(highest: float) -> float:
    rough = highest / 5
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * n for n in (1, 2, 5, 10) if power * n >= rough)


def _frame(panel: Panel, x: Scale, curve: Sequence[Run]) -> list[str]:
    middle = (panel.top + panel.bottom) / 2
    parts = [
        _text(LEFT, panel.top - 14, panel.title, 15, anchor="start", weight="600"),
        _text(24, middle, panel.label, 13, extra=f' transform="rotate(-90 24 {middle:.0f})"'),
    ]
    for value in panel.ticks():
        height = panel.y(value)
        parts.append(f'<path d="M{LEFT} {height:.1f}H{RIGHT}" stroke="{FAINT}"/>')
        parts.append(_text(LEFT - 8, height + 4, f"{value:g}", 12, anchor="end"))
    for run in curve:
        at = x(run["backlog"])
        parts.append(f'<path d="M{at:.1f} {panel.bottom}v5" stroke="{INK}"/>')
        parts.append(_text(at, panel.bottom + 20, f"{run['backlog']:,}", 12))
    parts.append(f'<path d="M{LEFT} {panel.top}V{panel.bottom}H{RIGHT}" fill="none" stroke="{INK}"/>')
    return parts


def _level(panel: Panel, name: str, value: float) -> list[str]:
    height = panel.y(value)
    return [
        f'<path d="M{LEFT} {height:.1f}H{RIGHT}" stroke="{ORANGE}" stroke-dasharray="6 4"/>',
        _text(RIGHT, height - 6, f"{name}, {value:.0f}/s", 12, anchor="end", color=ORANGE),
    ]


def _line(
    panel: Panel, x: Scale, points: Sequence[tuple[int, float]], color: str, name: str, *, below: bool = False
) -> list[str]:
    places = [(x(size), panel.y(value)) for size, value in points]
    path = "M" + "L".join(f"{across:.1f} {height:.1f}" for across, height in places)
    dots = [f'<circle cx="{a:.1f}" cy="{h:.1f}" r="3.5" fill="{color}"/>' for a, h in places]
    across, height = places[-1]
    offset = 18 if below else -10
    return [
        f'<path d="{path}" fill="none" stroke="{color}" stroke-width="2"/>',
        *dots,
        _text(across, height + offset, name, 12, color=color),
    ]


def _text(
    x: float, y: float, words: str, size: int, *, anchor: str = "middle", weight: str = "400",
    color: str = INK, extra: str = "",
) -> str:  # fmt: skip
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" font-weight="{weight}" '
        f'fill="{color}"{extra}>{words}</text>'
    )


def _document(parts: Sequence[str]) -> str:
    title = "Journey: throughput and lateness over the size of a backlog"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'font-family="system-ui, sans-serif"><title>{title}</title>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>'
    )
    return "\n".join([head, _text(WIDTH / 2, 30, title, 17, weight="600"), *parts, "</svg>", ""])
