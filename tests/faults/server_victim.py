"""A server that lives again and again on one database, and is killed at a named point once it is told to.

Argument: the URL of the database. Each line of stdin is a point, and begins a life, which prints its process id, its
port and an API key; SIGUSR1 makes it mortal, which it says. A life is a fork, because to start Python takes a second.
Its model is `scripted/x`. The points are those of the record writer, and two inside the model's answer.
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
from cuewire.server.serve import Address, serve_app
from cuewire.wiring import connect
from tests.faults.victim import Executioner

PIECES = [f"piece {number} \N{SNOWMAN} " for number in range(20)]
PAUSE_S = 0.03


class Teller(Scripted):
    """A model that takes its time, and may not survive the middle of an answer or of a stream."""

    def __init__(self, executioner: Executioner) -> None:
        super().__init__({"": "".join(PIECES)})
        self._executioner = executioner

    async def call(self, request: ModelRequest, *, listener: Listener | None) -> Answer:
        """Answer; a listener hears it piece by piece."""
        await asyncio.sleep(PAUSE_S)
        self._executioner("call.middle")
        for number, piece in enumerate(PIECES if listener else ()):
            assert listener is not None
            await listener(piece)
            await asyncio.sleep(PAUSE_S / 10)
            if number == len(PIECES) // 2:
                self._executioner("stream.middle")
        return await super().call(request, listener=None)


async def live(url: str, point: str) -> None:
    """Serve until killed."""
    executioner = Executioner(point, times=0)  # never, until it is told to

    def arm() -> None:
        executioner.arm()
        print("mortal", flush=True)

    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, arm)
    app = await connect(url, providers={"scripted": Teller(executioner)}, checkpoint=executioner)
    key = (await app.keys.issue("victim", by=app.actor)).text
    address = Address(host="127.0.0.1", port=0)

    def ready(url: str) -> None:
        print(os.getpid(), url.rpartition(":")[2], key, flush=True)

    await serve_app(app, address, asyncio.Event(), ready)


async def warm(url: str) -> None:
    """Load everything that a life needs."""
    await (await connect(url)).close()


def main(url: str) -> None:
    """Live once for each line."""
    asyncio.run(warm(url))
    while point := sys.stdin.readline().strip():
        life = os.fork()
        if not life:
            asyncio.run(live(url, point))
            os._exit(0)
        os.waitpid(life, 0)
        print("dead", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
