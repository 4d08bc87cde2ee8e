"""Marks of the installation itself: a sealed word that tells right keys from wrong ones, how far it got."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from journey.store.database import Tx
from journey.store.schema import installation

_KEY_MARK = "key_mark"
_FETCHED = "replies_fetched_until"


def is_marked(tx: Tx) -> bool:
    return _read(tx) is not None


def open_mark(tx: Tx) -> None:
    """Raises SealError when none of the ring's keys sealed this database."""
    sealed = _read(tx)
    if sealed is not None:
        tx.sealer.open(sealed, _KEY_MARK)


def mark(tx: Tx) -> None:
    """Seals the mark under the first key."""
    _write(tx, _KEY_MARK, tx.sealer.seal("journey", _KEY_MARK))


def _read(tx: Tx) -> bytes | None:
    query = select(installation.c.value).where(installation.c.key == _KEY_MARK)
    value: bytes | None = tx.connection.execute(query).scalar_one_or_none()
    return value


def fetched_until(tx: Tx) -> datetime | None:
    """Up to when all that came in is known to be kept."""
    query = select(installation.c.value).where(installation.c.key == _FETCHED)
    value: bytes | None = tx.connection.execute(query).scalar_one_or_none()
    return datetime.fromisoformat(bytes(value).decode()) if value else None


def note_fetched(tx: Tx, until: datetime) -> None:
    _write(tx, _FETCHED, until.isoformat().encode())


def _write(tx: Tx, key: str, value: bytes) -> None:
    statement: Any = (postgresql.insert if tx.is_postgres else sqlite.insert)(installation)
    tx.connection.execute(
        statement.values(key=key, value=value).on_conflict_do_update(
            index_elements=["key"], set_={"value": value}
        )
    )
