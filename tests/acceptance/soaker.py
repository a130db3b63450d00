"""A program: streams executions for a long time, 50 at once. Prints its resident memory in MiB, warm and at the end.

Arguments: the database file, the model server's base URL, how many executions.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from itertools import repeat
from pathlib import Path

import cuewire
from cuewire.config import load

WARM_UP = 2_000


def resident_mib() -> float:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def stream_many(app: cuewire.App, count: int) -> None:
    turns = repeat(None, count)

    async def worker() -> None:
        for _ in turns:
            running = app.stream("tell", {"text": "x" * 500})
            text = "".join([piece.text async for piece in running])
            assert text == (await running.result()).text

    await asyncio.gather(*(worker() for _ in range(50)))


async def main(path: str, base_url: str, count: int) -> None:
    settings = load(environment={"OPENAI_BASE_URL": base_url, "OPENAI_API_KEY": "none"}, folder=Path(path).parent)
    async with cuewire.open(f"sqlite:///{path}", settings=settings) as app:
        await app.prompts.publish("tell", "Tell of {{ text }}", model="openai/gpt-4o-mini")
        await stream_many(app, WARM_UP)
        warm = resident_mib()
        await stream_many(app, count)
        print(warm, resident_mib())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
