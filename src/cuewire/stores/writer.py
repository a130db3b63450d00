"""The one thread that writes to a SQLite file. Whatever is queued becomes one transaction, synced once.

No time window: what arrives while a transaction is synced is the next one. Only the open rows of executions linger, in
the hope that their end comes and saves them a write of their own.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from cuewire.model.errors import StoreError
from cuewire.ports import Clock
from cuewire.stores.open_rows import LINGER_S, RETRY_S, OpenRows
from cuewire.stores.record_rows import OpenRow
from cuewire.stores.record_statements import store
from cuewire.stores.sqlite_errors import is_busy, translated
from cuewire.stores.sqlite_file import BUSY_S
from cuewire.stores.tickets import Checkpoint, Close, Look, Task, Ticket, deliver, reach

MAX_GROUP = 500
BUSY_SLICE_S = 0.1
"""How long one wait for another process lasts; in between, new tickets join and old ones give up."""


class Writer:
    """Owns the writing connection. `submit`, `linger` and `hurry` may be called from any thread."""

    def __init__(
        self, connection: sqlite3.Connection, path: Path, *, clock: Clock, checkpoint: Checkpoint | None = None
    ) -> None:
        self.open_rows = OpenRows()
        self.connection = connection
        self._path = path
        self._clock = clock
        self._checkpoint = checkpoint
        self._queue: SimpleQueue[Ticket[Any] | None] = SimpleQueue()
        self._group: list[Ticket[Any]] = []
        self._is_asleep = self._is_stopping = self._is_over = False
        connection.execute(f"PRAGMA busy_timeout={int(BUSY_SLICE_S * 1_000)}")
        self._thread = threading.Thread(target=self._run, name="cuewire-writer", daemon=True)
        self._thread.start()

    def submit(self, ticket: Ticket[Any]) -> None:
        """Queue a ticket. It gets its outcome when the transaction that holds it is synced, or has failed."""
        if isinstance(ticket, Close):
            self.open_rows.take(ticket.opened)
        self._queue.put(ticket)
        if self._is_over:
            self._refuse_rest()

    def linger(self, row: OpenRow) -> None:
        """Store an open row unless its end comes first; it waits 25 ms at most before it makes a group of its own."""
        self.open_rows.add(row, now=self._clock.monotonic())
        if self._is_asleep:
            self._queue.put(None)

    def hurry(self) -> None:
        """Let lingering open rows be part of the next group."""
        self.open_rows.hurry()

    def stop(self) -> None:
        """Write everything queued, and end the thread. Blocks; raises nothing."""
        self._is_stopping = True
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while not self._is_stopping or self._group or not self._queue.empty():
            try:
                self._gather()
                self._write()
            except BaseException as error:  # noqa: BLE001  # nobody may wait for ever, whatever happened
                group, self._group = self._group, []
                self._fail(group, error)
                self._roll_back()
        self._is_over = True
        self._refuse_rest()

    def _refuse_rest(self) -> None:
        while not self._queue.empty():
            if ticket := self._queue.get_nowait():
                self._fail([ticket], StoreError(f"database {str(self._path)!r} is closed"))

    def _gather(self) -> None:
        """Wait for something to write, then add all that is queued."""
        if not self._group and (first := self._next()):
            self._group.append(first)
        while len(self._group) < MAX_GROUP and not self._queue.empty():
            if ticket := self._queue.get_nowait():
                self._group.append(ticket)

    def _next(self) -> Ticket[Any] | None:
        """Return the next ticket, or None when it is time to look at the open rows."""
        due = self.open_rows.next_due() - self._clock.monotonic()
        try:
            return self._queue.get(timeout=min(max(due, 0.0), LINGER_S))
        except Empty:
            if self.open_rows:
                return None
        # Nothing for a whole linger. From here on `linger` has to wake us: it adds its row, then looks at the flag.
        self._is_asleep = True
        try:
            return None if self.open_rows else self._queue.get()
        finally:
            self._is_asleep = False

    def _write(self) -> None:
        self._look()
        opened = self.open_rows.take_due(self._clock.monotonic())
        if not opened and not self._group:
            return
        try:
            self._commit(self._group, opened)
        except Exception as error:  # noqa: BLE001  # goes to everyone in the group
            self._roll_back()
            if isinstance(error, sqlite3.Error) and is_busy(error):
                self._wait_on(opened, error)
                return
            self.open_rows.put_back(opened, due=self._clock.monotonic() + RETRY_S)
            if not opened and len(self._group) == 1:
                self._fail(self._group, error)
                self._group = []
            while self._group:
                self._write_alone(self._group[0])
                del self._group[0]
        else:
            done, self._group = self._group, []
            deliver(done)

    def _write_alone(self, ticket: Ticket[Any]) -> None:
        """Write a ticket of a group for which there was no room: one large text must not keep out the small ones."""
        try:
            self._commit([ticket], [])
        except Exception as error:  # noqa: BLE001  # goes to who waits
            self._roll_back()
            self._fail([ticket], error)
        else:
            deliver([ticket])

    def _commit(self, group: Sequence[Ticket[Any]], opened: Sequence[OpenRow]) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        self._apply(group, opened)
        reach(self._checkpoint, "before_commit", group, opened)
        self.connection.execute("COMMIT")
        for row in opened:
            row.is_stored = True
        for ticket in group:
            if isinstance(ticket, Close) and ticket.error is None:
                self.open_rows.unended.pop(ticket.opened.id, None)
        reach(self._checkpoint, "after_commit", group, opened)

    def _roll_back(self) -> None:
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")

    def _look(self) -> None:
        looks = [ticket for ticket in self._group if isinstance(ticket, Look)]
        if looks:
            self._group = [ticket for ticket in self._group if not isinstance(ticket, Look)]
            for look in looks:
                try:
                    look.run()
                except Exception as error:  # noqa: BLE001  # goes to who asked
                    look.error = translated(error, self._path)
            deliver(looks)

    def _apply(self, group: Sequence[Ticket[Any]], opened: Sequence[OpenRow]) -> None:
        closes = [ticket for ticket in group if isinstance(ticket, Close)]
        for close in closes:
            close.error = None  # of an earlier transaction that was given up
        if opened or closes:
            rows = [close.rows for close in closes]
            if self._isolated(partial(store, self.connection, opened, rows)):
                # One row is wrong, so each gets a savepoint of its own. What is wrong with an open row, its end tells.
                for row in opened:
                    self._isolated(partial(store, self.connection, [row], []))
                for close in closes:
                    close.error = self._isolated(partial(store, self.connection, [], [close.rows]))
        for ticket in group:
            if isinstance(ticket, Task):
                ticket.error = self._isolated(ticket.run)

    def _isolated(self, run: Callable[[], None]) -> Exception | None:
        """Run in a savepoint; return the error if it failed. Raises when the database has given up the transaction."""
        self.connection.execute("SAVEPOINT one")
        try:
            run()
        except Exception as error:
            if not self.connection.in_transaction:
                raise
            self.connection.execute("ROLLBACK TO one")
            return translated(error, self._path)
        finally:
            if self.connection.in_transaction:
                self.connection.execute("RELEASE one")
        return None

    def _wait_on(self, opened: Sequence[OpenRow], error: Exception) -> None:
        """Keep the group for another wait, but for those who have waited long enough."""
        now = self._clock.monotonic()
        self.open_rows.put_back(opened, due=now)
        tired = []
        for ticket in self._group:
            if ticket.deadline is None:
                ticket.deadline = now + BUSY_S - BUSY_SLICE_S
            elif ticket.deadline <= now:
                tired.append(ticket)
        self._group = [ticket for ticket in self._group if ticket not in tired]
        self._fail(tired, error)

    def _fail(self, tickets: Sequence[Ticket[Any]], error: BaseException) -> None:
        for ticket in tickets:  # each its own error, because those who catch it write on it
            if isinstance(error, Exception):
                ticket.error = translated(error, self._path)
            else:
                ticket.error = StoreError(f"the writer of {str(self._path)!r} was stopped by {type(error).__name__}")
                ticket.error.__cause__ = error
        retry_at = self._clock.monotonic() + RETRY_S
        self.open_rows.put_back((ticket.opened for ticket in tickets if isinstance(ticket, Close)), due=retry_at)
        deliver(tickets)
