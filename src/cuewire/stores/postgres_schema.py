"""What PostgreSQL has beside the tables of `schema`: heartbeats of owners, and the triggers. Importing it costs 40 ms.

A change here needs a migration; a test holds the two together.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import DDL, BigInteger, Column, DateTime, MetaData, Table, create_mock_engine, event
from sqlalchemy.dialects.postgresql.asyncpg import dialect as postgres_dialect

from cuewire.stores.schema import REVISION, TEMPLATES_IN_POSTGRES, alembic_version, metadata

DIALECT = postgres_dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
CHANGES = "cuewire_changes"
"""The channel on which changes of prompts are told, with the name of the connection that made them."""

owners = Table(
    "owners",
    MetaData(naming_convention=metadata.naming_convention),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("beat_at", DateTime(timezone=True), nullable=False),
)
"""The openings of the database that are alive, each with the time of its last sign of life."""

_TRIGGERS = (
    "CREATE FUNCTION versions_refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'versions are immutable'; END $$",
    "CREATE TRIGGER versions_refuse_change BEFORE UPDATE OR DELETE ON versions "
    "FOR EACH ROW EXECUTE FUNCTION versions_refuse_change()",
    # PostgreSQL folds equal notices of one transaction into one. Records tell nobody: a notice takes a lock on all of
    # the database when its transaction commits.
    "CREATE FUNCTION prompts_tell_change() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN PERFORM pg_notify('{CHANGES}', current_setting('application_name')); RETURN NULL; END $$",
    *(
        f"CREATE TRIGGER {table}_tell_change AFTER INSERT OR UPDATE OR DELETE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION prompts_tell_change()"
        for table in ("prompts", "labels", "scopes")
    ),
    TEMPLATES_IN_POSTGRES,
)
for _statement in _TRIGGERS:
    _further = DDL(_statement)  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
    event.listen(metadata, "after_create", _further.execute_if(dialect="postgresql"))

# An index that is partial on SQLite is partial here. Not said in `schema`, because SQLAlchemy would load this dialect.
for _table in metadata.tables.values():
    for _index in _table.indexes:
        _index.dialect_options["postgresql"]["where"] = _index.dialect_options["sqlite"]["where"]


def schema_statements() -> list[str]:
    """Return the statements that make all tables and triggers in an empty database, and note their revision."""
    statements: list[str] = []

    def note(statement: Any, *_: object, **__: object) -> None:
        statements.append(str(statement.compile(dialect=DIALECT)))

    engine = create_mock_engine("postgresql+asyncpg://", note)
    for tables in (alembic_version.metadata, metadata, owners.metadata):
        tables.create_all(engine, checkfirst=False)
    return [*statements, f"INSERT INTO alembic_version VALUES ('{REVISION}')"]  # noqa: S608  # our own text
