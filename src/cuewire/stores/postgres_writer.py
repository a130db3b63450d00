"""The one task of a process that writes records to PostgreSQL. Whatever is queued becomes one statement and one commit.

No time window, as on SQLite: what arrives while a group is stored is the next one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from math import inf
from typing import Any

from cuewire.model.errors import StoreError, StoreUnavailable
from cuewire.ports import Clock
from cuewire.stores.open_rows import LINGER_S, MAX_UNENDED, RETRY_S, OpenRows
from cuewire.stores.postgres_errors import IN_THE_WAY, is_gone, state_of, translated
from cuewire.stores.postgres_server import Line, Server
from cuewire.stores.postgres_statements import STORE_GROUP, STORED_ENDS, group_arguments
from cuewire.stores.postgres_transactions import MAX_TRIES
from cuewire.stores.record_rows import OpenRow
from cuewire.stores.tickets import Checkpoint, Close, Task, Ticket, reach

MAX_GROUP = 256
"""Measured: larger groups store no more rows a second, and each keeps the event loop longer."""


class PostgresWriter:
    """Belongs to the event loop on which it is made."""

    def __init__(self, server: Server, line: Line, *, clock: Clock, checkpoint: Checkpoint | None = None) -> None:
        self.open_rows = OpenRows()
        self._server = server
        self._line = line
        self._clock = clock
        self._checkpoint = checkpoint
        self._queue: list[Ticket[Any]] = []
        self._late: dict[str, Close] = {}  # ends that came while the server was away; those who waited got the error
        self._late_due = 0.0
        self._wake = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._is_stopping = False
        self._task = asyncio.ensure_future(self._run())

    def submit(self, ticket: Ticket[Any]) -> None:
        """Queue a ticket. It gets its outcome when the group that holds it is committed, or has failed."""
        if self._is_stopping:
            raise StoreError(f"database {self._server.name!r} is closed")
        if isinstance(ticket, Close):
            self.open_rows.take(ticket.opened)
            self._late.pop(ticket.opened.id, None)
        self._queue.append(ticket)
        self._wake.set()

    def linger(self, row: OpenRow) -> None:
        """Store an open row unless its end comes first; it waits 25 ms at most before it makes a group of its own."""
        self.open_rows.add(row, now=self._clock.monotonic())
        self._set_timer(LINGER_S)

    def hurry(self) -> None:
        """Let lingering open rows be part of the next group."""
        self.open_rows.hurry()

    async def stop(self) -> None:
        """Write everything queued, and end the task."""
        self._is_stopping = True
        self._late_due = 0.0
        self._queue.extend(self._take_late())
        self._wake.set()
        await self._task
        if self._timer:
            self._timer.cancel()

    async def _run(self) -> None:
        while not self._is_stopping or self._queue:
            if not self._queue:
                await self._wake.wait()
            self._wake.clear()
            group, self._queue = self._queue[:MAX_GROUP], self._queue[MAX_GROUP:]
            await self._write([*group, *self._take_late()], self.open_rows.take_due(self._clock.monotonic()))
            if self._late or self.open_rows:
                late_due = self._late_due if self._late else inf
                self._set_timer(min(late_due, self.open_rows.next_due()) - self._clock.monotonic())

    def _set_timer(self, delay_s: float) -> None:
        if self._timer is None:
            self._timer = self._task.get_loop().call_later(max(delay_s, 0.0), self._ring)

    def _ring(self) -> None:
        self._timer = None
        self._wake.set()

    async def _write(self, group: Sequence[Ticket[Any]], opened: Sequence[OpenRow]) -> None:
        try:
            await self._store(group, opened)
        except Exception as error:  # noqa: BLE001  # goes to everyone in the group
            is_away = is_gone(error) or isinstance(error, StoreUnavailable)
            if not is_away and len(group) + len(opened) > 1:
                # One of them is wrong, and must not keep out the others. What is wrong with an open row, its end tells.
                for row in opened:
                    await self._write([], [row])
                for ticket in group:
                    await self._write([ticket], [])
                return
            closes = [ticket for ticket in group if isinstance(ticket, Close)]
            rows = [close.opened for close in closes]
            due = self._clock.monotonic() + RETRY_S
            if is_away:
                self._put_back(closes, due=due)
                rows = list(opened)
            self.open_rows.put_back(rows, due=due)
            for ticket in group:  # each its own error, because those who catch it write on it
                ticket.error = translated(error, self._server.name)
                ticket.settle()

    def _put_back(self, closes: Sequence[Close], *, due: float) -> None:
        """Keep ends for the record; otherwise it would say "running" for as long as this process lives."""
        for close in closes:
            if len(self._late) < MAX_UNENDED and close.opened.id in self.open_rows.unended:
                self._late[close.opened.id] = close
        self._late_due = due

    def _take_late(self) -> list[Close]:
        if not self._late or self._clock.monotonic() < self._late_due:
            return []
        late = [self._late.pop(execution_id) for execution_id in list(self._late)[:MAX_GROUP]]
        for close in late:
            close.error = None
        return late

    async def _store(self, group: Sequence[Ticket[Any]], opened: Sequence[OpenRow]) -> None:
        closes = [ticket for ticket in group if isinstance(ticket, Close)]
        if closes or opened:
            reach(self._checkpoint, "before_commit", group, opened)
            stored = await self._send(closes, opened)
            for row in opened:
                row.is_stored = True
            for close in closes:
                if close.opened.id in stored:
                    self.open_rows.unended.pop(close.opened.id, None)
                else:
                    close.error = StoreError("the execution has ended already, or its id belongs to another one")
            reach(self._checkpoint, "after_commit", group, opened)
        for ticket in group:
            if isinstance(ticket, Task):
                ticket.run()
            ticket.settle()

    async def _send(self, closes: Sequence[Close], opened: Sequence[OpenRow]) -> set[str]:
        """Store in one statement and return the ids of what is stored.

        When the connection breaks, the server may have committed or not. Then the same is sent again, which changes
        nothing that has ended, and those that have are read: their end is either ours or makes ours an error.
        """
        arguments = group_arguments(opened, [close.rows for close in closes])
        for tries_left in reversed(range(MAX_TRIES)):
            await self._server.wait_until_up()
            try:
                connection = await self._line.open()
                stored = {str(key) for (key,) in await connection.fetch(STORE_GROUP, *arguments)}
                if absent := [close for close in closes if close.opened.id not in stored]:
                    stored |= await self._stored_before(absent)
            except Exception as error:
                if is_gone(error):
                    self._server.lost()
                elif state_of(error) not in IN_THE_WAY:
                    raise
                if not tries_left:
                    raise
            else:
                return stored
        raise AssertionError  # the last turn returns or raises

    async def _stored_before(self, closes: Sequence[Close]) -> set[str]:
        connection = await self._line.open()
        rows = await connection.fetch(STORED_ENDS, [close.opened.key for close in closes])
        ends = {(str(key), owner_id, status, ended_at) for key, owner_id, status, ended_at in rows}
        return {close.opened.id for close in closes if (close.opened.id, *close.rows.end) in ends}
