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
    """One row of the message events, with the message it is about."""

    message_id: UUID
    enrollment_id: UUID
    step: str
    occurrence: int
    event: Event
    status: Status
    attempt: int
    reason: str | None


_EVENTS = (
    "SELECT e.id, e.event, e.status, e.attempt, e.reason, m.id, m.enrollment_id, m.step, m.occurrence "
    "FROM message_events e JOIN messages m ON m.id = e.message_id WHERE e.id > ? ORDER BY e.id"
)
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

    def next_work(self) -> tuple[datetime | None, ...]:
        """When the next text, and the next e-mail, is due; when the next row must be looked after."""
        return tuple(_instant(self._connection.execute(query).fetchone()[0]) for query in _NEXT)

    def new_events(self) -> Iterator[Happening]:
        """What the timeline has gained since the last look."""
        for row in self._connection.execute(_EVENTS, (self._last_event,)).fetchall():
            self._last_event = row[0]
            yield Happening(
                message_id=UUID(row[5]),
                enrollment_id=UUID(row[6]),
                step=row[7],
                occurrence=row[8],
                event=Event[row[1].upper()],
                status=Status(row[2]),
                attempt=row[3],
                reason=row[4],
            )


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None
