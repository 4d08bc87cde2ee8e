"""What other systems are told: their addresses, the events, and each try to deliver one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, exists, func, insert, select, update

from journey.store.database import Tx
from journey.store.ids import new_id
from journey.store.schema import messages, webhook_deliveries, webhook_endpoints, webhook_events
from journey.store.schema.work import DeliveryStatus
from journey.store.sealing import SealError

SECRET = "webhook_endpoints.secret"  # the name of the column's place, no secret


@dataclass(frozen=True, slots=True)
class Endpoint:
    id: UUID
    url: str
    is_active: bool
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewEvent:
    """Something that happened. `data` holds ids, states and dates, and nothing that names a patient."""

    type: str
    at: datetime
    data: Mapping[str, Any]
    enrollment_id: UUID | None = None
    message_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one endpoint, with how its last try ended."""

    id: UUID
    endpoint_id: UUID
    event_id: UUID
    type: str
    data: Mapping[str, Any]
    at: datetime
    status: DeliveryStatus
    attempts: int
    due_at: datetime
    answer: str | None
    ended_at: datetime | None


def add_endpoint(tx: Tx, url: str, secret: str, actor: str, at: datetime) -> UUID:
    endpoint_id = new_id()
    values = {"id": endpoint_id, "url": url, "is_active": True, "created_by": actor, "created_at": at}
    values["sealed_secret"] = tx.sealer.seal(secret, SECRET, endpoint_id)
    tx.connection.execute(insert(webhook_endpoints).values(values))
    return endpoint_id


_ENDPOINT = [webhook_endpoints.c[name] for name in Endpoint.__slots__]


def endpoints(tx: Tx) -> list[Endpoint]:
    query = select(*_ENDPOINT).order_by(webhook_endpoints.c.created_at)
    return [Endpoint(*row) for row in tx.connection.execute(query)]


def active_ids(tx: Tx) -> list[UUID]:
    query = select(webhook_endpoints.c.id).where(webhook_endpoints.c.is_active)
    return [row[0] for row in tx.connection.execute(query)]


def get_endpoint(tx: Tx, endpoint_id: UUID) -> Endpoint | None:
    row = tx.connection.execute(select(*_ENDPOINT).where(webhook_endpoints.c.id == endpoint_id)).first()
    return Endpoint(*row) if row else None


def secrets_of(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, tuple[str, str]]:
    """Address and secret of each endpoint whose secret opens."""
    query = select(webhook_endpoints).where(tx.among(webhook_endpoints.c.id, ids))
    found = {}
    for row in tx.connection.execute(query):
        with suppress(SealError):
            found[row.id] = (row.url, tx.sealer.open(row.sealed_secret, SECRET, row.id))
    return found


def set_active(tx: Tx, endpoint_id: UUID, is_active: bool) -> bool:
    changed = update(webhook_endpoints).where(webhook_endpoints.c.id == endpoint_id)
    return tx.connection.execute(changed.values(is_active=is_active)).rowcount == 1


def emit(tx: Tx, events: Sequence[NewEvent]) -> None:
    """Queues events for every active endpoint, in the transaction that made them true."""
    listening = active_ids(tx) if events else []
    if not listening:
        return
    rows, due = [], []
    for event in events:
        row = {"id": new_id(), "type": event.type, "at": event.at, "data": dict(event.data)}
        rows.append(row | {"enrollment_id": event.enrollment_id, "message_id": event.message_id})
        due += [
            {
                "id": new_id(),
                "endpoint_id": endpoint_id,
                "event_id": row["id"],
                "status": DeliveryStatus.PENDING.value,
                "due_at": event.at,
            }
            for endpoint_id in listening
        ]
    tx.connection.execute(insert(webhook_events), rows)
    tx.connection.execute(insert(webhook_deliveries), due)


def emit_of_messages(tx: Tx, happened: Sequence[Mapping[str, Any]]) -> None:
    """Events of messages, from rows of their history. Asks for more only where somebody listens."""
    if not happened or not active_ids(tx):
        return
    ids = [row["message_id"] for row in happened]
    columns = messages.c.id, messages.c.enrollment_id, messages.c.step, messages.c.channel
    query = select(*columns).where(tx.among(messages.c.id, ids))
    known = {row.id: row for row in tx.connection.execute(query)}
    emit(tx, [_of_message(row, known[row["message_id"]]) for row in happened])


def _of_message(row: Mapping[str, Any], message: Any) -> NewEvent:
    data = {
        "message": str(message.id),
        "enrollment": str(message.enrollment_id),
        "step": message.step,
        "channel": message.channel,
        "status": row["status"],
        "reason": row["reason"],
    }
    return NewEvent(f"message.{row['status']}", row["at"], data, message.enrollment_id, message.id)


def _deliveries() -> Any:
    return select(
        webhook_deliveries.c.id,
        webhook_deliveries.c.endpoint_id,
        webhook_deliveries.c.event_id,
        webhook_events.c.type,
        webhook_events.c.data,
        webhook_events.c.at,
        webhook_deliveries.c.status,
        webhook_deliveries.c.attempts,
        webhook_deliveries.c.due_at,
        webhook_deliveries.c.answer,
        webhook_deliveries.c.ended_at,
    ).join(webhook_events, webhook_events.c.id == webhook_deliveries.c.event_id)


def _read(row: Row[Any]) -> Delivery:
    values = dict(row._mapping)
    return Delivery(**(values | {"status": DeliveryStatus(values["status"])}))


def take_due(tx: Tx, now: datetime, until: datetime, limit: int) -> list[Delivery]:
    """Due deliveries of active endpoints; nobody else takes them before `until`, and each try counts."""
    query = (
        _deliveries()
        .join(webhook_endpoints, webhook_endpoints.c.id == webhook_deliveries.c.endpoint_id)
        .where(
            webhook_deliveries.c.status == DeliveryStatus.PENDING.value,
            webhook_deliveries.c.due_at <= now,
            webhook_endpoints.c.is_active,
        )
        .order_by(webhook_deliveries.c.due_at)
        .limit(limit)
    )
    if tx.is_postgres:
        query = query.with_for_update(skip_locked=True, of=webhook_deliveries)
    found = [_read(row) for row in tx.connection.execute(query)]
    if found:
        taken = update(webhook_deliveries).where(tx.among(webhook_deliveries.c.id, [one.id for one in found]))
        tx.connection.execute(taken.values(due_at=until, attempts=webhook_deliveries.c.attempts + 1))
    return found


def record(
    tx: Tx, delivery: Delivery, status: DeliveryStatus, answer: str, at: datetime, due_at: datetime
) -> None:
    """How a try ended, if no later one has begun."""
    mine = update(webhook_deliveries).where(
        webhook_deliveries.c.id == delivery.id, webhook_deliveries.c.attempts == delivery.attempts + 1
    )
    ended = None if status is DeliveryStatus.PENDING else at
    tx.connection.execute(mine.values(status=status.value, answer=answer, due_at=due_at, ended_at=ended))


def send_again(tx: Tx, delivery_id: UUID, at: datetime) -> bool:
    """Puts a delivery back into the queue, with all its tries before it."""
    again = update(webhook_deliveries).where(webhook_deliveries.c.id == delivery_id)
    values = {"status": DeliveryStatus.PENDING.value, "due_at": at, "attempts": 0, "ended_at": None}
    return tx.connection.execute(again.values(values)).rowcount == 1


def log_of(tx: Tx, endpoint_id: UUID, limit: int = 50) -> list[Delivery]:
    """An endpoint's deliveries, the newest first."""
    query = _deliveries().where(webhook_deliveries.c.endpoint_id == endpoint_id)
    query = query.order_by(webhook_deliveries.c.id.desc()).limit(limit)
    return [_read(row) for row in tx.connection.execute(query)]


def count_due(tx: Tx, now: datetime) -> int:
    query = select(func.count()).where(
        webhook_deliveries.c.status == DeliveryStatus.PENDING.value, webhook_deliveries.c.due_at <= now
    )
    return int(tx.connection.execute(query).scalar_one())


def forget_before(tx: Tx, at: datetime, limit: int = 5_000) -> int:
    """Deletes events of before a moment whose deliveries have all ended."""
    open_ones = exists().where(
        webhook_deliveries.c.event_id == webhook_events.c.id,
        webhook_deliveries.c.status == DeliveryStatus.PENDING.value,
    )
    old = select(webhook_events.c.id).where(webhook_events.c.at < at, ~open_ones).limit(limit)
    ids = [row[0] for row in tx.connection.execute(old)]
    if ids:
        deliveries = delete(webhook_deliveries).where(tx.among(webhook_deliveries.c.event_id, ids))
        tx.connection.execute(deliveries)
        tx.connection.execute(delete(webhook_events).where(tx.among(webhook_events.c.id, ids)))
    return len(ids)
