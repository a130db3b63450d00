"""What is done to a whole PostgreSQL database: another version of its tables, by Alembic in a transaction of ours.

There is no copy before an upgrade, as of a file: that is `pg_dump`'s work. What fails is undone by the server.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from alembic import command
from sqlalchemy import Connection, exists, select, text

from cuewire.stores.postgres_server import Server
from cuewire.stores.postgres_tables import is_made, lock, schema_found
from cuewire.stores.postgres_transactions import Transactions
from cuewire.stores.schema import REVISION, metadata
from cuewire.stores.upgrades import SchemaStatus, configuration, status_of


async def status(url: str) -> SchemaStatus | None:
    """Return how far the schema is, None if the database is empty. Raises SchemaMismatch, StoreError."""
    async with transactions_on(url) as (transactions, name):
        return await transactions.read(partial(_status, name=name))


async def upgrade(url: str) -> None:
    """Bring the database to the newest schema, all pending migrations or none. Raises SchemaMismatch, StoreError.

    Waits up to five seconds for another process that does the same.
    """
    async with transactions_on(url) as (transactions, name):
        await transactions.write(partial(_upgrade, name=name))


async def downgrade(url: str, *, to: str) -> None:
    """Take the database back to an earlier schema; what only the later one can hold is lost. Raises StoreError."""
    async with transactions_on(url) as (transactions, name):
        await transactions.write(partial(_downgrade, name=name, to=to))


async def has_rows(url: str) -> bool:
    """Tell whether anything is stored. Raises SchemaMismatch, StoreError."""
    async with transactions_on(url) as (transactions, name):
        return await transactions.read(partial(_has_rows, name=name))


async def remove_rows(url: str) -> None:
    """Remove all that is stored, and keep the tables. Raises StoreError."""
    async with transactions_on(url) as (transactions, name):
        await transactions.write(partial(_remove_rows, name=name))


def _has_rows(connection: Connection, *, name: str) -> bool:
    if not is_made(connection, name=name):
        return False
    return any(connection.scalar(select(exists().select_from(table))) for table in metadata.tables.values())


def _remove_rows(connection: Connection, *, name: str) -> None:
    if is_made(connection, name=name):
        connection.execute(text(f"TRUNCATE {', '.join(metadata.tables)}"))


def _upgrade(connection: Connection, *, name: str) -> None:
    lock(connection)
    _status(connection, name=name)
    command.upgrade(configuration(connection=connection), REVISION)


def _downgrade(connection: Connection, *, name: str, to: str) -> None:
    lock(connection)
    _status(connection, name=name)
    command.downgrade(configuration(connection=connection), to)


def _status(connection: Connection, *, name: str) -> SchemaStatus | None:
    if not is_made(connection, name=name):
        return None
    return status_of(schema_found(connection) or "", name=name)


@asynccontextmanager
async def transactions_on(url: str) -> AsyncIterator[tuple[Transactions, str]]:
    """Open transactions as Alembic needs them: it reads the tables as JSON. Yields them and the database's name."""
    server = Server(url)
    transactions = Transactions(server, read_json=json.loads)
    try:
        yield transactions, server.name
    finally:
        await transactions.forget_connections()
        await server.close()
