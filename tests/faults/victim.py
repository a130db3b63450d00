"""A program that runs executions one after another and is killed at a named point, the nth time it gets there.

Arguments: the URL of the database, the point, n. Prints the id of each execution whose result it was given. The points
are those of the record writer, and `call.middle`, inside the model's answer.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from cuewire.model.requests import ModelRequest
from cuewire.model.results import Answer
from cuewire.ports import Listener
from cuewire.providers.scripted import Scripted
from cuewire.wiring import connect


class Executioner:
    """Kills this process at a point, as nothing but the kernel can."""

    def __init__(self, point: str, *, times: int) -> None:
        self._point = point
        self._left = times

    def arm(self) -> None:
        """Kill at the next time."""
        self._left = 1

    def __call__(self, point: str) -> None:
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


class Mortal(Scripted):
    """A model that takes its time and may not survive the middle of an answer."""

    def __init__(self, executioner: Executioner, *, delay_s: float) -> None:
        super().__init__({"": "positive"})
        self._executioner = executioner
        self._pause_s = delay_s

    async def call(self, request: ModelRequest, *, listener: Listener | None) -> Answer:
        """Wait, reach the middle, answer."""
        if self._pause_s:
            await asyncio.sleep(self._pause_s)
        self._executioner("call.middle")
        return await super().call(request, listener=listener)


async def main(url: str, point: str, times: int) -> None:
    executioner = Executioner(point, times=times)
    # An open row is written on its own only if the call outlasts its linger; otherwise it is written with its end.
    model = Mortal(executioner, delay_s=0.0 if point.startswith("close") else 0.08)
    app = await connect(url, providers={"scripted": model}, checkpoint=executioner)
    print("ready", flush=True)
    for _ in range(1_000):
        result = await app.run("sentiment", {"text": "good"}, model="scripted/x")
        print(result.id, flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
