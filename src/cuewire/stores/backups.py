"""Copies of a database file, and the thorough check of one. Both read only."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from cuewire.model.errors import StoreDamaged
from cuewire.stores.sqlite_file import connect, opening


def back_up(source: Path, target: Path) -> None:
    """Write a consistent copy of a database in use to a file that does not exist yet, and check the copy.

    Raises StoreError, StoreFull, StoreDamaged; a copy that failed is removed.
    """
    with opening(target):
        os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            origin, copy = connect(source), connect(target)
            try:
                origin.backup(copy)
                if found := problems(copy):
                    raise StoreDamaged(f"the copy of database {str(source)!r} is damaged: {found[0]}")
            finally:
                origin.close()
                copy.close()
        except BaseException:
            target.unlink(missing_ok=True)
            raise


def problems(connection: sqlite3.Connection) -> list[str]:
    """Return what is wrong with the pages, indexes and references of a database; reads all of it."""
    found = [text for (text,) in connection.execute("PRAGMA integrity_check") if text != "ok"]
    broken = connection.execute("PRAGMA foreign_key_check")
    return found + [f"a row of {table} refers to a missing row of {parent}" for table, _, parent, _ in broken]
