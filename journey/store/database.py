"""Connections and transactions on SQLite and PostgreSQL. The one place that commits."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from psycopg.types.array import ListBinaryDumper
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Engine,
    Select,
    any_,
    bindparam,
    create_engine,
    event,
    text,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, StatementError
from sqlalchemy.pool import StaticPool

from journey.store.sealing import Sealer

_BUSY_SECONDS = 15
_WRITES = "journey_writes"
_DEADLOCK = "40P01"
_UNFIT = "a value does not fit its column: it is too long, or holds what cannot be stored"


class StoreUnavailable(Exception):
    """The database cannot be used now: gone, locked, full, or of another version."""


class Conflict(Exception):
    """A uniqueness rule of the schema forbids it; the caller knows what that means."""


class Unfit(Exception):
    """A value that its column cannot hold: what was asked cannot be stored as it stands."""


@dataclass(frozen=True, slots=True)
class Tx:
    """An open transaction, with the key ring that its sealed columns need."""

    connection: Connection
    sealer: Sealer

    @property
    def is_postgres(self) -> bool:
        return self.connection.dialect.name == "postgresql"

    def locked(self, query: Select[Any]) -> Select[Any]:
        """The query, keeping its rows from other writers until the end. SQLite has one writer at a time.

        Keys stay free, so that others may go on referring to the rows.
        """
        return query.with_for_update(key_share=True) if self.is_postgres else query

    def among(self, column: ColumnElement[Any], values: Collection[Any]) -> ColumnElement[bool]:
        """`column IN values`. On PostgreSQL one array: psycopg prepares no statement with fifty parameters
        or more, and each length of a list would be another statement."""
        if self.is_postgres:
            return column == any_(bindparam(None, list(values), ARRAY(column.type), unique=True))
        return column.in_(list(values))


class Database:
    """One database, from its SQLAlchemy URL. Safe to share between threads, not across a fork."""

    def __init__(self, url: str, sealer: Sealer) -> None:
        self.url = url
        self.sealer = sealer
        self.engine = _make_engine(url)

    @property
    def is_postgres(self) -> bool:
        return self.engine.dialect.name == "postgresql"

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """A transaction that commits at the end of the block and rolls back if it raises."""
        with _plain_errors(), self.engine.connect() as connection:
            connection = connection.execution_options(**{_WRITES: True})
            with connection.begin():
                yield Tx(connection, self.sealer)

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """A transaction that never changes anything."""
        with _plain_errors(), self.engine.connect() as connection:
            connection.begin()
            try:
                yield Tx(connection, self.sealer)
            finally:
                connection.rollback()

    @contextmanager
    def rehearse(self) -> Iterator[Tx]:
        """A transaction that may write, and is always rolled back: what would follow, asked of the code
        that would do it."""
        with _plain_errors(), self.engine.connect() as connection:
            connection = connection.execution_options(**{_WRITES: True})
            connection.begin()
            try:
                yield Tx(connection, self.sealer)
            finally:
                connection.rollback()

    def close(self) -> None:
        self.engine.dispose()

    def abandon(self) -> None:
        """Forgets connections inherited through a fork without closing the parent's sockets."""
        self.engine.dispose(close=False)


def _make_engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ValueError(
            "JOURNEY_DATABASE_URL cannot be read; write it like postgresql://USER:PASSWORD@HOST/NAME"
        ) from None
    if parsed.get_backend_name() == "postgresql":
        # A dead connection is found before it is used; four fit a worker's threads.
        engine = create_engine(
            parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, pool_size=4, hide_parameters=True
        )
        event.listen(engine, "connect", _prepare_postgres)
        return engine
    if parsed.get_backend_name() != "sqlite":
        raise ValueError(
            f"JOURNEY_DATABASE_URL names {parsed.get_backend_name()}; use sqlite:///PATH or "
            "postgresql://USER@HOST/NAME"
        )
    if parsed.database in (None, "", ":memory:"):
        engine = create_engine(
            url, poolclass=StaticPool, connect_args={"check_same_thread": False}, hide_parameters=True
        )
    else:
        _create_closed(Path(str(parsed.database)))
        engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS}, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _create_closed(path: Path) -> None:
    """A new database file is its owner's alone; SQLite gives its log files the same mode."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with suppress(OSError):  # it is there already; if it cannot be made, SQLite says so when it opens it
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))


def _prepare_postgres(connection: Any, _record: Any) -> None:
    # An array written as text is escaped in Python, value by value; in binary it is only joined.
    connection.adapters.register_dumper(list, ListBinaryDumper)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, below
    connection.execute("PRAGMA journal_mode = WAL")
    # FULL, since a claim lost with the power would be sent a second time.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes its lock at the start: upgrading a read lock later fails at once when busy.
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _plain_errors() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        raise Conflict(str(error.orig).split("\n")[0]) from None  # None: its values are patients' data
    except DataError:  # its own text would quote the values
        raise Unfit(_UNFIT) from None
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == _DEADLOCK:
            raise Conflict("two transactions waited for each other, and this one was rolled back") from None
        raise StoreUnavailable(explain_failure(error)) from None
    except StatementError:
        raise Unfit(_UNFIT) from None


def explain_failure(error: DBAPIError) -> str:
    """The database's words about its own state, with what to do. Never the statement or its values."""
    said = str(error.orig).strip().split("\n")[0]
    lowered = said.lower()
    if "locked" in lowered or "busy" in lowered:
        return f"the database is locked by another program ({said}); close it and try again"
    if "full" in lowered or "no space" in lowered or "disk i/o" in lowered:
        return f"the disk of the database is full ({said}); free some space, nothing was half written"
    if "readonly" in lowered or "read-only" in lowered:
        return f"the database cannot be written ({said}); check the permissions of its folder"
    if 'database "' in lowered and "does not exist" in lowered:
        return f"there is no such database ({said}); create it, or check JOURNEY_DATABASE_URL"
    if "no such table" in lowered or "does not exist" in lowered or "no such column" in lowered:
        return f"the database has another version ({said}); run: journey migrate"
    if "malformed" in lowered or "not a database" in lowered:
        return f"the database file is damaged ({said}); restore it from the last backup"
    if error.connection_invalidated or "connect" in lowered:
        return f"the database does not answer ({said}); check that it runs and JOURNEY_DATABASE_URL"
    return f"the database refused ({said}); run: journey doctor"


def server_clock(tx: Tx) -> datetime:
    """The PostgreSQL server's own clock, in UTC."""
    moment: datetime = tx.connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return moment.astimezone(UTC)
