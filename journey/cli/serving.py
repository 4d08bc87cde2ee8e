"""Commands that run: web, worker, beat, all in one, the demonstration and the simulation."""

from __future__ import annotations

import socket
from typing import Annotated

import typer
import uvicorn
from rich.console import Console

from journey.bootstrap import App
from journey.cli.accounts import say_first_link
from journey.cli.operating import first_site
from journey.cli.shared import opened, out, progress_bar
from journey.logs import configure_logs
from journey.services.publishing import install_content
from journey.store.migrating import migrate
from journey.tasks.app import OPERATORS_ERRORS, SCHEDULER, configure
from journey.tasks.embedded import EmbeddedWorker
from journey.web.app import create_app
from journey.web.listening import in_address, listen

Host = Annotated[str, typer.Option("--host", help="Address to listen on.")]
Port = Annotated[int, typer.Option("--port", help="Port to listen on.")]
_WIDE = 240  # columns


def register(app: typer.Typer) -> None:
    app.command("up")(up)
    app.command("web")(web)
    app.command("worker")(worker)
    app.command("beat")(beat)
    app.command("demo")(demo)
    app.command("simulate")(simulate)


def up(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Run everything in one process, with lasting data in JOURNEY_DATA_DIR."""
    configure_logs(*OPERATORS_ERRORS)
    with listen(host, port) as listener, opened(listener.getsockname()[1]) as app:
        migrate(app.context.database)
        for text in install_content(app.context, first_site(app.settings)):
            out.print(f"- {text}")
        say_first_link(app)
        out.print(f"Journey runs at http://{in_address(host)}:{port} - stop it with Ctrl-C.")
        with EmbeddedWorker(configure(app)):
            _serve(app, listener)


def web(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Serve the web application."""
    configure_logs(*OPERATORS_ERRORS)
    with listen(host, port) as listener, opened(listener.getsockname()[1]) as app:
        say_first_link(app)
        _serve(app, listener)


def _serve(app: App, listener: socket.socket) -> None:
    # No access log: addresses hold tokens.
    config = uvicorn.Config(
        create_app(app),
        access_log=False,
        log_config=None,
        forwarded_allow_ips=app.settings.trusted_proxies,
    )
    uvicorn.Server(config).run(sockets=[listener])


def worker(
    concurrency: Annotated[int, typer.Option("--concurrency", help="Processes that send.")] = 2,
) -> None:
    """Send what is due. Every worker runs a beat of its own: two beats, or ten, do no harm."""
    with opened() as app:
        celery = configure(app)
        celery.worker_main(
            [
                "worker",
                "--beat",
                f"--scheduler={SCHEDULER}",
                f"--concurrency={concurrency}",
                "--loglevel=INFO",
                "--without-gossip",
                "--without-mingle",
                "--without-heartbeat",
            ]
        )


def beat() -> None:
    """Run a beat alone, where workers should not run their own."""
    with opened() as app:
        configure(app).Beat(loglevel="WARNING").run()


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Run the whole journey without a browser and print its calendar.")
    ] = False,
    host: Host = "127.0.0.1",
    port: Port = 8000,
) -> None:
    """Show a clinic of fictional patients with a clock you can move. Nothing leaves this computer."""
    from journey.demo.serving import run_once, serve

    if not once:
        serve(host, port, out)
        return
    with progress_bar("Sending") as bar:
        task = bar.add_task("demo", total=None)
        table = run_once(lambda done, total: bar.update(task, completed=done, total=total))
    # A file or a pipe has no width of its own; a calendar cut to 80 columns is no use there.
    wide = out if out.is_terminal else Console(width=_WIDE, highlight=False)
    wide.print(table)


def simulate(
    patients: Annotated[int, typer.Option("--patients")] = 50,
    days: Annotated[int, typer.Option("--days")] = 365,
    seed: Annotated[int, typer.Option("--seed")] = 1,
    faults: Annotated[bool, typer.Option("--faults")] = False,
) -> None:
    """Run the real engine against a simulated world; a failing seed replays exactly."""
    from journey.simulation import report, run_simulation

    with progress_bar("Simulating") as bar:
        task = bar.add_task("simulate", total=1.0)
        result = run_simulation(patients, days, seed, faults, lambda part: bar.update(task, completed=part))
    report(result, out)
    if result.violations:
        flags = f"--patients {patients} --days {days} --seed {seed}{' --faults' if faults else ''}"
        out.print(f"Replay it with: journey simulate {flags}")
        raise typer.Exit(1)
