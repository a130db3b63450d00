"""Our tables in a PostgreSQL database: made where there are none, refused where they are of another version."""

from __future__ import annotations

from sqlalchemy import Connection, text

from cuewire.model.errors import StoreError
from cuewire.stores.postgres_schema import owners, schema_statements
from cuewire.stores.revisions import check_schema, not_ours
from cuewire.stores.schema import alembic_version, metadata

OLDEST = 150_000
"""PostgreSQL 15."""
LOCK = 0x6375_6577_6972_6500
"""Held by whoever makes or changes the tables of a database: "cuewire" in letters."""


def prepare(connection: Connection, *, name: str) -> None:
    """Make all tables if there are none. Raises SchemaMismatch, StoreError."""
    _check_server(connection, name)
    if not is_made(connection, name=name):
        lock(connection)
        if not is_made(connection, name=name):  # else another process was faster
            for statement in schema_statements():
                connection.exec_driver_sql(statement)
    check_schema(schema_found(connection), tables(connection), name=name)


def lock(connection: Connection) -> None:
    """Keep other processes from making or changing tables until the transaction ends. Raises StoreBusy after 5 s."""
    connection.execute(text("SET LOCAL lock_timeout = '5s'"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})


def schema_found(connection: Connection) -> str | None:
    """Return the newest migration that the database says it has ("" if all were taken back), None if it is not ours."""
    if alembic_version.name not in tables(connection):
        return None
    return ",".join(name for (name,) in connection.execute(text("SELECT version_num FROM alembic_version")))


def is_made(connection: Connection, *, name: str) -> bool:
    """Tell whether there is a schema; raise SchemaMismatch if another program's tables have our names."""
    found = tables(connection)  # looked at once: another process may make them at any moment
    if alembic_version.name in found:
        return True
    if found & {*metadata.tables, owners.name}:
        raise not_ours(name)
    return False


def tables(connection: Connection) -> set[str]:
    """Return the names of the tables in the first schema of the search path."""
    found = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"))
    return {name for (name,) in found}


def _check_server(connection: Connection, name: str) -> None:
    version = connection.execute(text("SELECT current_setting('server_version_num')::int")).scalar_one()
    if version < OLDEST:
        raise StoreError(f"database {name!r} is on PostgreSQL {version // 10_000}", hint="use version 15 or newer")
    encoding = connection.execute(text("SELECT current_setting('server_encoding')")).scalar_one()
    if encoding != "UTF8":
        raise StoreError(f"database {name!r} keeps text as {encoding}", hint="make one with ENCODING 'UTF8'")
    if connection.execute(text("SELECT current_schema()")).scalar_one() is None:
        raise StoreError(f"database {name!r} has no schema that its search path names", hint="create the schema")
