"""A SQLite file as our database: one writer thread, readers in threads of their own, and word of other processes."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, QueuePool, StaticPool, create_engine

from cuewire.model.errors import StoreError
from cuewire.ports import Clock
from cuewire.stores.backups import back_up, problems
from cuewire.stores.columns import IN_SQLITE, instant_to_micros
from cuewire.stores.open_rows import OpenRows
from cuewire.stores.owners import Owner
from cuewire.stores.record_rows import ClosedRows, OpenRow
from cuewire.stores.record_statements import abandon, claim, interrupt, owners_of_unended
from cuewire.stores.sqlite_errors import translating
from cuewire.stores.sqlite_file import connect, open_file, opening
from cuewire.stores.tickets import Checkpoint, Close, Look, Task
from cuewire.stores.writer import Writer

T = TypeVar("T")
READERS = 4
"""Reads at a time; further ones queue."""


class SqliteDatabase:
    """Implements `Database`, `Records`, and `Changes` of the ports. Any number of event loops may share one."""

    encoding = IN_SQLITE

    def __init__(self, path: Path, *, clock: Clock, checkpoint: Checkpoint | None) -> None:
        """Open the file. Blocks; on an event loop use `open`."""
        self.path = path
        self.clock = clock
        self._connection = open_file(path)
        try:
            with opening(path):
                self.owner = Owner(path, clock.random_bits() & (2**63 - 1))
                self._interrupt_dead()
        except BaseException:
            self._connection.close()
            raise
        self._data_version = self._look_at_data_version()
        self._writing = create_engine("sqlite://", creator=lambda: self._connection, poolclass=StaticPool).connect()
        self._reading = _reading_engine(path)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="cuewire-reader")
        self._is_closed = False
        self.writer = Writer(self._connection, path, clock=clock, checkpoint=checkpoint)

    @classmethod
    async def open(cls, path: Path, *, clock: Clock, checkpoint: Checkpoint | None = None) -> SqliteDatabase:
        """Open the file, made with its tables if it is absent or empty, and end what dead processes left running.

        Raises StoreDamaged, SchemaMismatch, StoreFull, StoreBusy, StoreError.
        """
        return await asyncio.to_thread(cls, path, clock=clock, checkpoint=checkpoint)

    async def close(self) -> None:
        """Write everything queued, then let go of the file. May be called again."""
        if not self._is_closed:
            self._is_closed = True
            with suppress(StoreError):  # whoever waits for a ticket has got the error
                await self.settle()
            await asyncio.to_thread(self._close)

    async def read(self, run: Callable[[Connection], T]) -> T:
        """Run the function in a reader thread, on one state of the file."""
        return await self._in_reader(lambda: self._read(run))

    async def write(self, run: Callable[[Connection], T]) -> T:
        """Run the function in the writer thread, in a savepoint of the group's transaction."""
        ticket = Task(lambda: run(self._writing))
        self.writer.submit(ticket)
        return await ticket.outcome

    async def settle(self) -> None:
        """Return when every execution opened so far has its row."""
        self.writer.hurry()
        ticket = Task(lambda: None)
        self.writer.submit(ticket)
        await ticket.outcome

    @property
    def owner_id(self) -> int:
        """The number whose lock this opening holds."""
        return self.owner.id

    @property
    def open_rows(self) -> OpenRows:
        """The executions that began here."""
        return self.writer.open_rows

    def linger(self, row: OpenRow) -> None:
        """Store an open row unless its end comes first."""
        self.writer.linger(row)

    async def claim(self, row: OpenRow) -> str | None:
        """Store an open row that has an idempotency key, in the group's transaction."""
        ticket = Task(lambda: claim(self._connection, row, is_gone=self.owner.is_gone), point="open")
        self.writer.submit(ticket)
        try:
            return await ticket.outcome
        except asyncio.CancelledError:
            now = instant_to_micros(self.clock.now())
            self.writer.submit(Task(lambda: abandon(self._connection, row, now=now)))
            raise

    async def end(self, row: OpenRow, rows: ClosedRows) -> None:
        """Store the end of an execution, in the group's transaction."""
        ticket = Close(row, rows)
        self.writer.submit(ticket)
        await ticket.outcome

    @property
    def is_up(self) -> bool:
        """Tell whether it answers: a file does."""
        return True

    async def changed(self) -> bool:
        """Tell whether another process has committed; what this object wrote does not count."""
        ticket = Look(self._look_at_data_version)
        self.writer.submit(ticket)
        before, self._data_version = self._data_version, await ticket.outcome
        return before != self._data_version

    async def interrupt_dead(self) -> int:
        """Mark what processes left running that died since the file was opened; return how many executions."""
        ticket = Task(lambda: interrupt(self._connection, self._dead_owners()))
        self.writer.submit(ticket)
        found = await ticket.outcome
        await self._in_reader(self.owner.bury)
        return found

    async def backup(self, target: Path) -> None:
        """Write a consistent, checked copy to a file that does not exist yet, while others write. Raises StoreError."""
        await self._in_reader(lambda: back_up(self.path, target))

    async def check(self) -> list[str]:
        """Return what is wrong with the file; reads all of it."""
        return await self._in_reader(self._check)

    def _close(self) -> None:
        self.writer.stop()
        self._readers.shutdown()
        self._reading.dispose()
        self._writing.close()
        self._connection.close()
        self.owner.release()

    async def _in_reader(self, run: Callable[[], T]) -> T:
        if self._is_closed:
            raise StoreError(f"database {str(self.path)!r} is closed")
        return await asyncio.get_running_loop().run_in_executor(self._readers, run)

    def _read(self, run: Callable[[Connection], T]) -> T:
        with translating(self.path), self._reading.connect() as connection:
            connection.exec_driver_sql("BEGIN")  # rolled back when the pool gets the connection back
            return run(connection)

    def _check(self) -> list[str]:
        with translating(self.path):
            connection = connect(self.path)
            try:
                return problems(connection)
            finally:
                connection.close()

    def _interrupt_dead(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        interrupt(self._connection, self._dead_owners())
        self._connection.execute("COMMIT")
        self.owner.bury()

    def _dead_owners(self) -> list[int]:
        return [owner for owner in owners_of_unended(self._connection) if self.owner.is_gone(owner)]

    def _look_at_data_version(self) -> int:
        # On the writing connection, because the number counts the commits of all connections but the one that asks.
        version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        return version


def _reading_engine(path: Path) -> Engine:
    def reader() -> sqlite3.Connection:
        connection = connect(path)
        connection.execute("PRAGMA query_only=ON")
        return connection

    return create_engine("sqlite://", creator=reader, poolclass=QueuePool, pool_size=READERS, max_overflow=0)
