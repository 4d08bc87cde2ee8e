"""The table for people and the JSON for machines."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.figures import Figure

_LIBRARIES = ("celery", "sqlalchemy", "psycopg", "twilio", "aiohttp")


def print_table(console: Console, figures: Sequence[Figure]) -> None:
    table = Table(title="Journey: speed as ratios in one run", show_lines=True)
    table.add_column("Figure", ratio=5)
    table.add_column("Measured", justify="right", no_wrap=True)
    table.add_column("Goal", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for figure in figures:
        verdict = "[green]met[/]" if figure.is_met else "[red]not met[/]"
        text = f"{figure.title}\n[dim]{figure.detail}[/]"
        table.add_row(text, figure.measured_text, figure.goal_text, verdict)
    console.print(table)


def write_json(path: Path, figures: Sequence[Figure], *, quick: bool) -> None:
    """Facts about the machine, without its name or any path."""
    found: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": quick,
        "machine": {
            "cores": os.cpu_count(),
            "memory_gb": round(psutil.virtual_memory().total / 2**30),
            "system": platform.system(),
            "architecture": platform.machine(),
            "python": platform.python_version(),
            "load_average_at_end": round(os.getloadavg()[0], 2),
            "libraries": {name: version(name) for name in _LIBRARIES},
        },
        "figures": [figure.as_json() for figure in figures],
    }
    path.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
