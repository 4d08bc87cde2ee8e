"""The demonstration's two ways: pages with a clock to play with, or the whole journey at once as a table."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import uvicorn
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from journey.bootstrap import App
from journey.demo.run import demonstration
from journey.web.charts.cards import Card, Chart, read_charts
from journey.web.demo import create_demo
from journey.web.listening import in_address, listen
from journey.web.words import say_day, say_zone

_STYLES = {"good": "green", "info": "blue", "warn": "yellow", "bad": "red", "quiet": "dim"}


def serve(host: str, port: int, out: Console) -> None:
    """Serves the pages until interrupted. Raises Refusal when the port cannot be had."""
    listener = listen(host, port)
    address = f"http://{in_address(host)}:{listener.getsockname()[1]}"
    out.print("Preparing the demonstration …")
    with _ending_in_order(), listener, demonstration(address) as demo:
        out.print(f"The demonstration is at [bold]{address}/demo[/bold] - stop it with Ctrl-C.")
        out.print(
            "Its patients are fictional, nothing leaves this computer, and its data is deleted at the end."
        )
        config = uvicorn.Config(create_demo(demo.app, demo.stage), access_log=False, log_level="warning")
        try:
            uvicorn.Server(config).run(sockets=[listener])
        except KeyboardInterrupt:
            out.print("The demonstration has ended.")


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """A plain kill ends the process like any other way out, so that the temporary data goes too."""

    def leave(_number: int, _frame: FrameType | None) -> None:
        sys.exit(0)

    before: Any = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def run_once(progress: Callable[[int, int], None]) -> Table:
    """Runs everybody's whole journey. Returns the calendar of what became of each message."""
    with _ending_in_order(), demonstration() as demo:
        demo.stage.to_the_end(progress)
        return calendar(demo.app)


def calendar(app: App) -> Table:
    """Every message of every patient, in the order of time."""
    with app.context.database.read() as tx:
        charts = read_charts(tx, app.library)
    table = Table("When", "Patient", "Message", "By", "State", "Why", title="Messages of the demonstration")
    for chart in charts:
        for card in chart.cards:
            table.add_row(*_row(chart, card))
        table.add_section()
    return table


def _row(chart: Chart, card: Card) -> tuple[str, ...]:
    zone = f" {say_zone(chart.zone.key)}" if chart.is_abroad else ""
    style = _STYLES[card.state.tone]
    return (
        f"{say_day(card.at)}, {card.at:%H:%M}{zone}",
        escape(chart.name),
        card.title,
        card.channel or "-",
        f"[{style}]{card.state.word}[/{style}]",
        escape(card.reason),
    )
