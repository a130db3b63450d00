"""Floor: asyncpg alone, the same rows copied into one table with one connection; whatever waits is the next group."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # it has no types
import msgspec

from bench.sides.meter import drive, load_from_arguments, run_on_uvloop
from bench.sides.postgres import postgres_server
from bench.sides.rows import row_of

KINDS = {
    "id": "text primary key",
    "prompt": "text",
    "version": "integer",
    "model": "text",
    "status": "text",
    "started_at": "timestamptz",
    "duration_ms": "double precision",
    "first_token_ms": "double precision",
    "input_tokens": "integer",
    "output_tokens": "integer",
    "cost_usd": "double precision",
    "metadata": "jsonb",
    "messages": "jsonb",
    "text": "text",
}
encode = msgspec.json.Encoder().encode


class Copier:
    """Copies rows from any number of tasks by one task of its own."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._waiting: list[tuple[tuple[object, ...], asyncio.Future[None]]] = []
        self._wake = asyncio.Event()
        self._task = self._loop.create_task(self._copy())

    async def store(self, number: int) -> int:
        """Store one row and return when it is committed."""
        done = self._loop.create_future()
        self._waiting.append((_values(number), done))
        self._wake.set()
        await done
        return 1

    async def _copy(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            group, self._waiting = self._waiting, []
            records = [values for values, _ in group]
            await self._connection.copy_records_to_table("rows", records=records, columns=list(KINDS))
            for _, done in group:
                done.set_result(None)


def _values(number: int) -> tuple[object, ...]:
    row = row_of(number)
    row["started_at"] = datetime.fromtimestamp(row["started_at"], UTC)
    for name in ("metadata", "messages"):
        row[name] = encode(row[name]).decode()
    return tuple(row[name] for name in KINDS)


async def main(url: str) -> None:
    """Store from as many tasks as the command line asks for."""
    connection = await asyncpg.connect(url)
    columns = ", ".join(f"{name} {kind}" for name, kind in KINDS.items())
    await connection.execute(f"create table rows ({columns})")
    await drive(load_from_arguments(), Copier(connection).store)
    await connection.close()


if __name__ == "__main__":
    with postgres_server() as found:
        run_on_uvloop(main(found))
