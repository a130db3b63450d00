"""The process of `cuewire serve`: granian with one worker inside it, on uvloop, and an end that loses nothing."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from collections.abc import Callable

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from cuewire.config import Settings
from cuewire.engine.app import LocalApp
from cuewire.model.errors import ConfigError, ServerError
from cuewire.model.values import Value
from cuewire.outbound.listening import is_loopback, reserved, until_listening
from cuewire.server.application import Application
from cuewire.server.guard import Access
from cuewire.wiring import connect, only_server

DRAIN_S = 30.0
"""How long what runs may go on after the signal to end."""
_CLOSE_S = 5.0
HEAD_PATIENCE_S = 10.0
"""How long the head of a request may take to arrive, and a connection may be idle."""
MAX_CONNECTIONS = 10_000
_YOUNG_OBJECTS = 20_000
"""New objects after which Python looks for cycles among them; its 700, made by two requests, is a tenth of all work."""


class Address(Value, frozen=True):
    """Where to serve, and whom."""

    host: str
    port: int
    access: Access = Access()


class Announcement(Value, frozen=True):
    """What is said once the server answers: its URL, and at the first start an API key and a link to sign in with."""

    url: str
    key: str | None = None
    link: str | None = None


Announce = Callable[[Announcement], None]


def serve(settings: Settings, address: Address, announce: Announce) -> None:
    """Serve the database of the settings until SIGTERM or SIGINT. Raises ConfigError, StoreError."""
    if not is_loopback(address.host) and not address.access.hosts:
        raise ConfigError(
            f"{address.host} can be reached from other machines, but no name is allowed for it",
            hint="say by which name clients call the server: --allow-host NAME; put TLS in front of it",
            field="--allow-host",
        )
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    with only_server(settings), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, address, announce))


async def _serve(settings: Settings, address: Address, announce: Announce) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    app = await connect(settings=settings)
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS)
    try:
        key, link = await _first_key(app)
        await serve_app(
            app,
            address,
            ended,
            lambda url: announce(Announcement(url=url, key=key, link=f"{url}/#{link}" if link else None)),
        )
    finally:
        await app.close()


async def serve_app(app: LocalApp, address: Address, ended: asyncio.Event, ready: Callable[[str], None]) -> None:
    """Serve an App until `ended` is set; `ready` is told the URL once it answers. The caller closes the App.

    Raises ConfigError if nothing can listen there, ServerError.
    """
    application = Application(app, access=address.access, clock=app.clock)
    with reserved(address.host, address.port) as port:
        server = Server(
            application.guard,
            address=address.host,
            port=port,
            interface=Interfaces.ASGINL,
            http=HTTPModes.http1,
            websockets=True,
            backlog=1_024,
            backpressure=MAX_CONNECTIONS,
            http1_settings=HTTP1Settings(header_read_timeout=int(HEAD_PATIENCE_S * 1_000), max_buffer_size=64 * 1_024),
            log_enabled=False,
        )
        serving = asyncio.create_task(server.serve())
        try:
            await _until_listening(serving, address.host, port)
            host = f"[{address.host}]" if ":" in address.host else address.host
            ready(f"http://{host}:{port}")
            ending = asyncio.create_task(ended.wait())
            await asyncio.wait([serving, ending], return_when=asyncio.FIRST_COMPLETED)
            ending.cancel()
            server.stop()  # type: ignore[no-untyped-call]  # granian leaves it untyped
            await application.running.end(patience_s=DRAIN_S)
            await asyncio.wait([serving], timeout=_CLOSE_S)
        finally:
            serving.cancel()
            await asyncio.wait([serving])
    if not ended.is_set():
        raise _unserved(serving)


async def _until_listening(serving: asyncio.Task[None], host: str, port: int) -> None:
    listening = asyncio.create_task(until_listening(host, port))
    await asyncio.wait([serving, listening], return_when=asyncio.FIRST_COMPLETED)
    listening.cancel()
    if serving.done():
        raise _unserved(serving)


def _unserved(serving: asyncio.Task[None]) -> ServerError:
    problem = None if serving.cancelled() else serving.exception()
    return ServerError(f"the HTTP server ended by itself: {problem or 'it gave no reason'}", hint="start it again")


async def _first_key(app: LocalApp) -> tuple[str | None, str | None]:
    """Make an API key, and the secret of a link for a browser, if there is no key yet."""
    if await app.keys.list(by=app.actor):
        return None, None
    issued = await app.keys.issue("first", by=app.actor)
    return issued.text, await app.sign_ins.invite(issued.key.id)
