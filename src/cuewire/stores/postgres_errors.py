"""What PostgreSQL's errors mean to us. Named by their SQLSTATE (documentation of PostgreSQL, appendix A)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from asyncpg import InterfaceError, PostgresError  # type: ignore[import-untyped]  # it has no types
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from cuewire.model.errors import (
    CuewireError,
    InvalidInput,
    SchemaMismatch,
    StoreBusy,
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreUnavailable,
)

IN_THE_WAY = ("40001", "40P01", "23505")
"""Another transaction was in the way: the loser of a race finds, when it runs again, what the winner stored."""
_GONE = ("08", "57P")
_FULL = ("53100", "53200", "25006")
"""No room on disk or in memory; a server that only reads."""
_BUSY = ("40", "55P03", "57014", "53300", "53400")
_DAMAGED = ("XX001", "XX002")
_OTHER_SCHEMA = ("42P01", "42703", "42883")
_WRONG_TEXT = ("22021", "22P05", "22P02", "22P03")
_TOO_LARGE = ("54",)
_OUT_OF_RANGE = ("22003",)
_BY_DRIVER = "22000"
"""What the driver says of an argument that it could not encode."""
_BY_STATE: tuple[tuple[tuple[str, ...], type[CuewireError], str, str], ...] = (
    (_FULL, StoreFull, "cannot grow or be written", "make room, then try again"),
    (_BUSY, StoreBusy, "is held by others", "try again"),
    (_GONE, StoreUnavailable, "does not answer", "see that the server runs, then try again"),
    (_DAMAGED, StoreDamaged, "is damaged", "restore a backup"),
    (_OTHER_SCHEMA, SchemaMismatch, "lacks a table or column", "run: cuewire db upgrade"),
)


def cause_of(error: BaseException) -> BaseException:
    """Return the driver's own error behind the one of SQLAlchemy."""
    while isinstance(error, StatementError) and error.orig is not None:
        error = error.orig
    return error.__cause__ if _is_adapted(error) and error.__cause__ else error


def state_of(error: BaseException) -> str:
    """Return the SQLSTATE, empty where the server said nothing."""
    return getattr(cause_of(error), "sqlstate", None) or ""


def is_gone(error: BaseException) -> bool:
    """Tell whether there is no connection any more, or never was."""
    cause = cause_of(error)
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    if isinstance(cause, OSError | EOFError):  # TimeoutError is an OSError
        return True
    if isinstance(cause, PostgresError):
        return state_of(cause).startswith(_GONE)
    return isinstance(cause, InterfaceError) and "closed" in str(cause)


def translated(error: Exception, name: str) -> Exception:
    """Return the error of ours that says what happened to the database of that name; any other comes back as it is."""
    cause = cause_of(error)
    if isinstance(cause, CuewireError):
        return cause
    meant: Exception | None = None
    if is_gone(error):
        meant = unavailable(name, cause)
    elif isinstance(error, NoConnectionFree):
        meant = StoreBusy(f"database {name!r} has no connection free", hint="try again")
    elif isinstance(cause, PostgresError):
        meant = _of_server(cause, name)
    elif isinstance(cause, InterfaceError | OverflowError | UnicodeEncodeError):
        meant = _of_driver(cause, name)
    if meant is None:
        return error
    meant.__cause__ = error
    return meant


def unavailable(name: str, cause: BaseException | None = None) -> StoreUnavailable:
    """Return the error that says that the server does not answer."""
    why = f" ({type(cause).__name__})" if cause else ""
    return StoreUnavailable(f"database {name!r} does not answer{why}", hint="see that the server runs, then try again")


@contextmanager
def translating(name: str) -> Iterator[None]:
    """Raise errors of the block as `translated` gives them."""
    try:
        yield
    except Exception as error:
        meant = translated(error, name)
        if meant is error:
            raise
        raise meant from error


def _of_server(error: PostgresError, name: str) -> CuewireError:
    state = state_of(error)
    if state == _BY_DRIVER:
        return _of_driver(error, name)
    if state.startswith(_OUT_OF_RANGE):
        return InvalidInput("a number does not fit 64 bits")
    if state.startswith(_TOO_LARGE):
        return InvalidInput("a text is larger than the database can hold")
    if state.startswith(_WRONG_TEXT):
        return InvalidInput("a text holds what no database can store")
    for states, kind, what, hint in _BY_STATE:
        if state.startswith(states):
            return kind(f"database {name!r} {what} ({error.args[0]})", hint=hint)
    return StoreError(f"database {name!r} refused: {error.args[0]} ({state})")


def _of_driver(error: BaseException, name: str) -> CuewireError:
    """Return what an argument means that the driver could not encode."""
    said = str(error)
    if "surrogates not allowed" in said:
        return InvalidInput("text holds a lone surrogate, which no database can store")
    if "out of" in said and "range" in said:
        return InvalidInput("a number does not fit 64 bits")
    return StoreError(f"database {name!r} refused: {type(error).__name__}")


def _is_adapted(error: BaseException) -> bool:
    """Tell whether SQLAlchemy's face of the driver made the error."""
    return type(error).__module__.startswith("sqlalchemy.dialects")
