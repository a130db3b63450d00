"""A second process on a database, which does one thing and says so.

`write N` records N executions; `open` leaves one running and waits to be killed; `claim` does so with a key;
`label NAME LABEL NUMBER` moves a label.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from cuewire.stores.places import place_of
from tests.support.stores import HeldClock, Stores, claiming, opening, recorded, stores_on


def start(url: str, *task: str) -> subprocess.Popen[str]:
    """Start a process with a task."""
    command = [sys.executable, "-m", "tests.support.store_process", url, *task]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def said(process: subprocess.Popen[str]) -> list[str]:
    """Return the words of the process's next line."""
    assert process.stdout is not None
    return process.stdout.readline().split()


@contextmanager
def running(url: str, *task: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Run a process until it has said what it did; it is killed and gone when the block ends."""
    with start(url, *task) as process:
        try:
            yield process, said(process)
        finally:
            process.kill()


async def _do(stores: Stores, task: str, *arguments: str) -> list[str]:
    match task:
        case "write":
            return [await recorded(stores, 1) for _ in range(int(arguments[0]))]
        case "open":
            row = opening(1)
            stores.recorder.open(row)
            await stores.database.settle()
            return [row.id]
        case "claim":
            row = claiming(1)
            holder = await stores.recorder.claim(row)
            return [holder or row.id]
        case "label":
            await stores.prompts.label(arguments[0], arguments[1], int(arguments[2]))
            return ["done"]
        case _:
            raise AssertionError(f"no task {task!r}")


async def _main(url: str, *task: str) -> None:
    clock = HeldClock()
    database = await place_of(url).open(clock=clock)
    print(*await _do(stores_on(database, clock), *task), flush=True)
    await asyncio.to_thread(sys.stdin.read)  # until killed, or told to go on by the end of its input
    await database.close()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
