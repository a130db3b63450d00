"""A WebSocket passes the same guard as a request, and is answered like one until it is open."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cuewire.server.exchange import Exchange, Message
from cuewire.server.sockets import GOING_AWAY, Socket
from tests.unit.server.test_guard import HEADERS, guarding

ORIGIN = (b"origin", b"https://evil.example")


async def opened(handler: Any, path: str = "/healthz", headers: list[tuple[bytes, bytes]] = HEADERS) -> list[Message]:
    """Ask for a WebSocket, and return what the server sends."""
    sent: list[Message] = []
    scope: dict[str, Any] = {"type": "websocket", "raw_path": path.encode(), "headers": headers, "query_string": b"a=1"}

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await guarding(handler)(scope, receive, send)
    return sent


async def nothing(_: Exchange) -> None:
    """Say nothing."""


async def test_without_a_key_it_is_refused_as_a_request_is() -> None:
    start, body = await opened(nothing, "/api/v1/prompts/subscribe")

    assert (start["type"], start["status"]) == ("websocket.http.response.start", 401)
    assert body["type"] == "websocket.http.response.body"
    assert msgspec.json.decode(body["body"])["code"] == "access_denied"


@pytest.mark.parametrize("header", [ORIGIN, (b"sec-fetch-site", b"cross-site")])
async def test_a_page_of_another_site_opens_none_even_with_a_key(header: tuple[bytes, bytes]) -> None:
    key = (b"authorization", b"Bearer cw_anything")

    start, _ = await opened(nothing, "/api/v1/prompts/subscribe", [*HEADERS, header, key])

    assert start["status"] == 403


async def test_once_open_it_says_messages_and_no_problem_follows() -> None:
    async def handler(exchange: Exchange) -> None:
        assert isinstance(exchange, Socket)
        await exchange.accept()
        await exchange.say(exchange.query)
        await exchange.close()
        raise RuntimeError("after the end")

    sent = await opened(handler)

    assert [message["type"] for message in sent] == ["websocket.accept", "websocket.send", "websocket.close"]
    assert (sent[1]["text"], sent[2]["code"]) == ("a=1", GOING_AWAY)
