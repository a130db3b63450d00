"""Streams of Anthropic's Messages API against a scripted server, and every way in which they can break."""

from __future__ import annotations

import pytest

from cuewire.model.errors import (
    AuthenticationFailed,
    IncompleteAnswer,
    OutOfCredit,
    ProtocolError,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
)
from cuewire.outbound.transport import Timeouts
from tests.contract.test_provider import Heard, request
from tests.support.anthropic_server import END, HELLO, OPEN, PING, begin, event, failure, finish, message, piece, served
from tests.support.model_server import Action, Close, Flood, Hang, Reset, Send, Until, Wait, chunk, head, plain, stream


async def test_events_of_one_network_read_are_told_as_one_text() -> None:
    async with served(stream(b"".join(HELLO))) as (provider, _):
        heard = Heard()
        await provider.call(request(), listener=heard)

        assert heard.texts == ["Hello there"]


async def test_connection_serves_the_next_call_when_the_stream_ends_behind_its_last_event() -> None:
    late = [*stream(*HELLO)[:-1], Wait(0.05), Send(chunk(b""))]
    async with served(late) as (provider, server):
        for _ in range(2):
            await provider.call(request(), listener=Heard())

        assert server.connections == 1


@pytest.mark.parametrize("end", [[Send(chunk(b""))], [Wait(0.05), Reset()], [Hang()]])
async def test_stream_is_complete_once_the_model_has_finished(end: list[Action]) -> None:
    async with served([*stream(*HELLO[:-1])[:-1], *end], timeouts=Timeouts(idle_s=0.3)) as (provider, _):
        answer = await provider.call(request(), listener=Heard())

        assert (answer.text, answer.finish_reason, answer.usage.output_tokens) == ("Hello there", "stop", 3)


async def test_server_that_answers_whole_though_a_stream_was_asked_for_is_understood() -> None:
    async with served(plain(message("Hello there"))) as (provider, _):
        heard = Heard()
        answer = await provider.call(request(), listener=heard)

        assert (answer.text, heard.texts) == ("Hello there", ["Hello there"])


async def test_text_is_told_before_the_answer_is_complete() -> None:
    heard = Heard()
    async with served(stream(*HELLO[:3], Until(heard.first), *HELLO[3:])) as (provider, _):
        await provider.call(request(), listener=heard)

        assert heard.texts == ["Hello", " there"]


@pytest.mark.parametrize("end", [Close(), Reset()])
async def test_f7_f8_stream_cut_off_is_incomplete_and_keeps_its_text(end: Action) -> None:
    heard = Heard()
    start = head(kind="text/event-stream")
    error = await failure(
        Send(start + chunk(begin() + OPEN + piece("Hel") + piece("lo"))), Wait(0.05), end, heard=heard
    )

    assert isinstance(error, IncompleteAnswer)
    assert (error.partial_text, "".join(heard.texts)) == ("Hello", "Hello")


async def test_f7_stream_that_ends_cleanly_without_a_finish_is_incomplete() -> None:
    error = await failure(*stream(begin(), piece("Hello")), is_streamed=True)

    assert isinstance(error, IncompleteAnswer)
    assert error.partial_text == "Hello"


async def test_f6_stream_that_stalls_is_an_idle_timeout_and_keeps_its_text() -> None:
    start = [Send(head(kind="text/event-stream") + chunk(begin() + piece("Hello")))]
    error = await failure(*start, Hang(), is_streamed=True, timeouts=Timeouts(idle_s=0.2))

    assert isinstance(error, ProviderTimeout)
    assert (error.phase, error.partial_text) == ("idle", "Hello")


async def test_pings_of_a_server_that_is_waiting_hold_off_the_idle_limit() -> None:
    waiting = [action for _ in range(6) for action in (Send(chunk(PING)), Wait(0.1))]
    first, *rest = stream(*HELLO)
    async with served([first, *waiting, *rest], timeouts=Timeouts(idle_s=0.4)) as (provider, _):
        assert (await provider.call(request(), listener=Heard())).text == "Hello there"


@pytest.mark.parametrize(
    "data", [b"data: {not json\n\n", b'data: {"type": 7}\n\n', b'data: "\xff"\n\n', b"data: {}\n\n"]
)
async def test_f9_event_that_cannot_be_read_is_a_protocol_error_and_keeps_the_text(data: bytes) -> None:
    error = await failure(*stream(begin() + piece("Hello"), b"data: %b\n\n" % data), is_streamed=True)

    assert isinstance(error, ProtocolError)
    assert error.partial_text == "Hello"


async def test_f9_stream_that_ends_what_it_never_began_is_a_protocol_error() -> None:
    error = await failure(*stream(finish(), END), is_streamed=True)

    assert isinstance(error, ProtocolError)
    assert "never began" in error.message


@pytest.mark.parametrize("endless", [b"x" * 65_536, b": a comment\n" * 5_000, b"event: ping\n" * 5_000])
async def test_t25_stream_without_an_end_of_event_is_given_up(endless: bytes) -> None:
    error = await failure(Send(head(kind="text/event-stream")), Flood(chunk(endless)), is_streamed=True)

    assert isinstance(error, ProtocolError)
    assert "MiB" in str(error)


async def test_t25_endless_stream_of_events_is_given_up() -> None:
    error = await failure(
        Send(head(kind="text/event-stream") + chunk(begin())), Flood(chunk(PING * 3_000)), is_streamed=True
    )

    assert isinstance(error, ProtocolError)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("overloaded_error", ProviderUnavailable),
        ("rate_limit_error", RateLimited),
        ("billing_error", OutOfCredit),
        ("authentication_error", AuthenticationFailed),
    ],
)
async def test_error_inside_a_stream_is_raised_after_the_text_before_it(
    kind: str, expected: type[ProviderError]
) -> None:
    heard = Heard()
    broken = event("error", error={"type": kind, "message": "Sorry"})
    error = await failure(*stream(begin() + piece("Hello") + broken), heard=heard)

    assert isinstance(error, expected)
    assert (error.partial_text, heard.texts, error.provider_code) == ("Hello", ["Hello"], kind)


async def test_error_event_that_names_no_error_is_one() -> None:
    error = await failure(*stream(begin() + event("error")), is_streamed=True)

    assert error.code == "provider_fault"
