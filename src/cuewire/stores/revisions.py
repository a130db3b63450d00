"""Which schema a database has, and what is said when it is not the one that this version of Cuewire needs."""

from __future__ import annotations

from collections.abc import Collection

from cuewire.model.errors import SchemaMismatch
from cuewire.stores.schema import REVISION, metadata


def check_schema(found: str | None, tables: Collection[str], *, name: str) -> None:
    """Raise SchemaMismatch unless the tables are those of this version of Cuewire."""
    if found is None:
        raise not_ours(name)
    if found < REVISION:
        raise SchemaMismatch(
            f"database {name!r} has schema {found}, this version of Cuewire needs {REVISION}",
            hint="run: cuewire db upgrade",
        )
    if found > REVISION:
        raise SchemaMismatch(
            f"database {name!r} has schema {found}, this version of Cuewire knows none after {REVISION}",
            hint="update Cuewire, or restore a backup",
        )
    if lost := metadata.tables.keys() - set(tables):
        raise SchemaMismatch(f"database {name!r} lacks the tables {', '.join(sorted(lost))}", hint="restore a backup")


def not_ours(name: str) -> SchemaMismatch:
    """Return the error that says that another program made the database."""
    return SchemaMismatch(f"{name!r} is the database of another program", hint="name another database")
