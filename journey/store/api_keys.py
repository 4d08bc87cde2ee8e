"""Keys of other systems, and the answers to requests that may be repeated."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from journey.domain.access import Scope
from journey.store.database import Tx
from journey.store.ids import new_id
from journey.store.schema import api_keys, idempotent_requests


@dataclass(frozen=True, slots=True)
class ApiKey:
    id: UUID
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None

    @property
    def actor(self) -> str:
        return f"api:{self.name}"


_COLUMNS = [api_keys.c[name] for name in ApiKey.__slots__]


def _read(row: Row[Any]) -> ApiKey:
    scopes = frozenset(Scope(scope) for scope in row.scopes)
    return ApiKey(**(dict(row._mapping) | {"scopes": scopes}))


def add(tx: Tx, name: str, key_hash: bytes, scopes: list[str], at: datetime) -> None:
    values = {"id": new_id(), "name": name, "key_hash": key_hash, "scopes": scopes, "created_at": at}
    tx.connection.execute(insert(api_keys).values(values))


def everyone(tx: Tx) -> list[ApiKey]:
    return [_read(row) for row in tx.connection.execute(select(*_COLUMNS).order_by(api_keys.c.created_at))]


def by_hash(tx: Tx, key_hash: bytes) -> ApiKey | None:
    """A key that is not revoked."""
    query = select(*_COLUMNS).where(api_keys.c.key_hash == key_hash, api_keys.c.revoked_at.is_(None))
    row = tx.connection.execute(query).first()
    return _read(row) if row else None


def touch(tx: Tx, key_id: UUID, at: datetime) -> None:
    tx.connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(used_at=at))


def revoke(tx: Tx, name: str, at: datetime) -> int:
    """Revokes every key of a name; says how many there were."""
    gone = update(api_keys).where(api_keys.c.name == name, api_keys.c.revoked_at.is_(None))
    return tx.connection.execute(gone.values(revoked_at=at)).rowcount


@dataclass(frozen=True, slots=True)
class EarlierRequest:
    request_hash: bytes
    enrollment_id: UUID | None  # none while the first request is at work
    was_new: bool
    at: datetime


def begin_request(tx: Tx, key_id: UUID, key_hash: bytes, request_hash: bytes, at: datetime) -> bool:
    """Takes an idempotency key; False if an earlier request has it."""
    row = {"api_key_id": key_id, "key_hash": key_hash, "request_hash": request_hash, "at": at}
    statement: Any = (postgresql.insert if tx.is_postgres else sqlite.insert)(idempotent_requests)
    # The row count of an insert that may do nothing is not the same on both databases; what comes back is.
    taken = statement.values(row).on_conflict_do_nothing().returning(idempotent_requests.c.at)
    return tx.connection.execute(taken).first() is not None


def earlier_request(tx: Tx, key_id: UUID, key_hash: bytes) -> EarlierRequest | None:
    kept = idempotent_requests.c
    found = select(kept.request_hash, kept.enrollment_id, kept.was_new, kept.at)
    found = found.where(kept.api_key_id == key_id, kept.key_hash == key_hash)
    row = tx.connection.execute(found).first()
    return EarlierRequest(bytes(row[0]), row[1], bool(row[2]), row[3]) if row else None


def finish_request(tx: Tx, key_id: UUID, key_hash: bytes, enrollment_id: UUID, *, was_new: bool) -> bool:
    """False if another request of the key has finished first."""
    kept = idempotent_requests.c
    open_one = update(idempotent_requests).where(
        kept.api_key_id == key_id, kept.key_hash == key_hash, kept.enrollment_id.is_(None)
    )
    done = open_one.values(enrollment_id=enrollment_id, was_new=was_new)
    return tx.connection.execute(done).rowcount == 1


def forget_request(tx: Tx, key_id: UUID, key_hash: bytes) -> None:
    """A request that was refused may be mended and sent again under its key."""
    tx.connection.execute(
        delete(idempotent_requests).where(
            idempotent_requests.c.api_key_id == key_id,
            idempotent_requests.c.key_hash == key_hash,
            idempotent_requests.c.enrollment_id.is_(None),
        )
    )


def forget_requests_before(tx: Tx, at: datetime) -> int:
    return tx.connection.execute(delete(idempotent_requests).where(idempotent_requests.c.at < at)).rowcount
