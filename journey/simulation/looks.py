"""Cheap looks at the run's SQLite database, past SQLAlchemy: asked after every commit and every step."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from journey.domain.delivery import Event, Status
from journey.store.database import Database


@dataclass(frozen=True, slots=True)
class Happening:
    """One row of the message events."""

    id: int
    message_id: UUID
    event: Event
    status: Status
    attempt: int
    reason: str | None


_NEXT = (
    "SELECT min(due_at) FROM messages WHERE status = 'planned' AND channel = 'sms'",
    "SELECT min(due_at) FROM messages WHERE status = 'planned' AND channel = 'email'",
    "SELECT min(check_at) FROM messages WHERE check_at IS NOT NULL",
)


class Looks:
    """Uses the one connection that the engine shares, always between two transactions."""

    def __init__(self, database: Database) -> None:
        fairy = database.engine.raw_connection()
        driver: Any = fairy.driver_connection
        fairy.close()  # gives it back; with one shared connection it stays open
        self._connection: sqlite3.Connection = driver
        self._last_event = 0

    def next_work(self) -> tuple[datetime | None, datetime | None]:
        """When the next message is due, and when the next row must be looked after."""
        sms, email, check = (self._connection.execute(query).fetchone()[0] for query in _NEXT)
        due = min((one for one in (sms, email) if one), default=None)
        return _instant(due), _instant(check)

    def new_events(self) -> Iterator[Happening]:
        """What the timeline has gained since the last look."""
        rows = self._connection.execute(
            "SELECT id, message_id, event, status, attempt, reason FROM message_events WHERE id > ?",
            (self._last_event,),
        ).fetchall()
        for number, message_id, event, status, attempt, reason in rows:
            self._last_event = number
            yield Happening(number, UUID(message_id), Event[event.upper()], Status(status), attempt, reason)


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None
