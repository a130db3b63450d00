"""Vectors from the OpenAI-compatible provider: the contract of what embeds, and every fault of a server."""

from __future__ import annotations

import asyncio
import base64
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from cuewire.clock import SystemClock
from cuewire.model.errors import ModelNotServed, NetworkError, ProtocolError, ProviderError, RateLimited
from cuewire.model.secrets import Secret
from cuewire.model.usage import Usage
from cuewire.outbound.lazy import open_transport
from cuewire.outbound.transport import MAX_BODY
from cuewire.ports import Embedder
from cuewire.providers.openai_compatible import OpenAICompatible
from tests.contract.test_embedder import EmbedderContract, request
from tests.support.embedding_model import EmbeddingModel
from tests.support.model_server import Action, Close, Hang, ModelServer, Send, embeddings, head, plain

KEY = "sk-canary-4f9a8b7c6d5e4f3a2b1c"
ONE = array("f", [0.5, -0.25])
BYTES = base64.b64encode(ONE).decode()


@asynccontextmanager
async def provider_of(server: ModelServer) -> AsyncIterator[OpenAICompatible]:
    transport = open_transport(origins=[server.origin])
    key = Secret(KEY, origin=server.origin)
    yield OpenAICompatible("tiny", base_url=server.url, key=key, transport=transport, clock=SystemClock())
    await transport.close()


@asynccontextmanager
async def served(*script: Action) -> AsyncIterator[tuple[OpenAICompatible, ModelServer]]:
    async with ModelServer() as server, provider_of(server) as provider:
        server.script(list(script))
        yield provider, server


async def failure(body: object, *inputs: str, status: int = 200, **parameters: Any) -> ProviderError:
    """Return the error to which an answer leads."""
    async with served(*plain(body, status)) as (provider, _):
        with pytest.raises(ProviderError) as caught:
            await provider.embed(request(*(inputs or ("a",)), **parameters))
        return caught.value


class TestOpenAICompatible(EmbedderContract):
    """The contract, with a server that behaves."""

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[Embedder]:
        async with EmbeddingModel() as server, provider_of(server) as provider:
            yield provider

    @asynccontextmanager
    async def failing(self) -> AsyncIterator[tuple[Embedder, str]]:
        async with served(*plain({"error": {"code": "rate_limit_exceeded"}}, 429)) as (provider, _):
            yield provider, "rate_limited"

    @asynccontextmanager
    async def endless(self) -> AsyncIterator[tuple[Embedder, asyncio.Event, asyncio.Event]]:
        async with served(Hang()) as (provider, server):
            released = asyncio.Event()
            watch = asyncio.create_task(_first_hung_up(server, released))
            yield provider, server.arrived, released
            await watch


async def _first_hung_up(server: ModelServer, released: asyncio.Event) -> None:
    await server.arrived.wait()
    await server.received[0].hung_up.wait()
    released.set()


async def test_request_carries_key_texts_and_parameters() -> None:
    async with served(*plain(embeddings([1], [2]))) as (provider, server):
        await provider.embed(request("a", [7, 8], user="u-1", encoding_format="float"))

        received = server.received[0]
        assert (received.method, received.path) == ("POST", "/v1/embeddings")
        assert received.headers["authorization"] == f"Bearer {KEY}"
        assert received.headers["idempotency-key"] == "execution-1"
        assert received.json == {"model": "tiny-1", "input": ["a", [7, 8]], "user": "u-1", "encoding_format": "float"}


@pytest.mark.parametrize("vector", [BYTES, [0.5, -0.25]])
@pytest.mark.parametrize("asked", ["base64", "float"])
async def test_either_encoding_is_read_whichever_was_asked_for(vector: object, asked: str) -> None:
    async with served(*plain(embeddings(vector))) as (provider, _):
        embedded = await provider.embed(request("a", encoding_format=asked))

        assert embedded.vectors == (ONE,)


async def test_numbers_that_were_written_out_keep_all_their_digits() -> None:
    async with served(*plain(embeddings([0.1, -3]))) as (provider, _):
        embedded = await provider.embed(request("a"))

        assert embedded.vectors[0].tolist() == [0.1, -3.0]


async def test_vectors_come_in_the_order_of_the_inputs_whatever_the_order_of_the_answer() -> None:
    data = [{"index": 2, "embedding": [2]}, {"index": 0, "embedding": [0]}, {"index": 1, "embedding": [1]}]
    async with served(*plain(embeddings(data=data))) as (provider, _):
        embedded = await provider.embed(request("a", "b", "c"))

        assert [vector[0] for vector in embedded.vectors] == [0, 1, 2]


@pytest.mark.parametrize(
    ("reported", "usage", "cost_usd"),
    [
        ({"prompt_tokens": 5, "total_tokens": 9}, Usage(input_tokens=5, output_tokens=0), None),
        ({"total_tokens": 9}, Usage(input_tokens=9, output_tokens=0), None),
        ({"prompt_tokens": 5, "cost": 0.25}, Usage(input_tokens=5, output_tokens=0), 0.25),
        ({"prompt_tokens": "many"}, Usage(), None),
        ([], Usage(), None),
    ],
)
async def test_usage_is_what_was_reported(reported: object, usage: Usage, cost_usd: float | None) -> None:
    body = {**embeddings(BYTES), "usage": reported}
    async with served(*plain(body)) as (provider, _):
        embedded = await provider.embed(request("a"))

        assert (embedded.usage, embedded.cost_usd) == (usage, cost_usd)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (embeddings(), "0 vectors for 2 inputs"),
        (embeddings(BYTES), "1 vectors for 2 inputs"),
        (embeddings(BYTES, BYTES, BYTES), "3 vectors for 2 inputs"),
        (embeddings(data=[{"index": 1, "embedding": BYTES}] * 2), "which vector belongs to which input"),
        (embeddings(data=[{"index": at, "embedding": BYTES} for at in (1, 2)]), "which vector belongs to which input"),
        (embeddings([1, 2], [1]), "different lengths"),
        (embeddings([], []), "without numbers"),
        (embeddings([1, 1e39], [1, 2]), "not finite"),
        (embeddings(*[base64.b64encode(array("f", [1, float(no)])).decode() for no in ("nan", "inf")]), "not finite"),
        (embeddings(BYTES, "AAAA"), "not floats of 32 bits"),
        (embeddings(BYTES, "~~~~"), "not floats of 32 bits"),
        (embeddings([1, None], [1, 2]), "not a list of embeddings"),
        (embeddings([1, "2"], [1, 2]), "not a list of embeddings"),
        (embeddings(data={"embedding": BYTES}), "not a list of embeddings"),
        (b'{"data": [{"embedding": [1e999]}]}', "not a list of embeddings"),
        (b"<html>", "not a list of embeddings"),
        (b"[" * 100_000, "not a list of embeddings"),
        (b"", "not a list of embeddings"),
    ],
)
async def test_an_answer_that_is_not_whole_is_refused(body: object, what: str) -> None:
    error = await failure(body, "a", "b")

    assert isinstance(error, ProtocolError)
    assert what in error.message


async def test_an_answer_of_other_dimensions_is_refused() -> None:
    error = await failure(embeddings([1, 2, 3]), dimensions=2)

    assert isinstance(error, ProtocolError)
    assert "3 dimensions, and 2 were asked for" in error.message


async def test_the_servers_word_decides_the_kind_of_an_error_and_its_key_stays_secret() -> None:
    said = {"message": f"no such model; your key is {KEY}", "code": "model_not_found"}

    refused, reported = await failure({"error": said}, status=404), await failure({"error": said})

    assert isinstance(refused, ModelNotServed)
    assert isinstance(reported, ModelNotServed)
    assert KEY not in refused.snippet + reported.snippet
    assert isinstance(await failure({"error": "slow"}, status=429), RateLimited)


async def test_an_answer_that_breaks_off_is_a_network_error() -> None:
    async with served(Send(head(length=1_000) + b'{"data": ['), Close()) as (provider, _):
        with pytest.raises(NetworkError):
            await provider.embed(request("a"))


async def test_an_answer_may_be_as_large_as_the_largest_request_makes_it() -> None:
    large = base64.b64encode(bytes(4 * 3_072)).decode()
    body = embeddings(*[large] * 2_048)
    async with served(*plain(body)) as (provider, server):
        embedded = await provider.embed(request(*["a"] * 2_048))

        assert (len(embedded.vectors), embedded.dimensions) == (2_048, 3_072)
        assert 2_048 * len(large) > MAX_BODY
        assert len(server.received) == 1
