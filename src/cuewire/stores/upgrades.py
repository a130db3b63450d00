"""Bringing the tables of a file to another version. Alembic runs the migrations, inside one transaction of ours.

Nothing here is loaded when a database is merely opened: Alembic costs 140 ms to import.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import StaticPool, create_engine

from cuewire.model.errors import SchemaMismatch, StoreDamaged
from cuewire.model.values import Value
from cuewire.ports import Clock
from cuewire.stores.backups import back_up, problems
from cuewire.stores.revisions import not_ours
from cuewire.stores.schema import REVISION
from cuewire.stores.sqlite_file import connect, opening, schema_found


class SchemaStatus(Value, frozen=True):
    """Which migration a file has, the newest that there is, and those between, oldest first."""

    current: str
    head: str
    pending: tuple[str, ...]


def status(path: Path) -> SchemaStatus:
    """Return how far the file's schema is. Raises SchemaMismatch if it is none that we know, StoreError."""
    with opening(path), closing(connect(path)) as connection:
        return _status(connection, path)


def upgrade(path: Path, *, clock: Clock) -> Path | None:
    """Bring the file to the newest schema, and return the backup that was made first; None if there was nothing to do.

    The backup is kept. Waits up to five seconds for other writers. Either all pending migrations are applied or none.
    Raises SchemaMismatch, StoreError.
    """
    with migrating(path) as (connection, config):
        before = _status(connection, path)
        if not before.pending:
            return None
        backup = path.with_name(f"{path.name}.backup-{before.current or 'empty'}-{clock.now():%Y%m%dT%H%M%SZ}")
        back_up(path, backup)
        command.upgrade(config, REVISION)
        return backup


def downgrade(path: Path, *, to: str) -> None:
    """Take the file back to an earlier schema; what only the later one can hold is lost. Raises StoreError."""
    with migrating(path) as (connection, config):
        _status(connection, path)
        command.downgrade(config, to)


def scripts() -> ScriptDirectory:
    """Return the migrations that there are."""
    return ScriptDirectory.from_config(configuration())


def configuration(**attributes: object) -> Config:
    """Return what Alembic needs to know; users need no file for it."""
    config = Config()
    config.set_main_option("script_location", "cuewire.stores:migrations")
    config.attributes.update(attributes)
    return config


def status_of(found: str, *, name: str) -> SchemaStatus:
    """Return how far a schema of ours is. Raises SchemaMismatch for one that we do not know."""
    known = ["", *reversed([script.revision for script in scripts().walk_revisions()])]
    if found not in known:
        raise SchemaMismatch(
            f"database {name!r} has schema {found!r}, which this version of Cuewire does not know",
            hint="update Cuewire, or restore a backup",
        )
    return SchemaStatus(current=found, head=REVISION, pending=tuple(known[known.index(found) + 1 :]))


def _status(connection: sqlite3.Connection, path: Path) -> SchemaStatus:
    current = schema_found(connection)
    if current is None:
        raise not_ours(str(path))
    return status_of(current, name=str(path))


@contextmanager
def migrating(path: Path) -> Iterator[tuple[sqlite3.Connection, Config]]:
    """Hold the file against other writers; what the block does is kept if it leaves no broken reference behind."""
    with opening(path), closing(connect(path)) as raw:
        # A table is changed by copying it, and dropping the old one must not touch what refers to it.
        raw.execute("PRAGMA foreign_keys=OFF")
        engine = create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool)
        with engine.connect() as connection, connection.begin():  # so that Alembic neither begins nor commits
            raw.execute("BEGIN IMMEDIATE")
            yield raw, configuration(connection=connection)
            if found := problems(raw):
                raise StoreDamaged(f"the migration of {str(path)!r} would leave it damaged: {found[0]}")
