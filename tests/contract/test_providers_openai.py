"""The OpenAI-compatible provider against a scripted server: the contract of providers, and every fault of a server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from cuewire.clock import SystemClock
from cuewire.model.errors import (
    AuthenticationFailed,
    ConfigError,
    IncompleteAnswer,
    InvalidInput,
    NetworkError,
    OutOfCredit,
    ProtocolError,
    ProviderError,
    ProviderTimeout,
    RateLimited,
)
from cuewire.model.secrets import Secret
from cuewire.outbound.lazy import open_transport
from cuewire.outbound.transport import Timeouts
from cuewire.ports import Provider
from cuewire.providers.openai_compatible import OpenAICompatible
from tests.contract.test_provider import Heard, ProviderContract, request
from tests.support.model_server import (
    DONE,
    USAGE,
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
    completion,
    delta,
    event,
    head,
    plain,
    stream,
    usage_event,
)

KEY = "sk-canary-4f9a8b7c6d5e4f3a2b1c"
HELLO = [delta("", role="assistant"), delta("Hello"), delta(" there"), delta(finish_reason="stop"), usage_event(USAGE)]


@asynccontextmanager
async def served(*scripts: Sequence[Action], **settings: Any) -> AsyncIterator[tuple[OpenAICompatible, ModelServer]]:
    async with ModelServer() as server:
        server.script(*scripts)
        transport = open_transport(origins=[server.origin])
        provider = OpenAICompatible(
            "tiny",
            base_url=server.url,
            key=Secret(KEY, origin=server.origin),
            transport=transport,
            clock=SystemClock(),
            key_hint="TINY_API_KEY",
            **settings,
        )
        try:
            yield provider, server
        finally:
            await provider.close()
            await transport.close()


async def failure(*script: Action, is_streamed: bool = False, heard: Heard | None = None, **settings: Any) -> Any:
    """Return the error that a call ends with."""
    async with served(list(script), **settings) as (provider, _):
        with pytest.raises(ProviderError) as caught:
            await provider.call(request(), listener=heard or (Heard() if is_streamed else None))
        return caught.value


class TestOpenAICompatible(ProviderContract):
    """The contract, with a server that behaves."""

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[Provider]:
        async with _Behaved() as server, _provider_of(server) as provider:
            yield provider

    @asynccontextmanager
    async def failing(self) -> AsyncIterator[tuple[Provider, str]]:
        async with served(plain({"error": {"code": "rate_limit_exceeded"}}, 429)) as (provider, _):
            yield provider, "rate_limited"

    @asynccontextmanager
    async def endless(self, *, is_streamed: bool) -> AsyncIterator[tuple[Provider, asyncio.Event, asyncio.Event]]:
        begins = [Send(head(kind="text/event-stream") + chunk(delta("Hel")))] if is_streamed else []
        async with served([*begins, Hang()]) as (provider, server):
            released = asyncio.Event()
            watch = asyncio.create_task(_first_hung_up(server, released))
            yield provider, server.arrived, released
            await watch


async def _first_hung_up(server: ModelServer, released: asyncio.Event) -> None:
    await server.arrived.wait()
    await server.received[0].hung_up.wait()
    released.set()


class _Behaved(ModelServer):
    """A server that answers in the way it was asked: whole, as a stream, or with its list of models."""

    def choose(self, path: str, body: bytes) -> Sequence[Action]:
        if path.endswith("/models"):
            return plain({"object": "list", "data": [{"id": "tiny-1"}, {"id": "tiny-2"}]})
        return stream(*HELLO, DONE) if b'"stream":true' in body else plain(completion())


@asynccontextmanager
async def _provider_of(server: ModelServer) -> AsyncIterator[OpenAICompatible]:
    transport = open_transport(origins=[server.origin])
    yield OpenAICompatible("tiny", base_url=server.url, key=None, transport=transport, clock=SystemClock())
    await transport.close()


@pytest.mark.contract("S0-10")
async def test_request_carries_key_headers_and_parameters() -> None:
    async with served(plain(completion()), headers={"X-Title": "Cuewire"}) as (provider, server):
        await provider.call(request("Hi", parameters={"temperature": 0.7, "max_tokens": 1_000}), listener=None)

        received = server.received[0]
        assert (received.method, received.path) == ("POST", "/v1/chat/completions")
        assert received.headers["authorization"] == f"Bearer {KEY}"
        assert (received.headers["x-title"], received.headers["idempotency-key"]) == ("Cuewire", "execution-1")
        assert received.json == {
            "model": "tiny-1",
            "messages": [{"role": "user", "content": "Hi"}],
            "temperature": 0.7,
            "max_tokens": 1_000,
        }


@pytest.mark.contract("S0-11")
async def test_answer_holds_all_counts_the_cost_and_the_request_id() -> None:
    body = completion(usage={**USAGE, "cost": 0.00042})
    async with served(plain(body, 200, {"x-request-id": "req_7"})) as (provider, _):
        answer = await provider.call(request(), listener=None)

        assert (answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.total_tokens) == (11, 3, 14)
        assert (answer.usage.cached_tokens, answer.usage.reasoning_tokens) == (4, 1)
        assert (answer.cost_usd, answer.request_id) == (0.00042, "req_7")


async def test_id_of_the_body_stands_in_for_an_absent_request_id_header() -> None:
    async with served(plain(completion())) as (provider, _):
        assert (await provider.call(request(), listener=None)).request_id == "chatcmpl-1"


async def test_events_of_one_network_read_are_told_as_one_text() -> None:
    async with served(stream(b"".join([*HELLO, DONE]))) as (provider, _):
        heard = Heard()
        await provider.call(request(), listener=heard)

        assert heard.texts == ["Hello there"]


async def test_connection_serves_the_next_call_when_the_stream_ends_behind_its_marker() -> None:
    late = [*stream(*HELLO, DONE)[:-1], Wait(0.05), Send(chunk(b""))]
    async with served(late) as (provider, server):
        for _ in range(2):
            await provider.call(request(), listener=Heard())

        assert server.connections == 1


async def test_stream_without_an_end_marker_is_complete_once_the_model_has_finished() -> None:
    async with served(stream(*HELLO)) as (provider, _):
        answer = await provider.call(request(), listener=Heard())

        assert (answer.text, answer.finish_reason, answer.usage.output_tokens) == ("Hello there", "stop", 3)


async def test_stream_that_breaks_after_the_model_has_finished_is_complete() -> None:
    async with served([*stream(*HELLO)[:-1], Wait(0.05), Reset()]) as (provider, _):
        assert (await provider.call(request(), listener=Heard())).text == "Hello there"


async def test_server_that_answers_whole_though_a_stream_was_asked_for_is_understood() -> None:
    async with served(plain(completion("Hello there"))) as (provider, _):
        heard = Heard()
        answer = await provider.call(request(), listener=heard)

        assert (answer.text, heard.texts) == ("Hello there", ["Hello there"])


@pytest.mark.contract("S0-12", "S0-30")
async def test_text_is_told_before_the_answer_is_complete() -> None:
    heard = Heard()
    async with served(stream(*HELLO[:2], Until(heard.first), *HELLO[2:], DONE)) as (provider, _):
        await provider.call(request(), listener=heard)

        assert heard.texts[0] == "Hello"
        assert "".join(heard.texts) == "Hello there"


@pytest.mark.parametrize("end", [Close(), Reset()])
async def test_f7_f8_stream_cut_off_is_incomplete_and_keeps_its_text(end: Action) -> None:
    heard = Heard()
    start = head(kind="text/event-stream")
    error = await failure(Send(start + chunk(delta("Hel") + delta("lo"))), Wait(0.05), end, heard=heard)

    assert isinstance(error, IncompleteAnswer)
    assert (error.partial_text, "".join(heard.texts)) == ("Hello", "Hello")


async def test_f7_stream_that_ends_cleanly_without_a_finish_is_incomplete() -> None:
    error = await failure(*stream(delta("Hello")), is_streamed=True)

    assert isinstance(error, IncompleteAnswer)
    assert error.partial_text == "Hello"


async def test_f8_connection_lost_in_a_plain_answer_is_a_network_error() -> None:
    assert isinstance(await failure(Send(head(length=100) + b'{"choi'), Reset()), NetworkError)


async def test_f5_server_that_hangs_is_a_timeout_of_the_first_byte() -> None:
    error = await failure(Hang(), timeouts=Timeouts(first_byte_s=0.2))

    assert isinstance(error, ProviderTimeout)
    assert error.phase == "first_byte"


async def test_f6_stream_that_stalls_is_an_idle_timeout_and_keeps_its_text() -> None:
    start = [Send(head(kind="text/event-stream") + chunk(delta("Hello")))]
    error = await failure(*start, Hang(), is_streamed=True, timeouts=Timeouts(idle_s=0.2))

    assert isinstance(error, ProviderTimeout)
    assert (error.phase, error.partial_text) == ("idle", "Hello")


async def test_f6_bytes_that_never_make_an_event_do_not_hold_off_the_idle_limit() -> None:
    drip = [Send(head(kind="text/event-stream", length=10_000)), Send(b"x" * 10_000, each=1, every_s=0.05)]
    error = await failure(*drip, is_streamed=True, timeouts=Timeouts(idle_s=0.2))

    assert isinstance(error, ProviderTimeout)
    assert error.phase == "idle"


async def test_comments_of_a_server_that_is_waiting_hold_off_the_idle_limit() -> None:
    waiting = [action for _ in range(6) for action in (Send(chunk(b": PROCESSING\n\n")), Wait(0.1))]
    begin, *rest = stream(*HELLO, DONE)
    async with served([begin, *waiting, *rest], timeouts=Timeouts(idle_s=0.4)) as (provider, _):
        assert (await provider.call(request(), listener=Heard())).text == "Hello there"


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize(
    "body",
    [b"<html>Sign in</html>", b"", b'{"choices": [', b"\xff\xfe", b"[]", b"{}", b'{"choices": []}', b"[" * 100_000],
)
async def test_f9_body_that_is_no_completion_is_a_protocol_error(body: bytes, is_streamed: bool) -> None:
    error = await failure(
        Send(head(kind="text/html" if b"<" in body else "application/json", length=len(body)) + body),
        is_streamed=is_streamed,
    )

    assert isinstance(error, ProtocolError)
    assert "base_url" in error.hint


@pytest.mark.parametrize("data", [b"{not json", b'{"choices": 7}', b'"\xff"'])
async def test_f9_event_that_cannot_be_read_is_a_protocol_error_and_keeps_the_text(data: bytes) -> None:
    error = await failure(*stream(delta("Hello"), event(data)), is_streamed=True)

    assert isinstance(error, ProtocolError)
    assert error.partial_text == "Hello"


@pytest.mark.parametrize(
    "endless",
    [b"data: " + b"x" * 65_536, b": a comment\n" * 5_000, b"data: x\n" * 8_000],
    ids=["no newline", "comments", "no blank line"],
)
async def test_t25_stream_without_an_end_of_event_is_given_up(endless: bytes) -> None:
    error = await failure(
        Send(head(kind="text/event-stream")),
        Flood(chunk(endless[6:] if b"\n" not in endless else endless)),
        is_streamed=True,
    )

    assert isinstance(error, ProtocolError)
    assert "MiB" in str(error)


async def test_error_inside_a_stream_is_raised_after_the_text_before_it() -> None:
    heard = Heard()
    broken = event({"error": {"code": 402, "message": "Insufficient credits"}})
    error = await failure(*stream(delta("Hello") + broken), heard=heard)

    assert isinstance(error, OutOfCredit)
    assert (error.partial_text, heard.texts, error.status) == ("Hello", ["Hello"], 402)


@pytest.mark.parametrize("body", [{"error": {"code": 429}}, completion() | {"choices": [{"error": {"code": 429}}]}])
async def test_error_inside_an_answer_of_status_200_is_raised(body: object) -> None:
    assert isinstance(await failure(*plain(body)), RateLimited)


async def test_f1_rate_limit_carries_the_wait_that_the_server_asks_for() -> None:
    error = await failure(*plain({"error": {"code": "rate_limit_exceeded"}}, 429, {"Retry-After": "7"}))

    assert isinstance(error, RateLimited)
    assert (error.retry_after_s, error.status, error.provider_code) == (7.0, 429, "rate_limit_exceeded")


async def test_t24_error_keeps_a_short_redacted_start_of_what_the_provider_said() -> None:
    said = {"error": {"message": f"Incorrect API key provided: {KEY}. " + "x" * 100_000, "code": "invalid_api_key"}}
    error = await failure(*plain(said, 401))

    assert isinstance(error, AuthenticationFailed)
    assert "Incorrect API key provided" in error.snippet
    assert len(error.snippet.encode()) <= 2_048
    assert KEY not in f"{error} {error.snippet} {error!r}"
    assert "TINY_API_KEY" in error.hint


async def test_t24_endless_error_body_is_not_waited_for() -> None:
    error = await failure(Send(head(500, kind="text/html")), Flood(chunk(b"<p>sorry</p>" * 5_000)))

    assert (error.code, error.status) == ("provider_fault", 500)


async def test_f9_stream_that_says_nothing_is_a_protocol_error() -> None:
    error = await failure(*stream(delta(finish_reason="stop"), DONE), is_streamed=True)

    assert isinstance(error, ProtocolError)
    assert "neither content nor tool calls" in error.message


async def test_list_of_models_that_is_refused_is_an_error() -> None:
    async with served(plain({"error": {"code": "invalid_api_key"}}, 401), plain({"data": 7})) as (provider, _):
        with pytest.raises(AuthenticationFailed):
            await provider.models()
        with pytest.raises(ProtocolError):
            await provider.models()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_t16_redirect_is_an_error_and_the_key_stays_here(status: int) -> None:
    async with ModelServer() as elsewhere:
        elsewhere.script(plain(completion()))
        error = await failure(*plain({}, status, {"Location": elsewhere.url}))

        assert isinstance(error, ProtocolError)
        assert elsewhere.connections == 0


def test_t17_key_is_not_sent_to_an_origin_that_is_not_its_own() -> None:
    key = Secret(KEY, origin="https://api.openai.com:443")

    with pytest.raises(ConfigError, match=r"https://attacker\.test:443") as caught:
        OpenAICompatible(
            "x", base_url="https://attacker.test/v1", key=key, transport=open_transport(origins=[]), clock=SystemClock()
        )

    assert KEY not in str(caught.value)


async def test_t18_idempotency_key_cannot_carry_another_header() -> None:
    async with served(plain(completion())) as (provider, server):
        with pytest.raises(InvalidInput):
            await provider.call(request(idempotency_key="a\r\nX-Evil: 1"), listener=None)

        assert not server.received


async def test_t23_key_is_shown_by_no_repr() -> None:
    async with served(plain({})) as (provider, _):
        assert KEY not in f"{provider!r} {Secret(KEY, origin='https://a:443')!r}"
