"""A PostgreSQL database as ours: what is written and read, signs of life, and word of other processes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection

from cuewire.model.errors import StoreError, StoreUnavailable
from cuewire.ports import Clock
from cuewire.stores import postgres_statements as statements
from cuewire.stores.columns import IN_POSTGRES
from cuewire.stores.open_rows import OpenRows
from cuewire.stores.postgres_errors import unavailable
from cuewire.stores.postgres_server import HEAL_S, PATIENCE_S, Line, Server
from cuewire.stores.postgres_tables import prepare
from cuewire.stores.postgres_transactions import Transactions
from cuewire.stores.postgres_writer import PostgresWriter
from cuewire.stores.record_rows import ClosedRows, OpenRow
from cuewire.stores.tickets import Checkpoint, Close, Task

T = TypeVar("T")

BEAT_S = 5.0


class PostgresDatabase:
    """Implements `Database`, `Records`, and `Changes` of the ports. Belongs to the event loop that opened it."""

    encoding = IN_POSTGRES

    def __init__(self, server: Server, *, clock: Clock, checkpoint: Checkpoint | None) -> None:
        """Use `open`."""
        self.clock = clock
        self.name = server.name
        self.owner_id = clock.random_bits() & (2**63 - 1)
        self._server = server
        self._transactions = Transactions(server)
        self._line = Line(server)
        self._writer = PostgresWriter(server, self._line, clock=clock, checkpoint=checkpoint)
        self._checkpoint = checkpoint
        self._leaving: set[asyncio.Task[None]] = set()
        self._beating: asyncio.Task[None] | None = None
        self._steady_since = clock.monotonic()
        self._is_closed = False

    @classmethod
    async def open(cls, url: str, *, clock: Clock, checkpoint: Checkpoint | None = None) -> PostgresDatabase:
        """Open the database, made with its tables if it has none, and end what dead processes left running.

        Raises ConfigError, SchemaMismatch, StoreUnavailable, StoreError.
        """
        database = cls(Server(url), clock=clock, checkpoint=checkpoint)
        try:
            await database._begin()
        except BaseException:
            await database._release()
            raise
        return database

    async def close(self) -> None:
        """Write everything queued, then let go of the connections. May be called again."""
        if not self._is_closed:
            with suppress(StoreError):  # whoever waits for a ticket has got the error
                await self.settle()
            self._is_closed = True
            await asyncio.gather(*self._leaving)
            with suppress(StoreError):
                await self._transactions.write(partial(statements.remove_owner, owner_id=self.owner_id))
            await self._release()

    async def read(self, run: Callable[[Connection], T]) -> T:
        """Run the function on one state of the database."""
        self._refuse_if_closed()
        return await self._transactions.read(run)

    async def write(self, run: Callable[[Connection], T]) -> T:
        """Run the function in a transaction of its own."""
        self._refuse_if_closed()
        return await self._transactions.write(run)

    async def settle(self) -> None:
        """Return when every execution opened so far has its row."""
        self._refuse_if_closed()
        self._writer.hurry()
        ticket = Task(lambda: None)
        self._writer.submit(ticket)
        await ticket.outcome

    @property
    def open_rows(self) -> OpenRows:
        """The executions that began here."""
        return self._writer.open_rows

    def linger(self, row: OpenRow) -> None:
        """Store an open row unless its end comes first. Raises StoreUnavailable if the server is known to be away."""
        if not self._server.is_up:
            raise unavailable(self.name)
        self._writer.linger(row)

    async def claim(self, row: OpenRow) -> str | None:
        """Store an open row that has an idempotency key, in a transaction of its own."""
        await self._server.wait_until_up()
        if self._leaving:  # what others left behind is put in order first
            await asyncio.wait(self._leaving, timeout=PATIENCE_S)
        claiming = asyncio.ensure_future(self._claim(row))
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:
            self._leave(self._abandon(row, claiming))
            raise

    async def end(self, row: OpenRow, rows: ClosedRows) -> None:
        """Store the end of an execution, in the next group."""
        self._refuse_if_closed()
        ticket = Close(row, rows)
        self._writer.submit(ticket)
        await ticket.outcome

    @property
    def is_up(self) -> bool:
        """Tell whether the server answers, for all that is known."""
        return self._server.is_up

    async def changed(self) -> bool:
        """Tell whether another opening has changed a prompt, or may have while nobody here could hear it."""
        self._refuse_if_closed()
        await self._server.serve(self._line.open)
        before, self._line.is_changed = self._line.is_changed, False
        return before

    async def interrupt_dead(self) -> int:
        """Mark what dead processes left running; return how many executions."""
        return await self.write(statements.interrupt_dead)

    async def _begin(self) -> None:
        write = self._transactions.write
        await write(partial(prepare, name=self.name))
        while not await write(partial(statements.add_owner, owner_id=self.owner_id)):
            self.owner_id += 1
        if not await self._transactions.read(statements.is_young):
            await write(statements.interrupt_dead)
        await self._transactions.forget_connections()  # from here on they bear our name
        self._server.own_name = f"cuewire-{self.owner_id:016x}"
        await self._server.serve(self._line.open)
        self._server.watch()
        self._beating = asyncio.ensure_future(self._beat())

    async def _release(self) -> None:
        if self._beating:
            self._beating.cancel()
            await asyncio.wait([self._beating])
        await self._writer.stop()
        await self._line.close()
        await self._transactions.forget_connections()
        await self._server.close()

    async def _beat(self) -> None:
        """Give a sign of life every few seconds, and end what those left running who gave none."""
        while True:
            await asyncio.sleep(BEAT_S)
            try:
                was_in_time = await self.write(partial(statements.beat, owner_id=self.owner_id))
            except StoreError:
                continue
            now = self.clock.monotonic()
            if not was_in_time:  # nor need the others have been, so each gets its time again
                self._steady_since = now
            if now - self._steady_since > statements.SILENT_S:
                with suppress(StoreError):
                    await self.interrupt_dead()

    async def _claim(self, row: OpenRow) -> str | None:
        def run(connection: Connection) -> str | None:
            holder = statements.claim(connection, row)
            self._reach("open.before_commit")
            return holder

        self._refuse_if_closed()
        holder = await self._transactions.write(run, in_doubt=lambda id_: self._leave(self._disown(row, id_)))
        self._reach("open.after_commit")
        return holder

    def _leave(self, tidying: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(tidying)
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _abandon(self, row: OpenRow, claiming: asyncio.Future[str | None]) -> None:
        await asyncio.wait([claiming])
        if not claiming.exception() and claiming.result() is None:
            await self._disown(row)

    async def _disown(self, row: OpenRow, transaction_id: str | None = None) -> None:
        """End an execution whose caller was not told that it may begin, as soon as the server can be asked."""
        while not self._is_closed:
            try:
                if transaction_id is None or await self._transactions.was_committed(transaction_id):
                    await self._transactions.write(partial(statements.abandon, row=row, now=self.clock.now()))
            except StoreUnavailable:
                await asyncio.sleep(HEAL_S)
            except StoreError:
                return
            else:
                return

    def _reach(self, point: str) -> None:
        if self._checkpoint:
            self._checkpoint(point)

    def _refuse_if_closed(self) -> None:
        if self._is_closed:
            raise StoreError(f"database {self.name!r} is closed")
