"""The schema on both databases: migrations equal the models, and the queue's index is used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from journey.domain.pathway import Channel
from journey.store import messages
from journey.store.database import Database, StoreUnavailable
from journey.store.migrating import migrate, schema_state
from journey.store.schema import metadata
from journey.store.sealing import Sealer, read_keys
from tests.clinic import KEYS, START, Clinic
from tests.servers import PostgresServer


def _database(url: str) -> Database:
    return Database(url, Sealer(read_keys(KEYS)))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.sqlite3'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = f"empty_{uuid4().hex}"
    yield server.create_database(name)
    server.drop_database(name)


def test_migrations_from_empty_make_exactly_the_models(empty_url: str) -> None:
    database = _database(empty_url)
    assert schema_state(database)[0] is None
    migrate(database)
    present, newest = schema_state(database)
    assert present == newest is not None
    with database.read() as tx:
        context = MigrationContext.configure(tx.connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    migrate(database)  # a second time does nothing
    database.close()


def test_every_check_and_unique_rule_of_the_models_is_in_the_database(empty_url: str) -> None:
    # Alembic does not compare these by itself.
    database = _database(empty_url)
    migrate(database)
    found = inspect(database.engine)
    for table in metadata.sorted_tables:
        checks = {rule["name"] for rule in found.get_check_constraints(table.name)}
        unique = {rule["name"] for rule in found.get_unique_constraints(table.name)}
        for rule in table.constraints:
            kind = type(rule).__name__
            if kind == "CheckConstraint":
                assert str(rule.name) in checks, (table.name, rule.name)
            if kind == "UniqueConstraint":
                assert unique or found.get_indexes(table.name), (table.name, rule.name)
        partial = {index.name for index in table.indexes}
        assert partial <= {index["name"] for index in found.get_indexes(table.name)}, table.name
    database.close()


def test_an_empty_database_says_to_migrate(empty_url: str) -> None:
    database = _database(empty_url)
    with pytest.raises(StoreUnavailable, match="run: journey migrate"), database.read() as tx:
        messages.counts_by_status(tx)
    database.close()


def test_the_claim_reads_only_the_partial_index(clinic: Clinic) -> None:
    clinic.enroll()
    query = messages._due(Channel.SMS, START).order_by(text("due_at")).limit(100)
    with clinic.database.read() as tx:
        if tx.is_postgres:
            # A table of a few rows is cheaper to read whole: forbid that, and see what is left.
            tx.connection.execute(text("SET LOCAL enable_seqscan = off"))
        dialect = tx.connection.dialect
        said = query.compile(dialect=dialect, compile_kwargs={"literal_binds": False})
        prefix = "EXPLAIN " if tx.is_postgres else "EXPLAIN QUERY PLAN "
        literal = _literal(str(said), said.params)
        plan = "\n".join(str(row) for row in tx.connection.exec_driver_sql(prefix + literal))
    assert "ix_messages_due" in plan, plan
    assert "Seq Scan" not in plan
    assert "SCAN messages" not in plan
    assert "TEMP B-TREE" not in plan, "sorted by the index itself"
    assert "Sort" not in plan


def _literal(sql: str, params: dict[str, object]) -> str:
    """The statement with its values in place, for EXPLAIN."""
    values = [f"'{value}'" if not isinstance(value, int) else str(value) for value in params.values()]
    for name, value in zip(params, values, strict=True):
        for mark in (f"%({name})s::VARCHAR", f"%({name})s::TIMESTAMP WITH TIME ZONE", f"%({name})s::INTEGER"):
            sql = sql.replace(mark, value)
        sql = sql.replace(f"%({name})s", value)
    for value in values:
        sql = sql.replace("?", value, 1)
    return sql


@pytest.mark.parametrize("url", ["mysql://x/y", "oracle://x"])
def test_another_kind_of_database_is_refused_in_words(url: str) -> None:
    with pytest.raises(ValueError, match="use sqlite:///PATH or postgresql://USER@HOST/NAME"):
        _database(url)
