"""What every provider must do that turns texts into vectors."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager as Given
from contextlib import suppress
from math import isfinite
from typing import Any

import pytest

from cuewire.model.embeddings import EmbeddingRequest
from cuewire.model.errors import ProviderError
from cuewire.ports import Embedder
from tests.contract.test_provider import WITHIN_S

TEXTS = ("It crashes on save", "It crashes on save", "Dark mode, please")


def request(*inputs: Any, model: str = "tiny-1", **parameters: Any) -> EmbeddingRequest:
    """Build a request, for three texts of which two are alike unless told otherwise."""
    return EmbeddingRequest(model=model, inputs=inputs or TEXTS, parameters=parameters, idempotency_key="execution-1")


class EmbedderContract:
    """Vectors, usage, errors and cancellation."""

    model = "tiny-1"
    dimensions = 7
    """A length that can be asked for."""

    def request(self, *inputs: Any, **parameters: Any) -> EmbeddingRequest:
        """Build a request for the model under test."""
        return request(*inputs, model=self.model, **parameters)

    def ready(self) -> Given[Embedder]:
        """Give one that embeds anything."""
        raise NotImplementedError

    def failing(self) -> Given[tuple[Embedder, str]]:
        """Give one that fails, and the code of the error that it must raise."""
        raise NotImplementedError

    def endless(self) -> Given[tuple[Embedder, asyncio.Event, asyncio.Event]]:
        """Give one that never answers, an event for the call's arrival, and one for upstream's release."""
        raise NotImplementedError

    @pytest.mark.parametrize("encoding", [None, "float", "base64"])
    async def test_every_input_has_its_vector_in_order(self, encoding: str | None) -> None:
        async with self.ready() as embedder:
            embeddings = await embedder.embed(self.request(**{"encoding_format": encoding} if encoding else {}))

            first, second, third = embeddings.vectors
            assert first == second != third
            assert {len(vector) for vector in embeddings.vectors} == {embeddings.dimensions}
            assert all(isfinite(number) for vector in embeddings.vectors for number in vector)
            assert embeddings.model == self.model
            assert embeddings.request_id

    async def test_vectors_are_of_the_dimensions_asked_for(self) -> None:
        async with self.ready() as embedder:
            assert (await embedder.embed(self.request(dimensions=self.dimensions))).dimensions == self.dimensions

    async def test_tokens_are_an_input_too(self) -> None:
        async with self.ready() as embedder:
            embeddings = await embedder.embed(self.request([1, 2, 3], [4, 5]))

            assert len(embeddings.vectors) == 2
            assert embeddings.usage.input_tokens == 5

    async def test_usage_is_of_input_alone(self) -> None:
        async with self.ready() as embedder:
            usage = (await embedder.embed(self.request())).usage

            assert usage.input_tokens
            assert usage.output_tokens == 0

    async def test_calls_side_by_side_do_not_mix(self) -> None:
        async with self.ready() as embedder:
            texts = ["a", "b b", "c c c", "d d d d"]
            alone = [await embedder.embed(self.request(text)) for text in texts]
            together = await asyncio.gather(*(embedder.embed(self.request(text)) for text in texts))

            assert [each.vectors for each in together] == [each.vectors for each in alone]

    async def test_failure_is_one_of_our_errors(self) -> None:
        async with self.failing() as (embedder, code):
            with pytest.raises(ProviderError) as caught:
                await embedder.embed(self.request())

            assert caught.value.code == code

    async def test_cancelled_call_is_given_up_upstream(self) -> None:
        async with self.endless() as (embedder, begun, released):
            task = asyncio.create_task(embedder.embed(self.request()))
            await asyncio.wait_for(begun.wait(), WITHIN_S)

            task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait_for(task, WITHIN_S)
            assert await asyncio.wait_for(released.wait(), WITHIN_S)
