"""A run's summary for people."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from journey.simulation.history import Violation
from journey.simulation.running import Result

_SHOWN = 5


def report(result: Result, console: Console) -> None:
    """Prints what happened, and for each broken invariant what led to it and how to see it again."""
    console.print(
        f"{result.patients} patients, {result.enrollments} enrollments, {result.days} days from "
        f"{result.began[:10]}, seed {result.seed}: {result.steps} steps"
    )
    console.print(_table("Messages", result.statuses))
    console.print(_table("Accepted by the provider", result.accepted))
    if result.fault_counts:
        console.print(_table("Faults", result.fault_counts))
    console.print(f"digest {result.digest}", soft_wrap=True)
    if not result.violations:
        console.print("[green]every invariant held[/green]")
        return
    for violation in result.violations[:_SHOWN]:
        _explain(violation, console)
    more = len(result.violations) - _SHOWN
    if more > 0:
        console.print(f"… and {more} more")
    console.print(f"[red]{len(result.violations)} invariants broken[/red]; see it again with:")
    console.print(f"  {result.replay}", soft_wrap=True)


def _table(title: str, counts: Mapping[str, int]) -> Table:
    table = Table(title=title, title_justify="left", box=None, show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    for name, count in counts.items():
        table.add_row(escape(name), str(count))
    return table


def _explain(violation: Violation, console: Console) -> None:
    console.print(f"[red]{escape(violation.rule)}[/red]: {escape(violation.detail)}", soft_wrap=True)
    for line in violation.trail[-15:]:
        console.print(f"    {escape(line)}", soft_wrap=True, highlight=False)
