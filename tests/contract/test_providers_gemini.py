"""The Gemini provider against a scripted server: the contract of providers, and what is Gemini's own on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from cuewire.clock import SystemClock
from cuewire.model.errors import (
    AuthenticationFailed,
    ConfigError,
    IncompleteAnswer,
    InvalidInput,
    OutOfCredit,
    ProtocolError,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
    RequestRejected,
)
from cuewire.model.requests import ToolCall
from cuewire.model.secrets import Secret
from cuewire.outbound.lazy import open_transport
from cuewire.outbound.transport import Timeouts
from cuewire.ports import Provider
from cuewire.providers.gemini import Gemini
from tests.contract.test_provider import Heard, ProviderContract, request
from tests.support.gemini_answers import USAGE, gemini_answer, gemini_event
from tests.support.model_server import (
    Action,
    Close,
    Flood,
    Hang,
    ModelServer,
    Reset,
    Send,
    Until,
    Wait,
    chunk,
    event,
    head,
    plain,
    stream,
)

KEY = "AIzaSyCanary4f9a8b7c6d5e4f3a2b1c0d9e8f7"
HELLO = [
    gemini_event("Hello", usageMetadata={"promptTokenCount": 11, "totalTokenCount": 11}),
    gemini_event(" there"),
    gemini_event("", finish="STOP", usageMetadata=USAGE),
]
SLOW_DOWN = {
    "error": {
        "code": 429,
        "status": "RESOURCE_EXHAUSTED",
        "message": "You exceeded your current quota, please check your plan and billing details.",
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                "violations": [{"quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "quotaValue": "10"}],
            },
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "37.5s"},
        ],
    }
}


@asynccontextmanager
async def provided(server: ModelServer, **settings: Any) -> AsyncIterator[Gemini]:
    transport = open_transport(origins=[server.origin])
    key = Secret(KEY, origin=server.origin)
    fixed: dict[str, Any] = {
        "base_url": f"{server.origin}/v1beta",
        "key": key,
        "transport": transport,
        "clock": SystemClock(),
    }
    provider = Gemini("gemini", **fixed, key_hint="GEMINI_API_KEY", **settings)
    try:
        yield provider
    finally:
        await provider.close()
        await transport.close()


@asynccontextmanager
async def served(*scripts: Sequence[Action], **settings: Any) -> AsyncIterator[tuple[Gemini, ModelServer]]:
    async with ModelServer() as server, provided(server, **settings) as provider:
        server.script(*scripts)
        yield provider, server


async def failure(*script: Action, heard: Heard | None = None, **settings: Any) -> Any:
    """Return the error that a call ends with."""
    async with served(list(script), **settings) as (provider, _):
        with pytest.raises(ProviderError) as caught:
            await provider.call(request(), listener=heard)
        return caught.value


class _Behaved(ModelServer):
    """A server that answers in the way it was asked: whole, as a stream, or with its list of models."""

    def choose(self, path: str, body: bytes) -> Sequence[Action]:
        if path.startswith("/v1beta/models?"):
            return plain({"models": [{"name": "models/tiny-1", "supportedGenerationMethods": ["generateContent"]}]})
        return stream(*HELLO) if "alt=sse" in path else plain(gemini_answer())


class TestGemini(ProviderContract):
    """The contract, with a server that behaves."""

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[Provider]:
        async with _Behaved() as server, provided(server) as provider:
            yield provider

    @asynccontextmanager
    async def failing(self) -> AsyncIterator[tuple[Provider, str]]:
        async with served(plain(SLOW_DOWN, 429)) as (provider, _):
            yield provider, "rate_limited"

    @asynccontextmanager
    async def endless(self, *, is_streamed: bool) -> AsyncIterator[tuple[Provider, asyncio.Event, asyncio.Event]]:
        begins = [Send(head(kind="text/event-stream") + chunk(gemini_event("Hel")))] if is_streamed else []
        async with served([*begins, Hang()]) as (provider, server):
            released = asyncio.Event()

            async def watch() -> None:
                await server.arrived.wait()
                await server.received[0].hung_up.wait()
                released.set()

            watching = asyncio.create_task(watch())
            yield provider, server.arrived, released
            await watching


@pytest.mark.parametrize(
    ("is_streamed", "path"),
    [
        (False, "/v1beta/models/tiny-1:generateContent"),
        (True, "/v1beta/models/tiny-1:streamGenerateContent?alt=sse"),
    ],
)
async def test_request_carries_the_key_in_a_header_and_the_model_in_the_path(is_streamed: bool, path: str) -> None:
    async with _Behaved() as server, provided(server, headers={"x-goog-user-project": "p"}) as provider:
        await provider.call(request("Hi", parameters={"max_tokens": 9}), listener=Heard() if is_streamed else None)

        received = server.received[0]
        assert (received.method, received.path) == ("POST", path)
        assert received.headers["x-goog-api-key"] == KEY
        assert "authorization" not in received.headers
        assert received.headers["x-goog-user-project"] == "p"
        assert received.headers["idempotency-key"] == "execution-1"
        assert received.json == {
            "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
            "generationConfig": {"maxOutputTokens": 9},
        }


@pytest.mark.contract("S0-11")
@pytest.mark.parametrize("is_streamed", [False, True])
async def test_thoughts_count_as_output(is_streamed: bool) -> None:
    async with _Behaved() as server, provided(server) as provider:
        answer = await provider.call(request(), listener=Heard() if is_streamed else None)

        assert (answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.total_tokens) == (11, 8, 19)
        assert (answer.usage.cached_tokens, answer.usage.reasoning_tokens) == (4, 5)
        assert answer.request_id == "resp-1"


@pytest.mark.contract("S0-12", "S0-30")
async def test_text_is_told_before_the_answer_is_complete() -> None:
    heard = Heard()
    async with served(stream(HELLO[0], Until(heard.first), *HELLO[1:])) as (provider, _):
        await provider.call(request(), listener=heard)

        assert heard.texts[0] == "Hello"
        assert "".join(heard.texts) == "Hello there"


async def test_tool_calls_are_the_same_whole_and_streamed() -> None:
    parts = [
        {"functionCall": {"name": "look", "args": {"at": 1}}, "thoughtSignature": "c2ln"},
        {"functionCall": {"name": "see", "id": "x9"}},
    ]
    streamed = stream(gemini_event(parts=parts[:1]), gemini_event(parts=parts[1:], finish="STOP"))
    async with served(plain(gemini_answer(parts=parts)), streamed) as (provider, _):
        for listener in (None, Heard()):
            answer = await provider.call(request(), listener=listener)

            assert answer.finish_reason == "tool_calls"
            assert answer.tool_calls == (
                ToolCall(id="call_0", name="look", arguments='{"at":1}'),
                ToolCall(id="x9", name="see", arguments="{}"),
            )


@pytest.mark.parametrize("end", [Close(), Reset(), None])
async def test_f7_f8_stream_cut_off_is_incomplete_and_keeps_its_text(end: Action | None) -> None:
    heard = Heard()
    start = Send(head(kind="text/event-stream") + chunk(gemini_event("Hel") + gemini_event("lo")))
    error = await failure(start, Wait(0.05), end or Send(chunk(b"")), heard=heard)

    assert isinstance(error, IncompleteAnswer)
    assert (error.partial_text, "".join(heard.texts)) == ("Hello", "Hello")


async def test_f6_stream_that_stalls_is_an_idle_timeout_and_keeps_its_text() -> None:
    start = Send(head(kind="text/event-stream") + chunk(gemini_event("Hello")))
    error = await failure(start, Hang(), heard=Heard(), timeouts=Timeouts(idle_s=0.2))

    assert isinstance(error, ProviderTimeout)
    assert (error.phase, error.partial_text) == ("idle", "Hello")


async def test_error_inside_a_stream_is_raised_after_the_text_before_it() -> None:
    heard = Heard()
    broken = event({"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}})
    error = await failure(*stream(gemini_event("Hello") + broken), heard=heard)

    assert isinstance(error, ProviderUnavailable)
    assert (error.partial_text, heard.texts, error.status) == ("Hello", ["Hello"], 503)


async def test_f1_wait_that_the_body_asks_for_is_kept() -> None:
    error = await failure(*plain(SLOW_DOWN, 429))

    assert isinstance(error, RateLimited)
    assert (error.retry_after_s, error.status, error.provider_code) == (37.5, 429, "RESOURCE_EXHAUSTED")


async def test_wait_inside_a_stream_is_kept_too() -> None:
    error = await failure(*stream(gemini_event("Hello") + event(SLOW_DOWN)), heard=Heard())

    assert isinstance(error, RateLimited)
    assert (error.retry_after_s, error.partial_text) == (37.5, "Hello")


async def test_quota_that_is_gone_for_the_day_is_not_waited_for() -> None:
    spent = {"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}
    details = [{"violations": [spent]}, {"retryDelay": "11s"}]
    error = await failure(*plain({"error": {"code": 429, "message": "", "details": details}}, 429))

    assert isinstance(error, OutOfCredit)


@pytest.mark.parametrize("is_streamed", [False, True])
async def test_prompt_that_is_blocked_is_rejected(is_streamed: bool) -> None:
    body = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 4}}
    error = await failure(
        *(stream(event(body)) if is_streamed else plain(body)), heard=Heard() if is_streamed else None
    )

    assert isinstance(error, RequestRejected)
    assert "PROHIBITED_CONTENT" in error.snippet


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"", b'{"candidates": [', b"[]", b"{}", b'{"candidates": []}', b'{"candidates": 7}', b"[" * 99_999],
)
@pytest.mark.parametrize("is_streamed", [False, True])
async def test_f9_body_that_is_no_answer_is_a_protocol_error(body: bytes, is_streamed: bool) -> None:
    kind = "text/html" if b"<" in body else "application/json"
    error = await failure(Send(head(kind=kind, length=len(body)) + body), heard=Heard() if is_streamed else None)

    assert isinstance(error, ProtocolError)
    assert "base_url" in error.hint


async def test_f9_event_that_cannot_be_read_is_a_protocol_error_and_keeps_the_text() -> None:
    error = await failure(*stream(gemini_event("Hello"), event(b"{not json")), heard=Heard())

    assert isinstance(error, ProtocolError)
    assert error.partial_text == "Hello"


async def test_t25_stream_without_an_end_of_event_is_given_up() -> None:
    error = await failure(Send(head(kind="text/event-stream")), Flood(chunk(b"x" * 65_536)), heard=Heard())

    assert isinstance(error, ProtocolError)
    assert "MiB" in str(error)


async def test_t24_error_keeps_a_short_redacted_start_of_what_the_provider_said() -> None:
    said = {"code": 400, "message": f"API key not valid: {KEY}", "details": [{"reason": "API_KEY_INVALID"}]}
    error = await failure(*plain({"error": said}, 400))

    assert isinstance(error, AuthenticationFailed)
    assert "API key not valid" in error.snippet
    assert KEY not in f"{error} {error.snippet} {error!r}"
    assert "GEMINI_API_KEY" in error.hint


async def test_parameter_without_an_equivalent_is_refused_before_anything_is_sent() -> None:
    async with served(plain(gemini_answer())) as (provider, server):
        with pytest.raises(InvalidInput, match="'logit_bias' cannot be sent to Gemini") as caught:
            await provider.call(request(parameters={"logit_bias": {"1": 2}}), listener=None)

        assert caught.value.field == "/parameters/logit_bias"
        assert not server.received


async def test_models_that_chat_are_listed_page_by_page() -> None:
    pages = [
        plain(
            {"models": [{"name": "models/a", "supportedGenerationMethods": ["generateContent"]}], "nextPageToken": "+"}
        ),
        plain({"models": [{"name": "models/b", "supportedGenerationMethods": ["embedContent"]}], "nextPageToken": "2"}),
        plain({"models": [{"name": "models/c"}]}),
    ]
    async with served(*pages) as (provider, server):
        assert await provider.models() == ["a", "c"]

        asked = [parse_qs(urlsplit(received.path).query).get("pageToken") for received in server.received]
        assert asked == [None, ["+"], ["2"]]


@pytest.mark.parametrize("page", [{"models": 7}, {"models": [], "nextPageToken": "again"}])
async def test_list_of_models_that_is_none_or_has_no_end_is_a_protocol_error(page: object) -> None:
    async with served(plain(page)) as (provider, _):
        with pytest.raises(ProtocolError):
            await provider.models()


def test_t17_key_is_not_sent_to_an_origin_that_is_not_its_own() -> None:
    key = Secret(KEY, origin="https://generativelanguage.googleapis.com:443")

    with pytest.raises(ConfigError, match=r"https://attacker\.test:443") as caught:
        Gemini(
            "x", base_url="https://attacker.test", key=key, transport=open_transport(origins=[]), clock=SystemClock()
        )

    assert KEY not in str(caught.value)


async def test_t23_key_is_shown_by_no_repr() -> None:
    async with served(plain({})) as (provider, _):
        assert "/v1beta" in repr(provider)
        assert KEY not in repr(provider)
