"""What Alembic runs around migrations. The connection, and the transaction on it, belong to `stores.upgrades`."""

from __future__ import annotations

from alembic import context

from cuewire.stores.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
