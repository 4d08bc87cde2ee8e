"""Many rows in one statement: PostgreSQL takes them as one array a column, SQLite row by row.

The text of the statement stays the same for any number of rows, so that it is compiled and prepared once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    String,
    Table,
    TableValuedAlias,
    Text,
    bindparam,
    column,
    func,
    insert,
    select,
)
from sqlalchemy.types import TypeEngine

from journey.store.database import Tx


def as_table(types: Mapping[str, ColumnElement[Any]], rows: Sequence[Mapping[str, Any]]) -> TableValuedAlias:
    """Rows as a table inside a PostgreSQL statement. `types` names its columns, each typed like another."""
    arrays = [
        bindparam(None, [row[name] for row in rows], ARRAY(_without_length(like.type)), unique=True)
        for name, like in types.items()
    ]
    columns = [column(name, like.type) for name, like in types.items()]
    return func.unnest(*arrays).table_valued(*columns).render_derived(name="given")


def _without_length(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """PostgreSQL cuts what is cast to a shorter type and says nothing; the column itself refuses it."""
    return Text() if isinstance(kind, String) else kind


def insert_rows(tx: Tx, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rows that all name the same columns."""
    if not rows:
        return
    if not tx.is_postgres:
        tx.connection.execute(insert(table), rows)
        return
    names = list(rows[0])
    given = as_table({name: table.c[name] for name in names}, rows)
    tx.connection.execute(insert(table).from_select(names, select(*given.c)))
