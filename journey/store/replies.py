"""What patients answer: each reply once, its words sealed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select

from journey.domain.triage import Intent
from journey.store.database import Tx
from journey.store.schema import replies
from journey.store.sealing import SealError

CONTENT = "replies.content"
_SHOWN = 200  # replies of one enrollment that a page holds
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
        "intent": reply.intent.value,
    }
    row = {
        "id": reply.id,
        "provider_id": provider_id,
        "enrollment_id": reply.enrollment_id,
        "task_id": reply.task_id,
        "at": reply.at,
        "sealed_content": tx.sealer.seal(content, CONTENT, reply.id, reply.enrollment_id),
    }
    tx.connection.execute(insert(replies).values(row))


def of_enrollment(tx: Tx, enrollment_id: UUID, since: datetime | None = None) -> list[Reply]:
    """An enrollment's newest replies, oldest first."""
    query = select(replies).where(replies.c.enrollment_id == enrollment_id)
    if since is not None:
        query = query.where(replies.c.at >= since)
    newest = tx.connection.execute(query.order_by(replies.c.at.desc(), replies.c.id.desc()).limit(_SHOWN))
    return [_read(tx, row) for row in newest][::-1]


def has_later(tx: Tx, enrollment_id: UUID, at: datetime) -> bool:
    """Whether an enrollment has a reply that was written after a moment."""
    query = select(replies.c.id).where(replies.c.enrollment_id == enrollment_id, replies.c.at > at)
    return tx.connection.execute(query.limit(1)).first() is not None


def of_tasks(tx: Tx, task_ids: Sequence[UUID]) -> dict[UUID, Reply]:
    """The replies that some tasks are about, by the task."""
    query = select(replies).where(tx.among(replies.c.task_id, task_ids))
    return {row.task_id: _read(tx, row) for row in tx.connection.execute(query)}


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


def _read(tx: Tx, row: Row[Any]) -> Reply:
    try:
        content = tx.sealer.open(row.sealed_content, CONTENT, row.id, row.enrollment_id)
    except SealError:  # one damaged reply must not hide all the others
        content = {"from": "", "text": _UNREADABLE, "pictures": 0, "red_flags": [], "intent": Intent.OTHER}
    return Reply(
        row.id,
        row.enrollment_id,
        row.task_id,
        Intent(content["intent"]),
        row.at,
        content["from"],
        content["text"],
        content["pictures"],
        tuple(content["red_flags"]),
    )
