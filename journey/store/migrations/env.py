"""Alembic's entry: runs inside the transaction that `store.migrating` opened."""

from alembic import context

from journey.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
