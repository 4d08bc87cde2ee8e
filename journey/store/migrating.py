"""Running Alembic from code: up to the newest schema, and saying which one is there."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import text

from journey.store.database import Database, StoreUnavailable

_LOCK = 7_310_002  # any constant: two containers that start at once migrate one after the other


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def migrate(database: Database) -> None:
    """Brings the schema up to date, in one transaction. Safe to run twice, or at the same time."""
    config = _config()
    with database.write() as tx:
        if tx.is_postgres:
            tx.connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        config.attributes["connection"] = tx.connection
        try:
            command.upgrade(config, "head")
        except CommandError:
            raise StoreUnavailable(
                "the database is of a newer Journey than this one; install that version, or restore the "
                "backup made before the upgrade"
            ) from None


def schema_state(database: Database) -> tuple[str | None, str | None]:
    """The database's revision and the newest one; they differ where `journey migrate` is due."""
    with database.read() as tx:
        present = MigrationContext.configure(tx.connection).get_current_revision()
    return present, ScriptDirectory.from_config(_config()).get_current_head()
