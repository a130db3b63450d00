"""Keys that may do little, made over HTTP, and the routes of a server with what the guide says of each."""

from __future__ import annotations

import asyncio
import http.client
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from cuewire.config import load
from cuewire.registry.access import LEAST
from cuewire.server.application import Application
from cuewire.server.guard import Access
from cuewire.server.permits import action_of
from cuewire.wiring import connect
from tests.support.command_line import DEADLINE_S
from tests.support.serving import Serving

GUIDE = Path(__file__).parents[2] / "docs/server.md"
_PARAMETER = re.compile(r"\{(\w+)\}")
_TO_ALL = {"session": "any key", "dispatch": "any key", "probe": "no key", "sign_in": "no key"}
_ROW = re.compile(r"^\| `([A-Z]+ /\S*)` \| .* \| ([a-z ]+) \|$", re.MULTILINE)


def takes() -> dict[str, str]:
    """Return what the guide says that each operation takes: a role, `any key` or `no key`."""
    return dict(_ROW.findall(GUIDE.read_text()))


@dataclass(frozen=True)
class Operation:
    """A route with one of its methods; `takes` is a role, `any key` or `no key`, as the guide says it."""

    method: str
    path: str
    takes: str
    is_listed: bool
    streams: bool

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def filled(self, values: Mapping[str, str], otherwise: str = "absent") -> str:
        """Return the path with values for its parameters."""
        return _PARAMETER.sub(lambda found: values.get(found[1], otherwise), self.path)

    @property
    def parameters(self) -> set[str]:
        """The names of what stands in the path."""
        return {*_PARAMETER.findall(self.path)}


@cache
def operations() -> Sequence[Operation]:
    """Return all that the server has, from its own table of routes."""
    with TemporaryDirectory() as folder:
        return asyncio.run(_operations(folder))


async def _operations(folder: str) -> Sequence[Operation]:
    app = await connect(settings=load(environment={"CUEWIRE_DATA_FOLDER": folder}, folder=Path(folder)))
    try:
        routes = Application(app, access=Access(), clock=app.clock).routes
    finally:
        await app.close()
    return [
        Operation(
            method=method,
            path=route.path.replace(":path}", "}"),
            takes=LEAST.get(action_of(route)) or _TO_ALL[action_of(route)],
            is_listed=route.include_in_schema,
            streams="text/event-stream" in str(route.responses),
        )
        for route in routes
        for method in sorted(route.methods or ())
    ]


def made(server: Serving, name: str = "limited", **asked: object) -> dict[str, Any]:
    """Make a key with the one that the server knows, and return all that is told of it."""
    reply = server.ask("POST", "/api/v1/keys", {"name": name, **asked})
    assert reply.status == 200, reply.json
    found: dict[str, Any] = reply.json
    return found


def known_as(server: Serving, name: str = "limited", **asked: object) -> Serving:
    """Return the same server for a client that has another key."""
    return replace(server, key=made(server, name, **asked)["key"])


def status_of(server: Serving, method: str, path: str, body: object = None, key: str | None = None) -> int:
    """Send a request and return the status, without waiting for the end of a reply that may have none."""
    headers = {"Content-Type": "application/json"}
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE_S)
    try:
        connection.request(method, path, msgspec.json.encode({} if body is None else body), headers)
        return connection.getresponse().status
    finally:
        connection.close()
