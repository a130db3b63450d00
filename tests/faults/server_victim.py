"""A server that is killed at a named point of its record writer, the nth time it gets there.

Arguments: the database file, the point, n. Prints its port and an API key. Its model is `scripted/echo`.
"""

from __future__ import annotations

import asyncio
import sys

from cuewire.outbound.listening import free_port
from cuewire.server.serve import Address, serve_app
from cuewire.wiring import connect
from tests.faults.victim import Executioner, Mortal


async def main(path: str, point: str, times: int) -> None:
    executioner = Executioner(point, times=times)
    model = Mortal(executioner, delay_s=0.0 if point.startswith("close") else 0.08)
    app = await connect(f"sqlite:///{path}", providers={"scripted": model}, checkpoint=executioner)
    key = (await app.keys.issue("victim")).text
    port = free_port("127.0.0.1", 0)
    address = Address(host="127.0.0.1", port=port)
    await serve_app(app, address, port, asyncio.Event(), lambda _: print(port, key, flush=True))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
