"""F10: valid JSON that is not the answer it should be ends in a typed error, or in an answer without nonsense."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from math import isfinite
from typing import Any, TypeAlias

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuewire.clock import SystemClock
from cuewire.model.errors import ProviderError
from cuewire.model.results import Answer
from cuewire.model.usage import Usage
from cuewire.outbound.lazy import open_transport
from cuewire.ports import Provider
from cuewire.providers.anthropic import Anthropic
from cuewire.providers.gemini import Gemini
from cuewire.providers.http_json import HttpJson
from cuewire.providers.http_json_form import Form
from cuewire.providers.openai_compatible import OpenAICompatible
from tests.contract.test_provider import Heard, request
from tests.support.anthropic_server import HELLO as ANTHROPIC_EVENTS
from tests.support.anthropic_server import message
from tests.support.gemini_answers import USAGE as GEMINI_USAGE
from tests.support.gemini_answers import gemini_answer, gemini_event
from tests.support.model_server import (
    DONE,
    USAGE,
    Action,
    ModelServer,
    completion,
    delta,
    event,
    plain,
    stream,
    usage_event,
)
from tests.support.spoilt_bodies import spoilt

EXAMPLES = 150
TOOL = {"id": "call-1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
WITH_TOOL = completion(finish_reason="tool_calls")
WITH_TOOL["choices"][0]["message"]["tool_calls"] = [TOOL]
FORM = Form(
    body={
        "input": "{{prompt}}",
        **{name: f"{{{{parameters.{name}}}}}" for name in ("max_tokens", "temperature", "seed")},
    },
    answer="/choices/0/message/content",
    usage_input="/usage/prompt_tokens",
    usage_output="/usage/completion_tokens",
)


def events_of(*blocks: bytes) -> list[Any]:
    """Return what the events of a stream say, decoded."""
    lines = [line for block in blocks for line in block.split(b"\n") if line.startswith(b"data: ")]
    return [msgspec.json.decode(line.removeprefix(b"data: ")) for line in lines if b"[DONE]" not in line]


@dataclass(frozen=True)
class Format:
    """A wire format: how its provider is made, a whole answer, and the events of one; `end` closes its streams."""

    make: Callable[..., Provider]
    path: str
    whole: Any
    events: list[Any]
    negative: Any
    end: bytes = b""


FORMATS = {
    "openai": Format(
        OpenAICompatible,
        "/v1",
        WITH_TOOL,
        events_of(delta("Hello"), delta(" there", tool_calls=[{"index": 0, **TOOL}]), delta(finish_reason="stop"))
        + events_of(usage_event(USAGE)),
        completion(usage={"prompt_tokens": -1, "completion_tokens": -2, "total_tokens": -3}),
        DONE,
    ),
    "anthropic": Format(
        Anthropic,
        "",
        message(),
        events_of(*ANTHROPIC_EVENTS),
        message(usage={"input_tokens": -1, "output_tokens": -2, "cache_read_input_tokens": -3}),
    ),
    "gemini": Format(
        Gemini,
        "/v1beta",
        gemini_answer(),
        events_of(
            gemini_event("Hello"), gemini_event(" there"), gemini_event("", finish="STOP", usageMetadata=GEMINI_USAGE)
        ),
        gemini_answer(usageMetadata={"promptTokenCount": -1, "candidatesTokenCount": -2, "thoughtsTokenCount": -3}),
    ),
    "http_json": Format(
        lambda *name, **more: HttpJson(*name, form=FORM, **more),
        "/ask",
        completion(),
        [],
        completion(usage={"prompt_tokens": -1, "completion_tokens": -2}),
    ),
}
Outcome: TypeAlias = Answer | ProviderError


class Replying(ModelServer):
    """Does for each request what `reply` says."""

    def __init__(self) -> None:
        super().__init__()
        self.reply: Sequence[Action] = ()

    def choose(self, path: str, body: bytes) -> Sequence[Action]:
        """Do that."""
        return self.reply


class Bench:
    """A provider in front of a scripted server, on an event loop of its own."""

    def __init__(self, of: Format) -> None:
        self.format = of
        self._server = Replying()
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._runner.run(self._open())

    async def _open(self) -> None:
        await self._stack.enter_async_context(self._server)
        transport = open_transport(origins=[self._server.origin])
        self._stack.push_async_callback(transport.close)
        base_url = self._server.origin + self.format.path
        self.provider = self.format.make("tiny", base_url=base_url, key=None, transport=transport, clock=SystemClock())

    def ask(self, script: Sequence[Action], heard: Heard | None = None) -> Outcome:
        """Return what becomes of a call that is answered so."""
        return self._runner.run(self._ask(script, heard))

    async def _ask(self, script: Sequence[Action], heard: Heard | None) -> Outcome:
        self._server.reply = script
        try:
            async with asyncio.timeout(10):
                return await self.provider.call(request(), listener=heard)
        except ProviderError as error:
            return error

    def close(self) -> None:
        """Close all of it."""
        self._runner.run(self._stack.aclose())
        self._runner.close()


@pytest.fixture(scope="module", params=FORMATS)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    running = Bench(FORMATS[request.param])
    yield running
    running.close()


@pytest.fixture(scope="module", params=[name for name, of in FORMATS.items() if of.events])
def streaming(request: pytest.FixtureRequest) -> Iterator[Bench]:
    running = Bench(FORMATS[request.param])
    yield running
    running.close()


def assert_sound(outcome: Outcome) -> None:
    """See that there is nothing in an answer that no answer may hold."""
    if isinstance(outcome, ProviderError):
        assert type(outcome.partial_text) is str
        return
    counts = [getattr(outcome.usage, name) for name in Usage.__struct_fields__]
    assert all(count is None or (type(count) is int and count >= 0) for count in counts)
    assert outcome.cost_usd is None or (isfinite(outcome.cost_usd) and outcome.cost_usd >= 0)
    texts = [outcome.text, outcome.finish_reason, outcome.model, outcome.request_id]
    texts += [text for call in outcome.tool_calls for text in (call.id, call.name, call.arguments)]
    assert {type(text) for text in texts} == {str}
    assert outcome.finish_reason


def test_f10_what_is_not_spoilt_is_read(bench: Bench) -> None:
    whole = bench.ask(plain(bench.format.whole))

    assert isinstance(whole, Answer)
    assert (whole.text, bool(whole.usage.input_tokens)) == ("Hello there", True)


def test_f10_a_stream_that_is_not_spoilt_is_read(streaming: Bench) -> None:
    heard = Heard()

    outcome = streaming.ask(stream(*map(event, streaming.format.events), streaming.format.end), heard)

    assert isinstance(outcome, Answer)
    assert (outcome.text, "".join(heard.texts), bool(outcome.usage.input_tokens)) == (
        "Hello there",
        "Hello there",
        True,
    )


def test_f10_negative_usage_is_no_usage(bench: Bench) -> None:
    outcome = bench.ask(plain(bench.format.negative))

    assert isinstance(outcome, Answer)
    assert outcome.usage == Usage()


@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_f10_a_spoilt_answer_is_a_typed_error_or_an_answer_without_nonsense(bench: Bench, data: st.DataObject) -> None:
    body = data.draw(spoilt(bench.format.whole))

    outcome = bench.ask(plain(msgspec.json.encode(body)))

    assert_sound(outcome)


@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_f10_a_spoilt_stream_is_a_typed_error_or_the_text_that_was_heard(streaming: Bench, data: st.DataObject) -> None:
    events = data.draw(spoilt(streaming.format.events))
    told = events if isinstance(events, list) else [events]
    heard = Heard()

    outcome = streaming.ask(stream(*map(event, told), streaming.format.end), heard)

    assert_sound(outcome)
    if isinstance(outcome, Answer):
        assert "".join(heard.texts) == outcome.text


@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_f10_what_was_asked_for_as_a_stream_may_come_whole_and_spoilt(bench: Bench, data: st.DataObject) -> None:
    body = data.draw(spoilt(bench.format.whole))
    heard = Heard()

    outcome = bench.ask(plain(msgspec.json.encode(body)), heard)

    assert_sound(outcome)
    if isinstance(outcome, Answer):
        assert "".join(heard.texts) == outcome.text
