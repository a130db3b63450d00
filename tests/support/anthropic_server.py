"""Messages and events of Anthropic's API, a server that speaks them, and our provider in front of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from cuewire.clock import SystemClock
from cuewire.model.errors import ProviderError
from cuewire.model.secrets import Secret
from cuewire.outbound.lazy import open_transport
from cuewire.providers.anthropic import Anthropic
from tests.contract.test_provider import Heard, request
from tests.support.model_server import Action, ModelServer, plain, stream
from tests.support.model_server import event as unnamed

KEY = "sk-ant-canary-4f9a8b7c6d5e4f3a2b1c"
USAGE = {
    "input_tokens": 7,
    "cache_creation_input_tokens": 2,
    "cache_read_input_tokens": 4,
    "output_tokens": 3,
    "output_tokens_details": {"thinking_tokens": 1},
}


def message(text: str | None = "Hello there", *, stop_reason: str = "end_turn", **more: Any) -> dict[str, Any]:
    """Build the body of a plain answer; `more` replaces or adds top-level fields."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "tiny-1",
        "content": [] if text is None else [{"type": "text", "text": text}],
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": USAGE,
        **more,
    }


def event(kind: str, **fields: Any) -> bytes:
    """Write one server-sent event with its name, as Anthropic does."""
    return f"event: {kind}\n".encode() + unnamed({"type": kind, **fields})


def begin(**more: Any) -> bytes:
    """Write the event that begins a message; its usage knows of the first token of output only."""
    return event("message_start", message={**message(None), "stop_reason": None, **more})


def piece(text: str, index: int = 0) -> bytes:
    """Write the event that adds text to a block."""
    return event("content_block_delta", index=index, delta={"type": "text_delta", "text": text})


def finish(stop_reason: str = "end_turn", **usage: Any) -> bytes:
    """Write the event that says why the message ends; its counts are totals."""
    return event("message_delta", delta={"stop_reason": stop_reason, "stop_sequence": None}, usage=usage or USAGE)


OPEN = event("content_block_start", index=0, content_block={"type": "text", "text": ""})
CLOSE = event("content_block_stop", index=0)
PING = event("ping")
END = event("message_stop")
HELLO = [begin(), OPEN + PING, piece("Hello"), piece(" there"), CLOSE, finish(), END]


class Behaved(ModelServer):
    """A server that answers whole, as a stream, or with its list of models."""

    def choose(self, path: str, body: bytes) -> Sequence[Action]:
        """Answer as asked."""
        if path.startswith("/v1/models"):
            return plain({"data": [{"id": "tiny-1", "type": "model"}, {"id": "tiny-2"}], "has_more": False})
        return stream(*HELLO) if b'"stream":true' in body else plain(message())


@asynccontextmanager
async def provider_of(server: ModelServer, **settings: Any) -> AsyncIterator[Anthropic]:
    transport = open_transport(origins=[server.origin])
    provider = Anthropic(
        "tiny",
        base_url=server.origin,
        key=Secret(KEY, origin=server.origin),
        transport=transport,
        clock=SystemClock(),
        key_hint="TINY_API_KEY",
        **settings,
    )
    try:
        yield provider
    finally:
        await provider.close()
        await transport.close()


@asynccontextmanager
async def served(*scripts: Sequence[Action], **settings: Any) -> AsyncIterator[tuple[Anthropic, ModelServer]]:
    async with ModelServer() as server, provider_of(server, **settings) as provider:
        server.script(*scripts)
        yield provider, server


async def failure(*script: Action, is_streamed: bool = False, heard: Heard | None = None, **settings: Any) -> Any:
    """Return the error that a call ends with."""
    async with served(list(script), **settings) as (provider, _):
        with pytest.raises(ProviderError) as caught:
            await provider.call(request(), listener=heard or (Heard() if is_streamed else None))
        return caught.value


def said(kind: str, words: str = "") -> dict[str, Any]:
    """Build the body of an error."""
    return {"type": "error", "error": {"type": kind, "message": words}, "request_id": "req_1"}
