"""Floor: one file to which the encoded rows are appended and synced; whatever waits is the next group.

The kind is `row`, or a number of bytes to which each row is filled up.
"""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import msgspec

from bench.sides.meter import drive, folder, load_from_arguments, run_on_uvloop
from bench.sides.rows import row_of

encode = msgspec.json.Encoder().encode


class File:
    """Appends rows from any number of tasks through one writing thread."""

    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop, *, row_bytes: int) -> None:
        self._row_bytes = row_bytes
        self._descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        self._loop = loop
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    async def append(self, number: int) -> int:
        """Append one row and return when it is synced."""
        done = self._loop.create_future()
        self._waiting.append((encode(row_of(number)).ljust(self._row_bytes), done))
        self._wake.set()
        await done
        return 1

    def _write(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            group, self._waiting = self._waiting, []
            if group:
                os.write(self._descriptor, b"\n".join(row for row, _ in group) + b"\n")
                os.fdatasync(self._descriptor)
                self._loop.call_soon_threadsafe(_finish, [done for _, done in group])


def _finish(futures: list[asyncio.Future[None]]) -> None:
    for future in futures:
        future.set_result(None)


async def main() -> None:
    """Append from as many tasks as the command line asks for."""
    load = load_from_arguments()
    row_bytes = 0 if load.kind == "row" else int(load.kind)
    file = File(Path(folder()) / "rows.jsonl", asyncio.get_running_loop(), row_bytes=row_bytes)
    await drive(load, file.append)


if __name__ == "__main__":
    run_on_uvloop(main())
