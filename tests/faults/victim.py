"""A program that runs executions one after another and is killed at a named point, the nth time it gets there.

Arguments: the database file, the point, n. Prints the id of each execution whose result it was given. The points are
those of the record writer, and `call.middle`, inside the model's answer.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from cuewire.providers.scripted import Scripted
from cuewire.wiring import connect


class Executioner:
    """Kills this process at a point, as nothing but the kernel can."""

    def __init__(self, point: str, *, times: int) -> None:
        self._point = point
        self._left = times

    def __call__(self, point: str) -> None:
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


async def main(path: str, point: str, times: int) -> None:
    executioner = Executioner(point, times=times)

    def answer(_: object) -> str:
        executioner("call.middle")
        return "positive"

    scripted = Scripted(
        answer, latency_s=0.06 if point in ("call.middle", "open.before_commit", "open.after_commit") else 0
    )
    app = await connect(f"sqlite:///{path}", providers={"scripted": scripted}, checkpoint=executioner)
    print("ready", flush=True)
    for _ in range(1_000):
        result = await app.run("sentiment", {"text": "good"}, model="scripted/x")
        print(result.id, flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
