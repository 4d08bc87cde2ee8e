"""Entry: `python -m benchmarks.run [--only NAME] [--quick]`, or `make bench`."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from types import ModuleType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import claiming, dispatch, importing, lateness, memory, pages, planning
from benchmarks.figures import Figure, Tell
from benchmarks.plot import write_plot
from benchmarks.report import print_table, write_json
from benchmarks.scene import Scene, opened

# In the order of the table. `dispatch` measures four figures in the same runs.
MODULES: dict[str, ModuleType] = {
    "dispatch": dispatch,
    "claim": claiming,
    "memory": memory,
    "lateness": lateness,
    "planning": planning,
    "import": importing,
    "pages": pages,
}
ALIASES = dict.fromkeys(("bare", "bare-50ms", "naive", "cpu"), "dispatch")
FOLDER = Path(__file__).parent


def main() -> None:
    options = _parse()
    console = Console()
    names = [ALIASES.get(options.only, options.only)] if options.only else list(MODULES)
    with tempfile.TemporaryDirectory(prefix="journey-bench-") as folder, _progress(console) as bar:
        total = sum(MODULES[name].steps(options.quick) for name in names)
        task = bar.add_task("start PostgreSQL, Redis and the fake provider", total=total)
        with opened(Path(folder), quick=options.quick) as scene:
            figures = _measure(scene, names, lambda what: bar.update(task, description=what, advance=1))
        bar.update(task, description="done", completed=total)
    print_table(console, figures)
    if not options.only:  # a part of the figures never replaces the whole
        write_json(FOLDER / "results.json", figures, quick=options.quick)
        write_plot(FOLDER / "plot.svg", figures)
        console.print("Written: benchmarks/results.json, benchmarks/plot.svg")


def _measure(scene: Scene, names: list[str], tell: Tell) -> list[Figure]:
    figures: list[Figure] = []
    for name in names:
        figures += MODULES[name].measure(scene, tell)
    return figures


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=[*MODULES, *ALIASES], help="one figure (and those of its runs)")
    parser.add_argument("--quick", action="store_true", help="smaller and noisier, under two minutes")
    return parser.parse_args()


def _progress(console: Console) -> Progress:
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    return Progress(*columns, console=console, transient=True)


if __name__ == "__main__":
    main()
