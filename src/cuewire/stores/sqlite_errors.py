"""What SQLite's errors mean to us."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import StatementError

from cuewire.model.errors import CuewireError, InvalidInput, StoreBusy, StoreDamaged, StoreError, StoreFull

_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)
_FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY)
_UNWRITABLE = (
    sqlite3.SQLITE_IOERR_WRITE,
    sqlite3.SQLITE_IOERR_FSYNC,
    sqlite3.SQLITE_IOERR_DIR_FSYNC,
    sqlite3.SQLITE_IOERR_TRUNCATE,
    sqlite3.SQLITE_IOERR_SHMSIZE,
)
"""What a limit on the size of files leads to, or a disk that fails."""
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_PLAIN = 0xFF
"""The low byte of an extended result code is the plain one."""


def result_code(error: sqlite3.Error) -> int:
    """Return SQLite's plain result code, 0 where the driver itself raised."""
    return getattr(error, "sqlite_errorcode", 0) & _PLAIN


def is_busy(error: sqlite3.Error) -> bool:
    """Tell whether another connection holds what was needed."""
    return result_code(error) in _BUSY


def translated(error: Exception, path: Path) -> Exception:
    """Return the error of ours that says what happened to the file; any other error comes back as it is."""
    cause = error.orig if isinstance(error, StatementError) else error
    if isinstance(cause, CuewireError):
        return cause
    if isinstance(cause, OverflowError):
        return _with_cause(InvalidInput("a number does not fit 64 bits"), error)
    if isinstance(cause, UnicodeEncodeError):
        return _with_cause(InvalidInput("text holds a lone surrogate, which no database can store"), error)
    if isinstance(cause, sqlite3.Error):
        return _with_cause(_of_database(cause, path), error)
    return error


@contextmanager
def translating(path: Path) -> Iterator[None]:
    """Raise errors of the block as `translated` gives them."""
    try:
        yield
    except Exception as error:
        meant = translated(error, path)
        if meant is error:
            raise
        raise meant from error


def _of_database(error: sqlite3.Error, path: Path) -> CuewireError:
    code = result_code(error)
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    if code in _BUSY:
        return StoreBusy(f"database {str(path)!r} is held by another process", hint="try again")
    if code in _FULL or getattr(error, "sqlite_errorcode", 0) in _UNWRITABLE:
        return StoreFull(f"database {str(path)!r} cannot grow or be written ({name})", hint="make room, then try again")
    if code in _DAMAGED:
        return StoreDamaged(
            f"database {str(path)!r} is damaged or no database ({error})",
            hint="run: cuewire doctor, or restore a backup",
        )
    if code == sqlite3.SQLITE_TOOBIG:
        return InvalidInput("a text is larger than the database can hold")
    return StoreError(f"database {str(path)!r} refused: {error} ({name})")


def _with_cause(meant: CuewireError, cause: Exception) -> CuewireError:
    meant.__cause__ = cause
    return meant
