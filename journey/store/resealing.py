"""Sealing stored values anew under the first key, a slice at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Table, select, update

from journey.store import imports, messages, outbox, replies, staff, staff_tasks, suppressions, webhooks
from journey.store.database import Tx
from journey.store.schema import import_rows, task_notes, webhook_endpoints
from journey.store.schema import imports as imports_table
from journey.store.schema import messages as messages_table
from journey.store.schema import outbox as outbox_table
from journey.store.schema import replies as replies_table
from journey.store.schema import staff as staff_table
from journey.store.schema import suppressions as suppressions_table


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A sealed column, and what its values are bound to: a place name, and columns of their row."""

    table: Table
    column: Column[Any]
    place: str
    bound_to: tuple[Column[Any], ...]


_messages, _outbox, _suppressions = messages_table.c, outbox_table.c, suppressions_table.c
SEALED_COLUMNS = (
    SealedColumn(messages_table, _messages.sealed_content, messages.CONTENT, (_messages.id,)),
    SealedColumn(outbox_table, _outbox.sealed_content, outbox.PLACE, (_outbox.message_id, _outbox.attempt)),
    SealedColumn(
        suppressions_table, _suppressions.sealed_evidence, suppressions.EVIDENCE, (_suppressions.id,)
    ),
    SealedColumn(
        replies_table,
        replies_table.c.sealed_content,
        replies.CONTENT,
        (replies_table.c.id, replies_table.c.enrollment_id),
    ),
    SealedColumn(task_notes, task_notes.c.sealed_text, staff_tasks.NOTE, (task_notes.c.id,)),
    SealedColumn(staff_table, staff_table.c.sealed_totp, staff.PLACE, (staff_table.c.id,)),
    SealedColumn(staff_table, staff_table.c.sealed_recovery, staff.RECOVERY, (staff_table.c.id,)),
    SealedColumn(imports_table, imports_table.c.sealed_name, imports.NAME, (imports_table.c.id,)),
    SealedColumn(imports_table, imports_table.c.sealed_file, imports.FILE, (imports_table.c.id,)),
    SealedColumn(imports_table, imports_table.c.sealed_mapping, imports.MAPPING, (imports_table.c.id,)),
    SealedColumn(import_rows, import_rows.c.sealed_detail, imports.DETAIL, (import_rows.c.id,)),
    SealedColumn(
        webhook_endpoints, webhook_endpoints.c.sealed_secret, webhooks.SECRET, (webhook_endpoints.c.id,)
    ),
)


def reseal_column(tx: Tx, sealed: SealedColumn, after: Any, limit: int) -> tuple[Any, int]:
    """Re-seals the next rows. Returns the id to go on after (None at the end), and how many changed."""
    key = sealed.table.c.id
    query = select(key, sealed.column, *(one.label(None) for one in sealed.bound_to))
    query = query.where(sealed.column.is_not(None)).order_by(key).limit(limit)
    if after is not None:
        query = query.where(key > after)
    # Locked, or a worker could write newer words between our reading and our writing.
    rows = tx.connection.execute(tx.locked(query)).all()
    changed = 0
    for row_id, value, *row in rows:
        if tx.sealer.is_current(value):
            continue
        fresh = tx.sealer.seal(tx.sealer.open(value, sealed.place, *row), sealed.place, *row)
        tx.connection.execute(update(sealed.table).where(key == row_id).values({sealed.column.name: fresh}))
        changed += 1
    return (rows[-1][0] if rows else None), changed
