"""What every provider must do, whatever it speaks to."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager as Given
from contextlib import suppress
from typing import Any, ClassVar

import pytest

from cuewire.model.errors import ProviderError
from cuewire.model.outputs import TextOutput
from cuewire.model.requests import ChatMessage, ModelRequest
from cuewire.ports import Provider

WITHIN_S = 3.0
"""One second is promised; machines that run tests are slow."""


def request(text: str = "Say hello", *, model: str = "tiny-1", **more: Any) -> ModelRequest:
    """Build a request with one user message; `more` replaces fields."""
    fields: dict[str, Any] = {
        "messages": (ChatMessage(role="user", content=text),),
        "parameters": {},
        "output": TextOutput(),
        "idempotency_key": "execution-1",
    }
    return ModelRequest(model=model, **{**fields, **more})


class Heard:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.first = asyncio.Event()

    async def __call__(self, text: str) -> None:
        self.texts.append(text)
        self.first.set()


class ProviderContract:
    """Answers, streams, usage, errors and cancellation."""

    model = "tiny-1"
    parameters: ClassVar[dict[str, Any]] = {"max_tokens": 8, "temperature": 0, "seed": 1}

    def ready(self) -> Given[Provider]:
        """Give a provider that answers a few words to any request."""
        raise NotImplementedError

    def failing(self) -> Given[tuple[Provider, str]]:
        """Give a provider that fails, and the code of the error that it must raise."""
        raise NotImplementedError

    def endless(self, *, is_streamed: bool) -> Given[tuple[Provider, asyncio.Event, asyncio.Event]]:
        """Give a provider whose answer does not end, an event for its beginning, and one for upstream's release."""
        raise NotImplementedError

    def request(self) -> ModelRequest:
        """Build a request for a few words."""
        return request(model=self.model, parameters=self.parameters)

    @pytest.mark.contract("S0-10", "S0-29")
    async def test_call_gives_the_answer_and_why_it_ended(self) -> None:
        async with self.ready() as provider:
            answer = await provider.call(self.request(), listener=None)

            assert answer.text
            assert answer.finish_reason in {"stop", "length"}
            assert answer.request_id
            assert answer.model == self.model
            assert answer.first_token_ms is None

    @pytest.mark.contract("S0-11", "S0-29", "S4-12")
    @pytest.mark.parametrize("is_streamed", [False, True])
    async def test_usage_is_counted(self, is_streamed: bool) -> None:
        async with self.ready() as provider:
            answer = await provider.call(self.request(), listener=Heard() if is_streamed else None)

            assert answer.usage.input_tokens
            assert answer.usage.output_tokens
            assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens

    @pytest.mark.contract("S0-12", "S0-30")
    async def test_stream_tells_the_same_answer_in_pieces(self) -> None:
        async with self.ready() as provider:
            heard = Heard()
            streamed = await provider.call(self.request(), listener=heard)
            whole = await provider.call(self.request(), listener=None)

            assert "".join(heard.texts) == streamed.text == whole.text
            assert streamed.finish_reason == whole.finish_reason
            assert streamed.usage.output_tokens == whole.usage.output_tokens

    @pytest.mark.contract("S4-12")
    async def test_stream_says_when_its_first_token_came(self) -> None:
        async with self.ready() as provider:
            answer = await provider.call(self.request(), listener=Heard())

            assert answer.first_token_ms is not None
            assert 0 <= answer.first_token_ms < 60_000

    async def test_calls_side_by_side_do_not_mix(self) -> None:
        async with self.ready() as provider:
            heard = [Heard() for _ in range(4)]
            answers = await asyncio.gather(*(provider.call(self.request(), listener=each) for each in heard))

            assert ["".join(each.texts) for each in heard] == [answer.text for answer in answers]

    async def test_failure_is_one_of_our_errors(self) -> None:
        async with self.failing() as (provider, code):
            with pytest.raises(ProviderError) as caught:
                await provider.call(self.request(), listener=None)

            assert caught.value.code == code

    @pytest.mark.parametrize("is_streamed", [False, True])
    async def test_cancelled_call_is_given_up_upstream(self, is_streamed: bool) -> None:
        async with self.endless(is_streamed=is_streamed) as (provider, begun, released):
            long = request(model=self.model, parameters={"max_tokens": 1_500, "seed": 1})
            task = asyncio.create_task(provider.call(long, listener=Heard() if is_streamed else None))
            await asyncio.wait_for(begun.wait(), WITHIN_S)

            task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait_for(task, WITHIN_S)
            assert await asyncio.wait_for(released.wait(), WITHIN_S)

    async def test_error_of_the_listener_ends_the_call(self) -> None:
        async def refuse(_text: str) -> None:
            raise LookupError

        async with self.ready() as provider:
            with pytest.raises(LookupError):
                await provider.call(self.request(), listener=refuse)

    async def test_models_are_listed(self) -> None:
        async with self.ready() as provider:
            assert await provider.models()
