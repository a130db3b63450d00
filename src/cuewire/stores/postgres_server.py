"""One database on a PostgreSQL server: how it is reached, and how long anyone waits while it is not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar
from urllib.parse import urlsplit
from weakref import WeakSet

import asyncpg  # type: ignore[import-untyped]  # it has no types

from cuewire.model.errors import ConfigError
from cuewire.stores.postgres_errors import is_gone, translating, unavailable
from cuewire.stores.postgres_schema import CHANGES

T = TypeVar("T")

CONNECT_S = 5.0
COMMAND_S = 30.0
"""How long any one statement may take."""
PATIENCE_S = 0.5
"""How long after a server went away anyone still waits for it; from then on StoreUnavailable comes at once."""
LOOK_S = 1.0
"""The pause between two looks whether it is there."""
ANSWER_S = 1.0
"""A server that takes longer than this to answer such a look counts as away."""
_DURABLE = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
HEAL_S = 0.25
"""The pause between two looks whether it is back."""


class Server:
    """Makes connections. All belong to the event loop on which they are made."""

    def __init__(self, url: str) -> None:
        """Take the URL, which may hold a password: it shows in nothing that this object says. Raises ConfigError."""
        self.name = shown(url)
        self.own_name = "cuewire"
        """What connections call themselves."""
        self._url = url
        self._is_up = asyncio.Event()
        self._is_up.set()
        self._away_since = 0.0
        self._made: WeakSet[asyncpg.Connection] = WeakSet()
        self._connecting: set[asyncio.Timeout] = set()
        self._pulse: asyncpg.Connection | None = None
        self._doubt = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    @property
    def is_up(self) -> bool:
        """Tell whether the server answers, for all that is known, or went away so recently that one still waits."""
        return self._is_up.is_set() or asyncio.get_running_loop().time() < self._away_since + PATIENCE_S

    async def connect(self, *, timeout_s: float = CONNECT_S) -> asyncpg.Connection:
        """Return a new connection, on which commits are durable. Raises ConfigError, and the driver's errors."""
        patience = asyncio.timeout(timeout_s)
        self._connecting.add(patience)
        try:
            async with patience:
                connection: asyncpg.Connection = await asyncpg.connect(
                    self._url,
                    timeout=None,
                    command_timeout=COMMAND_S,
                    server_settings={"application_name": self.own_name},
                )
                self._made.add(connection)
                try:
                    await connection.execute(_DURABLE)
                except BaseException:
                    connection.terminate()
                    raise
        except (asyncpg.exceptions.ClientConfigurationError, ValueError) as error:
            problem = type(error).__name__
        else:
            return connection
        finally:
            self._connecting.discard(patience)
        raise _unusable(problem)  # outside of the handler: what the driver says of a URL may quote the password

    async def serve(self, work: Callable[[], Awaitable[T]]) -> T:
        """Return what the work returns; it is done again if its connection turned out to be gone. Raises StoreError."""
        with translating(self.name):
            for is_last in (False, True):
                await self.wait_until_up()
                try:
                    return await work()
                except Exception as error:
                    if not is_gone(error):
                        raise
                    self.lost()
                    if is_last:
                        raise
        raise AssertionError  # the last turn returns or raises

    async def wait_until_up(self) -> None:
        """Return when the server answers, for all that is known. Raises StoreUnavailable, at once in a long outage."""
        if not self._is_up.is_set():
            try:
                async with asyncio.timeout_at(self._away_since + PATIENCE_S):
                    await self._is_up.wait()
            except TimeoutError:
                raise unavailable(self.name) from None

    def lost(self) -> None:
        """Take note that a connection broke: from here on everyone waits until the server answers again."""
        if self._is_up.is_set():
            self._away_since = asyncio.get_running_loop().time()
            self._is_up.clear()
        self._doubt.set()
        self.watch()

    def silent(self) -> None:
        """Take note that the server does not answer: all connections break, so that nobody waits for theirs."""
        self.lost()
        for patience in self._connecting:
            if not patience.expired():
                patience.reschedule(0.0)
        for connection in list(self._made):
            connection.terminate()

    def watch(self) -> None:
        """Look every second whether the server answers, from here on."""
        if self._watching is None:
            self._watching = asyncio.ensure_future(self._watch())

    async def close(self) -> None:
        """Stop looking whether the server is there."""
        if self._watching:
            self._watching.cancel()
            with suppress(asyncio.CancelledError):
                await self._watching
        if self._pulse:
            await let_go(self._pulse)

    async def _watch(self) -> None:
        while True:
            self._doubt.clear()
            if not await self._is_there():
                await asyncio.sleep(HEAL_S)
            elif not self._doubt.is_set():
                self._is_up.set()
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_S):
                        await self._doubt.wait()

    async def _is_there(self) -> bool:
        looking = asyncio.ensure_future(self._look())
        try:
            for _ in range(2):  # twice, for an event loop that itself came too late to hear the answer
                await asyncio.wait([looking], timeout=ANSWER_S / 2)
            if not looking.done():
                self.silent()  # which ends the look too
            await looking
        except Exception as error:  # noqa: BLE001  # any other than this says that the server is there
            if is_gone(error):
                self.lost()
                return False
        finally:
            looking.cancel()
            await asyncio.wait([looking])
        return True

    async def _look(self) -> None:
        if self._pulse is None or self._pulse.is_closed():
            self._pulse = await self.connect(timeout_s=ANSWER_S)
        await self._pulse.execute("SELECT 1")


class Line:
    """The one connection that records go through and that word of changes comes from, made anew when it breaks."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._connection: asyncpg.Connection | None = None
        self._opening = asyncio.Lock()
        self.is_changed = False
        """Whether another opening of the database has changed a prompt, or may have."""

    async def open(self) -> asyncpg.Connection:
        """Return the connection. Raises the driver's errors."""
        async with self._opening:
            if self._connection is None or self._connection.is_closed():
                connection = await self._server.connect()
                await connection.add_listener(CHANGES, self._hear)
                self.is_changed = self._connection is not None  # what was said in between, nobody heard
                self._connection = connection
            return self._connection

    async def close(self) -> None:
        """Close the connection."""
        if self._connection:
            await let_go(self._connection)

    def _hear(self, _connection: object, _pid: int, _channel: str, speaker: object) -> None:
        if speaker != self._server.own_name:
            self.is_changed = True


async def let_go(connection: asyncpg.Connection) -> None:
    """Close a connection, which may be broken."""
    with suppress(Exception):
        await connection.close(timeout=ANSWER_S)


def shown(url: str) -> str:
    """Return the URL as people may see it: where the database is, without user, password and options."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        raise _unusable("ValueError") from None
    return f"postgresql://{parts.hostname or ''}{port}{parts.path}"


def _unusable(problem: str) -> ConfigError:
    return ConfigError(
        f"the database URL cannot be read ({problem})",
        hint="write postgresql://user:password@host:5432/database, with %40 for @ and %2F for / inside the password",
        field="database_url",
    )
