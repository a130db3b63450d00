"""Anthropic's Messages API against a scripted server: the contract of providers, and every fault of a server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from cuewire.clock import SystemClock
from cuewire.model.errors import (
    AuthenticationFailed,
    ConfigError,
    ContextLengthExceeded,
    InvalidInput,
    NetworkError,
    ProtocolError,
    ProviderUnavailable,
    RateLimited,
)
from cuewire.model.secrets import Secret
from cuewire.outbound.lazy import open_transport
from cuewire.ports import Embedder, Provider
from cuewire.providers.anthropic import Anthropic
from tests.contract.test_provider import Heard, ProviderContract, request
from tests.support.anthropic_server import HELLO, KEY, Behaved, begin, failure, message, provider_of, said, served
from tests.support.model_server import (
    Hang,
    ModelServer,
    Reset,
    Send,
    chunk,
    head,
    plain,
    stream,
)


class TestAnthropic(ProviderContract):
    """The contract, with a server that behaves."""

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[Provider]:
        async with Behaved() as server, provider_of(server) as provider:
            yield provider

    @asynccontextmanager
    async def failing(self) -> AsyncIterator[tuple[Provider, str]]:
        async with served(plain(said("rate_limit_error"), 429)) as (provider, _):
            yield provider, "rate_limited"

    @asynccontextmanager
    async def endless(self, *, is_streamed: bool) -> AsyncIterator[tuple[Provider, asyncio.Event, asyncio.Event]]:
        begins = [Send(head(kind="text/event-stream") + chunk(begin()))] if is_streamed else []
        async with served([*begins, Hang()]) as (provider, server):
            released = asyncio.Event()
            watch = asyncio.create_task(_first_hung_up(server, released))
            yield provider, server.arrived, released
            await watch


async def _first_hung_up(server: ModelServer, released: asyncio.Event) -> None:
    await server.arrived.wait()
    await server.received[0].hung_up.wait()
    released.set()


async def test_request_carries_key_version_and_headers() -> None:
    async with served(plain(message()), headers={"anthropic-beta": "x-1"}) as (provider, server):
        await provider.call(request("Hi", parameters={"max_tokens": 9}), listener=None)

        received = server.received[0]
        assert (received.method, received.path) == ("POST", "/v1/messages")
        assert (received.headers["x-api-key"], received.headers["anthropic-version"]) == (KEY, "2023-06-01")
        assert (received.headers["anthropic-beta"], received.headers["idempotency-key"]) == ("x-1", "execution-1")
        assert "authorization" not in received.headers
        assert received.json == {"model": "tiny-1", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 9}


async def test_version_of_the_settings_wins() -> None:
    async with served(plain(message()), headers={"Anthropic-Version": "2027-01-01"}) as (provider, server):
        await provider.call(request(), listener=None)

        assert server.received[0].headers["anthropic-version"] == "2027-01-01"


async def test_base_url_may_end_in_the_version_of_the_path() -> None:
    async with Behaved() as server:
        transport = open_transport(origins=[server.origin])
        provider = Anthropic(
            "tiny", base_url=f"{server.origin}/v1/", key=None, transport=transport, clock=SystemClock()
        )

        assert await provider.models() == ["tiny-1", "tiny-2"]
        assert server.received[0].path == "/v1/models?limit=1000"
        await transport.close()


async def test_no_embeddings_are_promised() -> None:
    async with served(plain(message())) as (provider, _):
        assert not isinstance(provider, Embedder)


@pytest.mark.parametrize("is_streamed", [False, True])
async def test_answer_holds_all_counts_and_the_request_id(is_streamed: bool) -> None:
    script = (
        stream(*HELLO, headers={"request-id": "req_7"})
        if is_streamed
        else plain(message(), 200, {"request-id": "req_7"})
    )
    async with served(script) as (provider, _):
        answer = await provider.call(request(), listener=Heard() if is_streamed else None)

        usage = answer.usage
        assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (13, 3, 16)
        assert (usage.cached_tokens, usage.cache_write_tokens, usage.reasoning_tokens) == (4, 2, 1)
        assert (answer.cost_usd, answer.request_id) == (None, "req_7")


async def test_id_of_the_message_stands_in_for_an_absent_request_id_header() -> None:
    async with served(plain(message())) as (provider, _):
        assert (await provider.call(request(), listener=None)).request_id == "msg_1"


async def test_f8_connection_lost_in_a_plain_answer_is_a_network_error() -> None:
    assert isinstance(await failure(Send(head(length=100) + b'{"cont'), Reset()), NetworkError)


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize(
    "body",
    [b"<html>Sign in</html>", b"", b'{"content": [', b"\xff\xfe", b"[]", b"{}", b'{"content": 7}', b"[" * 100_000],
)
async def test_f9_body_that_is_no_message_is_a_protocol_error(body: bytes, is_streamed: bool) -> None:
    error = await failure(
        Send(head(kind="text/html" if b"<" in body else "application/json", length=len(body)) + body),
        is_streamed=is_streamed,
    )

    assert isinstance(error, ProtocolError)
    assert "base_url" in error.hint


async def test_error_inside_an_answer_of_status_200_is_raised() -> None:
    assert isinstance(await failure(*plain(said("overloaded_error"))), ProviderUnavailable)


@pytest.mark.parametrize(
    ("status", "kind", "words", "code"),
    [
        (400, "invalid_request_error", "max_tokens: Field required", "request_rejected"),
        (400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum", "context_length_exceeded"),
        (400, "invalid_request_error", "Your credit balance is too low to access the API", "out_of_credit"),
        (401, "authentication_error", "invalid x-api-key", "authentication_failed"),
        (402, "billing_error", "", "out_of_credit"),
        (403, "permission_error", "", "authentication_failed"),
        (404, "not_found_error", "model: claude-0", "model_not_served"),
        (413, "request_too_large", "", "request_rejected"),
        (429, "rate_limit_error", "", "rate_limited"),
        (500, "api_error", "", "provider_fault"),
        (504, "timeout_error", "", "provider_unavailable"),
        (529, "overloaded_error", "Overloaded", "provider_unavailable"),
    ],
)
async def test_s4_errors_of_the_api_are_told_apart(status: int, kind: str, words: str, code: str) -> None:
    error = await failure(*plain(said(kind, words), status))

    assert (error.code, error.status, error.provider_code) == (code, status, kind)


async def test_answer_that_would_not_fit_is_a_context_length_exceeded() -> None:
    words = "input length and `max_tokens` exceed context limit: 197202 + 21333 > 200000"
    error = await failure(*plain(said("invalid_request_error", words), 400))

    assert isinstance(error, ContextLengthExceeded)


async def test_f1_rate_limit_carries_the_wait_that_the_server_asks_for() -> None:
    error = await failure(*plain(said("rate_limit_error"), 429, {"retry-after": "7"}))

    assert isinstance(error, RateLimited)
    assert error.retry_after_s == 7.0


async def test_t24_error_keeps_a_short_redacted_start_of_what_the_provider_said() -> None:
    error = await failure(*plain(said("authentication_error", f"invalid x-api-key {KEY} " + "x" * 100_000), 401))

    assert isinstance(error, AuthenticationFailed)
    assert len(error.snippet.encode()) <= 2_048
    assert KEY not in f"{error} {error.snippet} {error!r}"
    assert "TINY_API_KEY" in error.hint


async def test_t16_redirect_is_an_error_and_the_key_stays_here() -> None:
    async with ModelServer() as elsewhere:
        elsewhere.script(plain(message()))
        error = await failure(*plain({}, 307, {"Location": elsewhere.url}))

        assert isinstance(error, ProtocolError)
        assert elsewhere.connections == 0


def test_t17_key_is_not_sent_to_an_origin_that_is_not_its_own() -> None:
    key = Secret(KEY, origin="https://api.anthropic.com:443")

    with pytest.raises(ConfigError, match=r"https://attacker\.test:443") as caught:
        Anthropic(
            "x", base_url="https://attacker.test", key=key, transport=open_transport(origins=[]), clock=SystemClock()
        )

    assert KEY not in str(caught.value)


async def test_what_the_api_cannot_say_is_refused_before_anything_is_sent() -> None:
    async with served(plain(message())) as (provider, server):
        with pytest.raises(InvalidInput, match="logit_bias"):
            await provider.call(request(parameters={"logit_bias": {"50256": -100}}), listener=None)

        assert not server.received


async def test_t23_key_is_shown_by_no_repr() -> None:
    async with served(plain({})) as (provider, _):
        assert KEY not in repr(provider)
        assert "http://127.0.0.1" in repr(provider)


async def test_list_of_models_that_is_refused_is_an_error() -> None:
    async with served(plain(said("authentication_error"), 401), plain({"data": 7})) as (provider, _):
        with pytest.raises(AuthenticationFailed):
            await provider.models()
        with pytest.raises(ProtocolError):
            await provider.models()
