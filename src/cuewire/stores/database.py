"""What the stores need of a database: functions of a connection run as transactions, and rows of the record queued."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import sqlite

from cuewire.ports import Changes, Clock
from cuewire.stores.columns import Encoding
from cuewire.stores.open_rows import OpenRows
from cuewire.stores.record_rows import ClosedRows, OpenRow

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

T = TypeVar("T")


class Database(Protocol):
    """SQLite or PostgreSQL. The functions are synchronous, so that the same ones run in a thread or a greenlet."""

    @property
    def clock(self) -> Clock:
        """Time and chance."""
        ...

    async def read(self, run: Callable[[Connection], T]) -> T:
        """Run the function on one consistent state of the database. Raises StoreError."""
        ...

    async def write(self, run: Callable[[Connection], T]) -> T:
        """Run the function in a transaction and return when that is durable; an error undoes it. Raises StoreError.

        It may be run more than once, if another transaction was in its way.
        """
        ...

    async def settle(self) -> None:
        """Return when every execution opened so far has its row, so that others can refer to it. Raises StoreError."""
        ...


class Records(Protocol):
    """What the record writer needs of a database: rows wait, and are stored in groups."""

    @property
    def encoding(self) -> Encoding:
        """How rows hold ids and instants."""
        ...

    @property
    def owner_id(self) -> int:
        """The number of this opening of the database."""
        ...

    @property
    def open_rows(self) -> OpenRows:
        """The executions that began here."""
        ...

    @property
    def clock(self) -> Clock:
        """Time and chance."""
        ...

    def linger(self, row: OpenRow) -> None:
        """Store an open row unless its end comes first."""
        ...

    async def claim(self, row: OpenRow) -> str | None:
        """Store an open row that has an idempotency key, or return the id of the execution that holds the key.

        A caller that is cancelled leaves neither. Raises IdempotencyMismatch, StoreError.
        """
        ...

    async def end(self, row: OpenRow, rows: ClosedRows) -> None:
        """Store the end of an execution and return when it is durable. Raises StoreError."""
        ...


class OpenDatabase(Database, Records, Changes, Protocol):
    """A database in use, with all that it can do."""

    @property
    def is_up(self) -> bool:
        """Tell whether it answers, for all that is known."""
        ...

    async def close(self) -> None:
        """Write everything queued, then let go of it."""
        ...


def insert_into(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an insertion that may say what to do about a row that exists; both databases use the same words."""
    return insertion_for(connection.dialect.name, table)


def insertion_for(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return the same for a database of that name; made once and executed often, it is compiled once."""
    if dialect != "postgresql":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # 20 ms, and only needed there

    return postgresql.insert(table)
