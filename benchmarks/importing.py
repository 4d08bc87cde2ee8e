"""Enrolling from a CSV file, against the bare insert of the very rows that came of it."""

from __future__ import annotations

import csv
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Table, insert, select

from benchmarks.figures import Figure, Tell, middle, spread
from benchmarks.practice import PATHWAY, Practice, person, procedure_day
from benchmarks.scene import Scene
from journey.services.importing import import_file
from journey.store import schema

TABLES = [
    schema.sites,
    schema.pathway_versions,
    schema.patients,
    schema.patient_tokens,
    schema.consents,
    schema.enrollments,
    schema.messages,
    schema.staff_tasks,
    schema.audit_entries,
]


def _rounds(quick: bool) -> int:
    return 3


def _people(quick: bool) -> int:
    return 300 if quick else 1500


def steps(quick: bool) -> int:
    return 1 + 2 * _rounds(quick)


def measure(scene: Scene, tell: Tell) -> list[Figure]:
    number = _people(scene.quick)
    path = scene.folder / "patients.csv"
    write_csv(path, number)
    tell("warm up")
    with Practice(scene) as practice:
        warm = scene.folder / "warm.csv"
        write_csv(warm, 20)
        import_file(practice.context, warm, pathway=PATHWAY, actor="bench")
    runs = []
    for turn in range(1, _rounds(scene.quick) + 1):
        tell(f"import {number} patients, {turn}")
        runs.append(_one_round(scene, path, number, turn, tell))
    ours, bare = middle(runs, "journey_per_second"), middle(runs, "bare_per_second")
    return [
        Figure(
            name="import",
            title="Enrollments/s from CSV to committed rows, against the bare insert of the same rows",
            measured=middle(runs, "ratio"),
            goal=0.4,
            at_least=True,
            unit="",
            detail=f"{ours:.0f} against {bare:.0f}/s, {number} patients with {runs[0]['rows']} rows; "
            f"ratios {spread(runs, 'ratio')}",
            runs=runs,
        )
    ]


def _one_round(scene: Scene, path: Path, number: int, turn: int, tell: Tell) -> dict[str, Any]:
    """Each side on a new database, so that both insert into tables of the same size and statistics."""
    with Practice(scene) as practice:
        before = _read(practice)
        begun = time.perf_counter()
        report = import_file(practice.context, path, pathway=PATHWAY, actor="bench")
        ours = time.perf_counter() - begun
        assert (report.enrolled, report.errors) == (number, [])
        after = _read(practice)
    new = [(table, found[len(before[table]) :]) for table, found in after.items()]
    tell(f"bare insert of the same rows, {turn}")
    with Practice(scene, with_content=False) as practice:
        _insert(practice, list(before.items()))
        bare = _insert(practice, new)
    return {
        "journey_per_second": round(number / ours, 1),
        "bare_per_second": round(number / bare, 1),
        "ratio": round(bare / ours, 3),
        "rows": sum(len(found) for _, found in new),
    }


def _read(practice: Practice) -> dict[Table, list[dict[str, Any]]]:
    with practice.context.database.read() as tx:
        return {
            table: [dict(row._mapping) for row in tx.connection.execute(select(table))] for table in TABLES
        }


def _insert(practice: Practice, rows: list[tuple[Table, list[dict[str, Any]]]]) -> float:
    begun = time.perf_counter()
    with practice.context.database.write() as tx:
        for table, found in rows:
            if found:
                tx.connection.execute(insert(table), found)
    return time.perf_counter() - begun


def write_csv(path: Path, number: int) -> None:
    now = datetime.now(UTC)
    columns = [*person(0), "procedure_date", "arrival_time", "consent_sms", "consent_email", "diabetic"]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        for n in range(number):
            row = {"procedure_date": str(procedure_day(now, n)), "arrival_time": "09:30"}
            row |= {"consent_sms": "yes", "consent_email": "yes", "diabetic": "yes" if n % 3 else "no"}
            writer.writerow(person(n) | row)
