"""Floor: a bare ASGI application on granian, set up as our server is. No key, check, record or price.

`bare` answers by itself; `http1` passes the body on by our HTTP/1.1 client, `aiohttp` by that.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from bench.sides.gateway import ANSWER_TEXT
from cuewire.outbound.http1_transport import Http1Transport
from cuewire.outbound.transport import HttpRequest, origin_of

URL = f"{os.environ['OPENAI_BASE_URL']}/chat/completions"
HEADERS = {"Authorization": "Bearer x", "Content-Type": "application/json"}
Pass = Callable[[bytes], Awaitable[bytes]]


async def answer_itself(_: bytes) -> bytes:
    """Give an answer that was made beforehand."""
    return ANSWER_TEXT.encode()


class ByHttp1:
    """Asks the model by our client."""

    def __init__(self) -> None:
        self._transport = Http1Transport(origins={origin_of(URL)})

    async def __call__(self, body: bytes) -> bytes:
        """Pass a body on, and give the answer's."""
        response = await self._transport.send(HttpRequest(method="POST", url=URL, headers=HEADERS, body=body))
        return await response.read()


class ByAiohttp:
    """Asks the model by aiohttp."""

    def __init__(self) -> None:
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    async def __call__(self, body: bytes) -> bytes:
        """Pass a body on, and give the answer's."""
        async with self._session.post(URL, data=body, headers=HEADERS) as response:
            return await response.read()


class Application:
    """The ASGI application."""

    def __init__(self, ask: Pass) -> None:
        self._ask = ask

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        answer = await self._ask(body)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer, "more_body": False})


async def serve(kind: str, port: int) -> None:
    """Serve until the process ends."""
    made: dict[str, Callable[[], Pass]] = {"bare": lambda: answer_itself, "http1": ByHttp1, "aiohttp": ByAiohttp}
    server = Server(
        Application(made[kind]()),
        address="127.0.0.1",
        port=port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        backlog=1_024,
        backpressure=10_000,
        http1_settings=HTTP1Settings(header_read_timeout=10_000, max_buffer_size=64 * 1_024),
        log_enabled=False,
    )
    await server.serve()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(sys.argv[1], int(sys.argv[2])))
