"""One SQLite file: how it is made, opened and checked. Refuses what is damaged, foreign, or of another version."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_mock_engine
from sqlalchemy.dialects import sqlite as sqlite_dialects

from cuewire.model.errors import StoreDamaged, StoreError, StoreFull
from cuewire.stores.revisions import check_schema
from cuewire.stores.schema import REVISION, alembic_version, metadata
from cuewire.stores.sqlite_errors import is_busy, translating

BUSY_S = 5.0
"""How long anyone waits for another process before StoreBusy."""
PAGE_BYTES = 16_384
"""Measured with 3 KB payloads in groups of 256: 16 us of CPU a record, 22 with the default of 4,096; 18 % less disk."""
CACHE_BYTES = 16_384_000
"""How much of the file each connection keeps in memory."""
MAX_CHECKED_BYTES = 16 * 1024 * 1024
"""Up to this size (about 7 ms) a file is checked page by page when it is opened; a larger one by `cuewire doctor`."""
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)


def open_file(path: Path) -> sqlite3.Connection:
    """Return a writing connection to the file, which is made with all its tables if it is absent or empty.

    The folder gets mode 0700, the file 0600. Raises StoreDamaged, SchemaMismatch, StoreFull, StoreBusy, StoreError.
    """
    with opening(path):
        _touch(path)
        connection = connect(path)
        try:
            is_new = _is_empty(connection)
            if is_new:
                connection.execute(f"PRAGMA page_size={PAGE_BYTES}")
            _use_write_ahead_log(connection)
            if is_new:
                _create(connection)
                _bound_cache(connection)
            check_schema(schema_found(connection), _tables(connection), name=str(path))
            if path.stat().st_size <= MAX_CHECKED_BYTES:
                _check_pages(connection, path)
        except BaseException:
            connection.close()
            raise
        return connection


def connect(path: Path) -> sqlite3.Connection:
    """Return a connection to an existing file that any one thread at a time may use; transactions are the caller's."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=BUSY_S,
        isolation_level=None,
        check_same_thread=False,
    )
    for setting in (
        "synchronous=FULL",
        "foreign_keys=ON",
        "cell_size_check=ON",
        "trusted_schema=OFF",
    ):
        connection.execute(f"PRAGMA {setting}")
    _bound_cache(connection)
    return connection


def _bound_cache(connection: sqlite3.Connection) -> None:
    """Let the connection keep so much of the file in memory.

    SQLite takes the bound for a number of pages of the size that it knows by then, 4,096 bytes before it has read any.
    """
    connection.execute("PRAGMA schema_version").fetchone()
    connection.execute(f"PRAGMA cache_size=-{CACHE_BYTES // 1024}")


def engine_version() -> tuple[int, ...]:
    """Return the version of the SQLite that this Python brings."""
    return sqlite3.sqlite_version_info


def schema_found(connection: sqlite3.Connection) -> str | None:
    """Return the newest migration that the file says it has ("" if all were taken back), None if it is not ours."""
    if alembic_version.name not in _tables(connection):
        return None
    return ",".join(name for (name,) in connection.execute("SELECT version_num FROM alembic_version"))


def schema_statements() -> list[str]:
    """Return the statements that make all tables, indexes and triggers in an empty file."""
    statements: list[str] = []
    dialect = sqlite_dialects.dialect()

    def note(statement: Any, *_: object, **__: object) -> None:
        statements.append(str(statement.compile(dialect=dialect)))

    engine = create_mock_engine("sqlite://", note)
    alembic_version.metadata.create_all(engine, checkfirst=False)
    metadata.create_all(engine, checkfirst=False)
    return statements


@contextmanager
def opening(path: Path) -> Iterator[None]:
    """Raise errors of the block, those of the file system too, as ours."""
    try:
        with translating(path):
            yield
    except OSError as error:
        kind = StoreFull if error.errno in _NO_ROOM else StoreError
        raise kind(f"database {str(path)!r} cannot be opened: {error.strerror}") from error


def _touch(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = path.with_name(f"{path.name}-wal")
    is_missing = not path.exists() or path.stat().st_size == 0
    if is_missing and log.exists() and log.stat().st_size:
        raise StoreDamaged(
            f"database {str(path)!r} is gone, but its log {log.name!r} remains",
            hint="put the file back or restore a backup; move the log away to begin anew",
        )
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    while True:
        try:
            mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        except sqlite3.OperationalError as error:
            if not is_busy(error):
                raise
            # The pragma does not wait for others, so wait for them in a transaction.
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        else:
            if mode != "wal":
                raise StoreError(f"the file system allows no write-ahead log (journal mode {mode!r})")
            return


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    if _is_empty(connection):  # else another process was faster
        for statement in schema_statements():
            connection.execute(statement)
        connection.execute("INSERT INTO alembic_version VALUES (?)", (REVISION,))
    connection.execute("COMMIT")
    connection.execute("ANALYZE sqlite_master")  # reads the planner's figures, which this connection does not know yet


def _check_pages(connection: sqlite3.Connection, path: Path) -> None:
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0].splitlines()[-1]
    if found != "ok":
        raise StoreDamaged(
            f"database {str(path)!r} is damaged: {found}", hint="run: cuewire doctor, or restore a backup"
        )


def _is_empty(connection: sqlite3.Connection) -> bool:
    return not _tables(connection)


def _tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
