"""The guard lets nothing out that was not meant to be said, whatever goes wrong behind it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import msgspec
import pytest

from cuewire.clock import SystemClock
from cuewire.model.errors import StoreBusy
from cuewire.registry.api_keys import KeyRing
from cuewire.registry.sessions import SignIns
from cuewire.server.exchange import Exchange, Message
from cuewire.server.guard import Access, Guard, Handler

HEADERS = [(b"host", b"localhost:8470")]


class NoKeys:
    """A store without keys."""

    async def find(self, key_id: str) -> None:
        """Find nothing."""


def guarding(handler: Handler) -> Guard:
    clock = SystemClock()
    keys = KeyRing(NoKeys(), clock=clock)  # type: ignore[arg-type]  # a store that is only asked
    sign_ins = SignIns(NoKeys(), NoKeys(), clock=clock)  # type: ignore[arg-type]  # the same
    return Guard(handler, keys=keys, sign_ins=sign_ins, access=Access(), clock=clock)


async def asked(guard: Guard, path: str = "/healthz", headers: list[tuple[bytes, bytes]] = HEADERS) -> list[Message]:
    """Send a request without a body, and return the messages of the reply."""
    sent: list[Message] = []
    scope: dict[str, Any] = {"type": "http", "method": "GET", "raw_path": path.encode(), "headers": headers}

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await guard(scope, receive, send)
    return sent


async def test_an_unexpected_error_is_logged_and_not_told(caplog: pytest.LogCaptureFixture) -> None:
    async def handler(_: Exchange) -> None:
        raise RuntimeError("SELECT secret FROM api_keys")

    with caplog.at_level(logging.ERROR):
        start, body = await asked(guarding(handler))

    assert start["status"] == 500
    assert b"SELECT" not in body["body"]
    assert "SELECT" in caplog.text
    assert msgspec.json.decode(body["body"])["request_id"] in caplog.text


async def test_an_error_of_ours_is_told_with_when_to_come_again() -> None:
    async def handler(_: Exchange) -> None:
        raise StoreBusy("another process holds the database")

    start, body = await asked(guarding(handler))

    assert (start["status"], msgspec.json.decode(body["body"])["code"]) == (503, "store_busy")
    assert (b"retry-after", b"1") in start["headers"]


async def test_nothing_behind_the_guard_is_reached_without_a_key() -> None:
    reached: list[Exchange] = []

    async def handler(exchange: Exchange) -> None:
        reached.append(exchange)

    (start, _) = await asked(guarding(handler), "/api/v1/anything")

    assert (start["status"], reached) == (401, [])


async def test_a_client_that_takes_nothing_of_its_reply_is_left(caplog: pytest.LogCaptureFixture) -> None:
    async def handler(_: Exchange) -> None:
        raise TimeoutError

    with caplog.at_level(logging.INFO):
        assert await asked(guarding(handler)) == []

    assert "client.left" in caplog.text


async def test_a_reply_that_has_begun_is_not_followed_by_another() -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.begin(200)
        await asyncio.sleep(0)
        raise StoreBusy("too late to say so")

    assert [message.get("status") for message in await asked(guarding(handler))] == [200]
