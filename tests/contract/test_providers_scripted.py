"""The scripted provider under the contracts of providers and of what embeds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cuewire.model.embeddings import EmbeddingRequest, Embeddings
from cuewire.model.errors import RateLimited
from cuewire.ports import Embedder, Provider
from cuewire.providers.scripted import Reply, Scripted
from tests.contract.test_embedder import EmbedderContract
from tests.contract.test_provider import ProviderContract


class TestScripted(ProviderContract):
    """The contract."""

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[Provider]:
        yield Scripted()

    @asynccontextmanager
    async def failing(self) -> AsyncIterator[tuple[Provider, str]]:
        yield Scripted([RateLimited("slow down")]), "rate_limited"

    @asynccontextmanager
    async def endless(self, *, is_streamed: bool) -> AsyncIterator[tuple[Provider, asyncio.Event, asyncio.Event]]:
        # There is nothing upstream: it begins, and is released, with the call itself.
        always = asyncio.Event()
        always.set()
        slow = Reply(text="Hello there", piece_delay_s=3_600) if is_streamed else Reply(delay_s=3_600)
        yield Scripted([slow]), always, always


class TestScriptedEmbedder(EmbedderContract):
    """The contract of what embeds."""

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[Embedder]:
        yield Scripted()

    @asynccontextmanager
    async def failing(self) -> AsyncIterator[tuple[Embedder, str]]:
        def refuse(_request: EmbeddingRequest) -> Embeddings:
            raise RateLimited("slow down")

        yield Scripted(embedding=refuse), "rate_limited"

    @asynccontextmanager
    async def endless(self) -> AsyncIterator[tuple[Embedder, asyncio.Event, asyncio.Event]]:
        always = asyncio.Event()
        always.set()
        yield Scripted(delay_s=3_600), always, always
