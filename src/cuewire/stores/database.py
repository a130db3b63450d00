"""What the stores need of a database: functions of a connection, run as transactions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import sqlite

from cuewire.ports import Clock

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
        """Run the function in a transaction and return when that is durable; an error undoes it. Raises StoreError."""
        ...

    async def settle(self) -> None:
        """Return when every execution opened so far has its row, so that others can refer to it. Raises StoreError."""
        ...


def insert_into(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an insertion that may say what to do about a row that exists; both databases use the same words."""
    if connection.dialect.name != "postgresql":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # 20 ms, and only needed there

    return postgresql.insert(table)
