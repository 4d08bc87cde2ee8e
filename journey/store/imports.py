"""Uploaded files of patients, sealed, with what became of each row."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update

from journey.store.database import Tx
from journey.store.ids import new_id
from journey.store.schema import import_rows, imports

NAME, FILE, MAPPING, DETAIL = "imports.name", "imports.file", "imports.mapping", "import_rows.detail"


class RowResult(StrEnum):
    READY = "ready"  # checked; would be enrolled
    REFUSED = "refused"  # cannot be enrolled as it stands
    ENROLLED = "enrolled"
    ALREADY = "already"  # was enrolled before; nothing changed


@dataclass(frozen=True, slots=True)
class Import:
    """An upload. `mapping` gives our column for each of the file's; `rows` does not count the header."""

    id: UUID
    name: str
    rows: int
    pathway: str
    site: str
    mapping: Mapping[str, str]
    actor: str
    created_at: datetime
    begun_at: datetime | None
    has_file: bool


@dataclass(frozen=True, slots=True)
class ImportRow:
    """`number` counts like a spreadsheet. `faults`: what is wrong, by our column."""

    number: int
    result: RowResult
    enrollment_id: UUID | None
    faults: Mapping[str, str]


def add(tx: Tx, name: str, raw: bytes, rows: int, actor: str, at: datetime) -> UUID:
    import_id = new_id()
    # Sealed values are JSON; packed, a file of a hospital takes a tenth.
    packed = base64.b85encode(zlib.compress(raw)).decode()
    values = {
        "id": import_id,
        "sealed_name": tx.sealer.seal(name, NAME, import_id),
        "sealed_file": tx.sealer.seal(packed, FILE, import_id),
        "rows": rows,
        "pathway": "",
        "site": "",
        "actor": actor,
        "created_at": at,
    }
    tx.connection.execute(insert(imports).values(values))
    return import_id


def get(tx: Tx, import_id: UUID, *, lock: bool = False) -> Import | None:
    query = select(*_COLUMNS).where(imports.c.id == import_id)
    row = tx.connection.execute(tx.locked(query) if lock else query).first()
    return _read(tx, row) if row else None


# Never the file itself: it is many megabytes, and a page asks for the rest every few seconds.
_COLUMNS = [
    *(column for column in imports.c if column.name != "sealed_file"),
    imports.c.sealed_file.is_not(None).label("has_file"),
]


def _read(tx: Tx, row: Any) -> Import:
    return Import(
        row.id,
        tx.sealer.open(row.sealed_name, NAME, row.id),
        row.rows,
        row.pathway,
        row.site,
        tx.sealer.open(row.sealed_mapping, MAPPING, row.id) if row.sealed_mapping else {},
        row.actor,
        row.created_at,
        row.begun_at,
        bool(row.has_file),
    )


def recent(tx: Tx, limit: int = 20) -> list[Import]:
    query = select(*_COLUMNS).order_by(imports.c.created_at.desc()).limit(limit)
    return [_read(tx, row) for row in tx.connection.execute(query)]


def read_file(tx: Tx, import_id: UUID) -> bytes | None:
    """The file as it was uploaded; None once it was forgotten."""
    query = select(imports.c.sealed_file).where(imports.c.id == import_id)
    sealed = tx.connection.execute(query).scalar_one()
    return zlib.decompress(base64.b85decode(tx.sealer.open(sealed, FILE, import_id))) if sealed else None


def arrange(tx: Tx, import_id: UUID, mapping: Mapping[str, str], pathway: str, site: str) -> None:
    """Sets how the columns are read; whatever was checked before counts no more."""
    sealed = tx.sealer.seal(dict(mapping), MAPPING, import_id)
    values = {"sealed_mapping": sealed, "pathway": pathway, "site": site}
    tx.connection.execute(update(imports).where(imports.c.id == import_id).values(values))
    tx.connection.execute(delete(import_rows).where(import_rows.c.import_id == import_id))


def mark_begun(tx: Tx, import_id: UUID, at: datetime) -> bool:
    """False if somebody has begun it already."""
    mine = update(imports).where(imports.c.id == import_id, imports.c.begun_at.is_(None))
    return tx.connection.execute(mine.values(begun_at=at)).rowcount == 1


def forget_files(tx: Tx, before: datetime) -> int:
    """Takes the files of old uploads away, and what was wrong with their rows; the results stay."""
    old = select(imports.c.id).where(imports.c.created_at < before, imports.c.sealed_file.is_not(None))
    ids = [row[0] for row in tx.connection.execute(old)]
    if ids:
        gone = (
            update(imports).where(tx.among(imports.c.id, ids)).values(sealed_file=None, sealed_mapping=None)
        )
        tx.connection.execute(gone)
        details = update(import_rows).where(tx.among(import_rows.c.import_id, ids))
        tx.connection.execute(details.values(sealed_detail=None))
    return len(ids)


def put_rows(tx: Tx, import_id: UUID, rows: Sequence[ImportRow]) -> None:
    values = []
    for row in rows:
        row_id = new_id()
        sealed = tx.sealer.seal(dict(row.faults), DETAIL, row_id) if row.faults else None
        values.append(
            {
                "id": row_id,
                "import_id": import_id,
                "row": row.number,
                "result": row.result.value,
                "enrollment_id": row.enrollment_id,
                "sealed_detail": sealed,
            }
        )
    if values:
        tx.connection.execute(insert(import_rows), values)


def replace_rows(tx: Tx, import_id: UUID, rows: Sequence[ImportRow]) -> None:
    numbers = [row.number for row in rows]
    mine = import_rows.c.import_id == import_id
    tx.connection.execute(delete(import_rows).where(mine, tx.among(import_rows.c.row, numbers)))
    put_rows(tx, import_id, rows)


def rows_of(
    tx: Tx, import_id: UUID, after: int, limit: int, result: RowResult | None = None
) -> list[ImportRow]:
    """Rows behind a number, in the file's order."""
    query = select(import_rows).where(import_rows.c.import_id == import_id, import_rows.c.row > after)
    if result is not None:
        query = query.where(import_rows.c.result == result.value)
    rows = tx.connection.execute(query.order_by(import_rows.c.row).limit(limit))
    return [
        ImportRow(
            row.row,
            RowResult(row.result),
            row.enrollment_id,
            tx.sealer.open(row.sealed_detail, DETAIL, row.id) if row.sealed_detail else {},
        )
        for row in rows
    ]


def count_rows(tx: Tx, import_id: UUID) -> dict[RowResult, int]:
    query = select(import_rows.c.result, func.count()).where(import_rows.c.import_id == import_id)
    rows = tx.connection.execute(query.group_by(import_rows.c.result))
    return {RowResult(row[0]): int(row[1]) for row in rows}
