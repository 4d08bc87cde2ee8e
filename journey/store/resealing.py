"""Sealing stored values anew under the first key, a slice at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Table, select, update

from journey.store import messages, outbox, suppressions
from journey.store.database import Tx
from journey.store.schema import messages as messages_table
from journey.store.schema import outbox as outbox_table
from journey.store.schema import suppressions as suppressions_table


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A sealed column and the place name that its values are bound to."""

    table: Table
    column: Column[Any]
    place: str


SEALED_COLUMNS = (
    SealedColumn(messages_table, messages_table.c.sealed_content, messages.CONTENT),
    SealedColumn(outbox_table, outbox_table.c.sealed_content, outbox.PLACE),
    SealedColumn(suppressions_table, suppressions_table.c.sealed_evidence, suppressions.EVIDENCE),
)


def reseal_column(tx: Tx, sealed: SealedColumn, after: Any, limit: int) -> tuple[Any, int]:
    """Re-seals the next rows. Returns the id to go on after (None at the end), and how many changed."""
    key = sealed.table.c.id
    query = select(key, sealed.column).where(sealed.column.is_not(None)).order_by(key).limit(limit)
    if after is not None:
        query = query.where(key > after)
    rows = tx.connection.execute(query).all()
    changed = 0
    for row_id, value in rows:
        if tx.sealer.is_current(value):
            continue
        fresh = tx.sealer.seal(tx.sealer.open(value, sealed.place), sealed.place)
        tx.connection.execute(update(sealed.table).where(key == row_id).values({sealed.column.name: fresh}))
        changed += 1
    return (rows[-1][0] if rows else None), changed
