"""OpenAI's protocol: any of its clients runs stored prompts and models here, by its base URL alone.

Source: OpenAI API reference, chat completions, embeddings and models (November 2026).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request, Response

from cuewire.engine.app import LocalApp
from cuewire.model.errors import InvalidInput, ModelNotFound
from cuewire.model.orders import RunOptions
from cuewire.model.pages import MAX_PAGE
from cuewire.model.prompts import AD_HOC, EMBEDDINGS, Placeholder, Prompt
from cuewire.model.references import name_in
from cuewire.model.requests import PROMPT_PROVIDER
from cuewire.model.results import Piece, Result
from cuewire.registry.access import authorize
from cuewire.server.clients import figures_of, run_for, stream_to
from cuewire.server.documented import documented
from cuewire.server.exchange import Exchange
from cuewire.server.replies import REPLIED, exchange_of, plain
from cuewire.server.running import Running, StreamedExecution
from cuewire.wire.openai import (
    DONE,
    ChatOrder,
    ChunkWriter,
    completion,
    error_body,
    model_entry,
    model_list,
    prompt_of,
    read_chat,
)
from cuewire.wire.openai_embeddings import embedding_list, read_embedding
from cuewire.wire.streams import HEARTBEAT

_MAX_LISTED = 10_000


class OpenAIRoutes:
    """Chat completions, embeddings and models, over an App of this process."""

    def __init__(self, app: LocalApp, running: Running) -> None:
        self._app = app
        self._running = running
        self.router = router = APIRouter(prefix="/v1", tags=["openai"])
        router.add_api_route(
            "/chat/completions",
            self.complete_cold,
            methods=["POST"],
            **documented(
                "run",
                "Complete a chat, as OpenAI does",
                body=dict,
                reply=dict,
                streams=True,
                error_type="application/json",
            ),
        )
        router.add_api_route(
            "/embeddings",
            self.embed,
            methods=["POST"],
            **documented(
                "run", "Turn texts into vectors, as OpenAI does", body=dict, reply=dict, error_type="application/json"
            ),
        )
        router.add_api_route(
            "/models",
            self.models,
            methods=["GET"],
            **documented("prompts:read", "List stored prompts as models", reply=dict, error_type="application/json"),
        )
        router.add_api_route(
            "/models/{name:path}",
            self.model,
            methods=["GET"],
            **documented(
                "prompts:read", "Look a stored prompt up as a model", reply=dict, error_type="application/json"
            ),
        )

    async def complete(self, exchange: Exchange) -> None:
        """Complete a chat: a hot route."""
        exchange.route = "chat"
        authorize(exchange.actor, "run")
        order = read_chat(await exchange.body())
        authorize(exchange.actor, "run", name_in(order.prompt))
        self._running.refuse_if_ending()
        if order.prompt == AD_HOC:
            await self._app.prompts.provide(AD_HOC, [Placeholder(input="messages")])
        await (self._stream if order.is_streamed else self._run)(exchange, order)

    async def complete_cold(self, request: Request) -> Response:
        """Complete a chat; with `stream` as server-sent events."""
        await self.complete(exchange_of(request))
        return REPLIED

    async def embed(self, request: Request) -> Response:
        """Turn texts into vectors; the record holds the texts, not the vectors."""
        exchange = exchange_of(request)
        order = read_embedding(await exchange.body())
        authorize(exchange.actor, "run", EMBEDDINGS)
        self._running.refuse_if_ending()
        embedded = await run_for(
            exchange,
            self._running,
            lambda on_open: self._app.embed(
                order.inputs,
                model=order.model,
                parameters=order.parameters,
                metadata=order.metadata,
                on_open=on_open,
                by=exchange.actor,
            ),
        )
        if embedded is not None:
            body = embedding_list(embedded, model=order.model, in_base64=order.in_base64)
            await exchange.reply(body, headers=figures_of(exchange, embedded.result))
        return REPLIED

    async def models(self, request: Request) -> Response:
        """List the stored prompts under the names by which they run here as models."""
        seen = self._app.prompts.by(exchange_of(request).actor)
        prompts: list[Prompt] = []
        after: str | None = None
        while len(prompts) < _MAX_LISTED:
            page = await seen.list(limit=MAX_PAGE, after=after)
            prompts.extend(page.items)
            if (after := page.next) is None:
                break
        return Response(model_list(prompts), media_type="application/json")

    async def model(self, request: Request, name: str) -> Response:
        """Return a stored prompt as a model; a slash in its name is as good as %2F, for clients differ."""
        model = plain(name)
        if not (reference := prompt_of(model)):
            raise ModelNotFound(
                f"{model[:80]!r} is no stored prompt", hint=f"{PROMPT_PROVIDER}/NAME@LABEL is looked up"
            )
        version = await self._app.prompts.by(exchange_of(request).actor).get(reference)
        return Response(model_entry(version, name=model), media_type="application/json")

    async def _run(self, exchange: Exchange, order: ChatOrder) -> None:
        key, by = exchange.header(b"idempotency-key"), exchange.actor
        options: list[RunOptions] = [
            {**order.options, "idempotency_key": f"{key}.{number}" if key and number else key}
            for number in range(order.choices)
        ]
        results = await run_for(
            exchange,
            self._running,
            lambda on_open: _all_of(
                [self._app.run(order.prompt, order.inputs, on_open=on_open, by=by, **each) for each in options]
            ),
        )
        if results is not None:
            body = completion(results, model=order.model, created=_now(exchange))
            await exchange.reply(body, headers=figures_of(exchange, *results))

    async def _stream(self, exchange: Exchange, order: ChatOrder) -> None:
        if order.choices > 1:
            raise InvalidInput("a stream has one choice", field="/n")
        options: RunOptions = {**order.options, "idempotency_key": exchange.header(b"idempotency-key")}
        stream = self._app.stream(order.prompt, order.inputs, by=exchange.actor, **options)
        execution_id = await stream.id()
        streamed = StreamedExecution(stream, linger_s=0.0)
        self._running.add(execution_id, streamed.task, streamed=streamed)
        writer = ChunkWriter(name=execution_id, model=order.model, created=_now(exchange))
        events = _events(streamed, writer, with_usage=order.with_usage, request_id=exchange.request_id)
        await stream_to(exchange, streamed, events, execution_id)


async def _events(
    streamed: StreamedExecution, writer: ChunkWriter, *, with_usage: bool, request_id: str
) -> AsyncGenerator[bytes]:
    yield writer.role()
    async with aclosing(streamed.parts()) as parts:
        async for part in parts:
            if part is None:
                yield HEARTBEAT
            elif isinstance(part, Piece):
                yield writer.text(part.text)
            elif isinstance(part, Result):
                for event in writer.end(part, with_usage=with_usage):
                    yield event
            else:
                yield b"data: %b\n\n%b" % (error_body(part, request_id=request_id)[1], DONE)


async def _all_of(runs: Sequence[Coroutine[Any, Any, Result]]) -> list[Result]:
    """Return all results, or raise the first error once the others have ended too."""
    if len(runs) == 1:
        return [await runs[0]]
    tasks = [asyncio.ensure_future(run) for run in runs]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def _now(exchange: Exchange) -> int:
    return int(exchange.clock.now().timestamp())
