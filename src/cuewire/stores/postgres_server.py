"""One database on a PostgreSQL server: how it is reached, and how long anyone waits while it is not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar
from urllib.parse import urlsplit

import asyncpg  # type: ignore[import-untyped]  # it has no types

from cuewire.model.errors import ConfigError
from cuewire.stores.postgres_errors import is_gone, translating, unavailable
from cuewire.stores.postgres_schema import CHANGES

T = TypeVar("T")

CONNECT_S = 5.0
COMMAND_S = 30.0
"""How long any one statement may take."""
PATIENCE_S = 0.5
"""How long anyone waits for a server that is away, before StoreUnavailable."""
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
        self._healing: asyncio.Task[None] | None = None

    async def connect(self) -> asyncpg.Connection:
        """Return a new connection, on which commits are durable. Raises ConfigError, and the driver's errors."""
        try:
            connection: asyncpg.Connection = await asyncpg.connect(
                self._url,
                timeout=CONNECT_S,
                command_timeout=COMMAND_S,
                server_settings={"application_name": self.own_name},
            )
        except (asyncpg.exceptions.ClientConfigurationError, ValueError) as error:
            problem = type(error).__name__
        else:
            await connection.execute(_DURABLE)
            return connection
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
        """Return when the server answers, for all that is known. Raises StoreUnavailable."""
        if not self._is_up.is_set():
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await self._is_up.wait()
            except TimeoutError:
                raise unavailable(self.name) from None

    def lost(self) -> None:
        """Take note that a connection broke: from here on everyone waits until the server answers again."""
        if self._is_up.is_set():
            self._is_up.clear()
            self._healing = asyncio.ensure_future(self._heal())

    async def close(self) -> None:
        """Stop looking whether the server is back."""
        if self._healing:
            self._healing.cancel()
            with suppress(asyncio.CancelledError):
                await self._healing

    async def _heal(self) -> None:
        while True:
            try:
                connection = await self.connect()
                await connection.close()
            except Exception as error:  # noqa: BLE001  # any other than this says that the server is there
                if is_gone(error):
                    await asyncio.sleep(HEAL_S)
                    continue
            break
        self._is_up.set()


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
            with suppress(Exception):  # it may be broken
                await self._connection.close(timeout=CONNECT_S)

    def _hear(self, _connection: object, _pid: int, _channel: str, speaker: object) -> None:
        if speaker != self._server.own_name:
            self.is_changed = True


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
