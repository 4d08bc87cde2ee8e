"""Marks of the installation itself, such as a sealed word that tells the right keys from wrong ones."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from journey.store.database import Tx
from journey.store.schema import installation

_KEY_MARK = "key_mark"


def is_marked(tx: Tx) -> bool:
    return _read(tx) is not None


def open_mark(tx: Tx) -> None:
    """Raises SealError when none of the ring's keys sealed this database."""
    sealed = _read(tx)
    if sealed is not None:
        tx.sealer.open(sealed, _KEY_MARK)


def mark(tx: Tx) -> None:
    """Seals the mark under the first key."""
    sealed = tx.sealer.seal("journey", _KEY_MARK)
    statement: Any = (postgresql.insert if tx.is_postgres else sqlite.insert)(installation)
    tx.connection.execute(
        statement.values(key=_KEY_MARK, value=sealed).on_conflict_do_update(
            index_elements=["key"], set_={"value": sealed}
        )
    )


def _read(tx: Tx) -> bytes | None:
    query = select(installation.c.value).where(installation.c.key == _KEY_MARK)
    value: bytes | None = tx.connection.execute(query).scalar_one_or_none()
    return value
