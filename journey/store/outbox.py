"""Messages of the local outbox, which stands in for a provider on the embedded default."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.dialects import postgresql, sqlite

from journey.domain.pathway import Channel
from journey.store.database import Tx
from journey.store.schema import outbox

PLACE = "outbox.content"


@dataclass(frozen=True, slots=True)
class Delivered:
    id: int
    message_id: UUID
    channel: Channel
    at: datetime
    content: dict[str, str]  # to, subject, text, html


def put(
    tx: Tx, message_id: UUID, attempt: int, channel: Channel, content: dict[str, str], at: datetime
) -> None:
    """Keeps a message; the same attempt twice is kept once."""
    row: dict[str, Any] = {
        "message_id": message_id,
        "attempt": attempt,
        "channel": channel.value,
        "sealed_content": tx.sealer.seal(content, PLACE, message_id, attempt),
        "at": at,
    }
    statement: Any = (postgresql.insert if tx.is_postgres else sqlite.insert)(outbox)
    tx.connection.execute(statement.values(row).on_conflict_do_nothing())


def has(tx: Tx, message_id: UUID, attempt: int) -> bool:
    query = select(outbox.c.id).where(outbox.c.message_id == message_id, outbox.c.attempt == attempt)
    return tx.connection.execute(query).first() is not None


def recent(tx: Tx, limit: int = 200, before: int | None = None) -> list[Delivered]:
    """The newest messages first, or those older than one."""
    query = select(outbox).order_by(outbox.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(outbox.c.id < before)
    return [_read(tx, row) for row in tx.connection.execute(query)]


def get(tx: Tx, message_id: UUID) -> Delivered | None:
    """The last try of a message."""
    query = select(outbox).where(outbox.c.message_id == message_id).order_by(outbox.c.attempt.desc()).limit(1)
    row = tx.connection.execute(query).first()
    return _read(tx, row) if row else None


def _read(tx: Tx, row: Row[Any]) -> Delivered:
    content = tx.sealer.open(row.sealed_content, PLACE, row.message_id, row.attempt)
    return Delivered(row.id, row.message_id, Channel(row.channel), row.at, content)
