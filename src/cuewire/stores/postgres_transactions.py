"""Functions of a connection run on PostgreSQL: synchronous ones, each in a greenlet beside the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Generic, TypeVar

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from cuewire.model.errors import StoreUnavailable
from cuewire.stores.postgres_errors import IN_THE_WAY, is_gone, state_of, translating
from cuewire.stores.postgres_server import Server

T = TypeVar("T")

POOL = 8
POOL_WAIT_S = 5.0
"""How long anyone waits for one of these connections, before StoreBusy."""
MAX_TRIES = 6
_ID = text("SELECT pg_current_xact_id()::text")
_FATE = text("SELECT pg_xact_status(CAST(CAST(:id AS text) AS xid8))")
_FATE_WAIT_S = 1.0
"""How long the server may take to end a transaction whose connection broke."""
_FATE_PAUSE_S = 0.05


class Transactions:
    """Belongs to the event loop on which it is made."""

    def __init__(self, server: Server, *, read_json: Callable[[str], object] = str) -> None:
        """`read_json` is what becomes of JSON where it arrives: it stays text, unless a library needs the value."""
        self._server = server
        self._engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=server.connect,
            json_deserializer=read_json,
            hide_parameters=True,
            pool_size=POOL,
            max_overflow=0,
            pool_timeout=POOL_WAIT_S,
        )
        self._reading = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._writing = self._engine.execution_options(isolation_level="READ COMMITTED")

    async def read(self, run: Callable[[Connection], T]) -> T:
        """Run the function on one state of the database. Raises StoreError."""
        return await self._server.serve(partial(self._read, run))

    async def write(self, run: Callable[[Connection], T], *, in_doubt: Callable[[str], None] | None = None) -> T:
        """Run the function in a transaction. Raises StoreError.

        It is run again if another transaction was in its way, or if the connection broke before the end. If it broke
        at the end, the server is asked what became of the transaction; if it does not answer, `in_doubt` is told the
        transaction's id, by which it can be asked later.
        """
        with translating(self._server.name):
            for tries_left in reversed(range(MAX_TRIES)):
                await self._server.wait_until_up()
                transaction = _Transaction(run)
                try:
                    return await transaction.make(self._writing)
                except Exception as error:
                    if is_gone(error):
                        self._server.lost()
                        if transaction.is_ending and await self._is_stored(transaction.id, in_doubt):
                            return transaction.result
                    elif state_of(error) not in IN_THE_WAY:
                        raise
                    if not tries_left:
                        raise
        raise AssertionError  # the last turn returns or raises

    async def was_committed(self, transaction_id: str) -> bool:
        """Tell how a transaction ended; waits while it has not. Raises StoreError."""
        while True:
            fate = await self.read(lambda connection: connection.scalar(_FATE, {"id": transaction_id}))
            if fate != "in progress":
                return bool(fate == "committed")
            await asyncio.sleep(_FATE_PAUSE_S)

    async def forget_connections(self) -> None:
        """Close the connections; the next ones are made anew."""
        await self._engine.dispose()

    async def _read(self, run: Callable[[Connection], T]) -> T:
        async with self._reading.connect() as connection:
            return await connection.run_sync(run)

    async def _is_stored(self, transaction_id: str, in_doubt: Callable[[str], None] | None) -> bool:
        try:
            async with asyncio.timeout(_FATE_WAIT_S):
                return await self.was_committed(transaction_id)
        except (TimeoutError, StoreUnavailable) as error:
            if in_doubt:
                in_doubt(transaction_id)
            raise StoreUnavailable(
                f"database {self._server.name!r} went away; whether the change was stored is not known",
                hint="see what is stored before you try again",
            ) from error


class _Transaction(Generic[T]):
    """One run of a function in a transaction."""

    def __init__(self, run: Callable[[Connection], T]) -> None:
        self._run = run
        self.id = ""
        self.is_ending = False
        self.result: T

    async def make(self, engine: AsyncEngine) -> T:
        async with engine.connect() as connection:
            self.id = (await connection.execute(_ID)).scalar_one()
            self.result = await connection.run_sync(self._run)
            self.is_ending = True
            await connection.commit()
        return self.result
