"""What patients answer: each reply once, its words sealed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, insert, select

from journey.domain.triage import Intent
from journey.store.database import Tx
from journey.store.schema import replies
from journey.store.sealing import SealError

CONTENT = "replies.content"
_UNREADABLE = "This reply does not open with the present keys: run journey doctor, and phone the patient."


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply. `red_flags`: titles of what may be urgent in it. `pictures`: how many came with it."""

    id: UUID
    enrollment_id: UUID | None
    task_id: UUID | None
    intent: Intent
    at: datetime
    sender: str
    text: str
    pictures: int
    red_flags: tuple[str, ...]

    @property
    def quoted(self) -> str:
        """Who wrote what, in a line."""
        return f"{self.sender}: “{' '.join(self.text.split())}”"


def known(tx: Tx, provider_ids: Sequence[str]) -> set[str]:
    """Which of the provider's ids are kept already."""
    query = select(replies.c.provider_id).where(tx.among(replies.c.provider_id, provider_ids))
    return set(tx.connection.execute(query).scalars())


def add(tx: Tx, provider_id: str, reply: Reply) -> None:
    """Keeps a reply. Raises Conflict if the provider has told of it before."""
    content = {
        "from": reply.sender,
        "text": reply.text,
        "pictures": reply.pictures,
        "red_flags": list(reply.red_flags),
    }
    row = {
        "id": reply.id,
        "provider_id": provider_id,
        "enrollment_id": reply.enrollment_id,
        "task_id": reply.task_id,
        "intent": reply.intent.value,
        "at": reply.at,
        "sealed_content": tx.sealer.seal(content, CONTENT, reply.id),
    }
    tx.connection.execute(insert(replies).values(row))


def of_enrollment(tx: Tx, enrollment_id: UUID) -> list[Reply]:
    """An enrollment's replies, oldest first."""
    return _fetch(tx, select(replies).where(replies.c.enrollment_id == enrollment_id))


def of_tasks(tx: Tx, task_ids: Sequence[UUID]) -> dict[UUID, Reply]:
    """The replies that some tasks are about, by the task."""
    found = _fetch(tx, select(replies).where(tx.among(replies.c.task_id, task_ids)))
    return {one.task_id: one for one in found if one.task_id is not None}


def made(tx: Tx, enrollment_id: UUID | None, after: UUID | None, limit: int) -> list[Reply]:
    """Replies in the order in which they were kept, behind one of them."""
    query = select(replies)
    if enrollment_id is not None:
        query = query.where(replies.c.enrollment_id == enrollment_id)
    if after is not None:
        query = query.where(replies.c.id > after)
    return [_read(tx, row) for row in tx.connection.execute(query.order_by(replies.c.id).limit(limit))]


def get(tx: Tx, reply_id: UUID) -> Reply | None:
    row = tx.connection.execute(select(replies).where(replies.c.id == reply_id)).first()
    return _read(tx, row) if row else None


def _fetch(tx: Tx, query: Select[Any]) -> list[Reply]:
    rows = tx.connection.execute(query.order_by(replies.c.at, replies.c.id))
    return [_read(tx, row) for row in rows]


def _read(tx: Tx, row: Row[Any]) -> Reply:
    try:
        content = tx.sealer.open(row.sealed_content, CONTENT, row.id)
    except SealError:  # one damaged reply must not hide all the others
        content = {"from": "", "text": _UNREADABLE, "pictures": 0, "red_flags": []}
    return Reply(
        row.id,
        row.enrollment_id,
        row.task_id,
        Intent(row.intent),
        row.at,
        content["from"],
        content["text"],
        content["pictures"],
        tuple(content["red_flags"]),
    )
