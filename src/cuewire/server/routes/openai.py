"""OpenAI's protocol: any of its clients runs stored prompts and models here, by its base URL alone.

Source: OpenAI API reference, chat completions and models (November 2026).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from cuewire.engine.app import LocalApp
from cuewire.model.errors import CuewireError, InvalidInput
from cuewire.model.orders import RunOptions
from cuewire.model.prompts import Placeholder, Prompt
from cuewire.model.results import Result
from cuewire.ports import Stream
from cuewire.server.documented import documented
from cuewire.server.exchange import Exchange
from cuewire.server.replies import REPLIED, exchange_of
from cuewire.server.running import Running
from cuewire.wire.openai import AD_HOC, DONE, ChatOrder, ChunkWriter, completion, error_body, model_list, read_chat
from cuewire.wire.problems import Refused
from cuewire.wire.streams import CONTENT_TYPE, HEARTBEAT, HEARTBEAT_S

_MAX_LISTED = 10_000


class OpenAIRoutes:
    """Chat completions and models, over an App of this process."""

    def __init__(self, app: LocalApp, running: Running) -> None:
        self._app = app
        self._running = running
        self._has_ad_hoc = False
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
            "/models",
            self.models,
            methods=["GET"],
            **documented("prompts:read", "List stored prompts as models", reply=dict, error_type="application/json"),
        )

    async def complete(self, exchange: Exchange) -> None:
        """Complete a chat: a hot route."""
        exchange.route = "chat"
        order = read_chat(await exchange.body())
        if self._running.is_ending:
            raise Refused("shutting_down", "the server ends", hint="ask again in a moment")
        if order.prompt == AD_HOC and not self._has_ad_hoc:
            await self._app.prompts.publish(AD_HOC, [Placeholder(input="messages")])
            self._has_ad_hoc = True
        reply = self._stream if order.is_streamed else self._run
        await _while_connected(exchange, reply(exchange, order))

    async def complete_cold(self, request: Request) -> Response:
        """Complete a chat; with `stream` as server-sent events."""
        await self.complete(exchange_of(request))
        return REPLIED

    async def models(self) -> Response:
        """List the stored prompts under the names by which they run here as models."""
        prompts: list[Prompt] = []
        after: str | None = None
        while len(prompts) < _MAX_LISTED:
            page = await self._app.prompts.list(after=after)
            prompts.extend(page.items)
            if (after := page.next) is None:
                break
        return Response(model_list(prompts), media_type="application/json")

    async def _run(self, exchange: Exchange, order: ChatOrder) -> None:
        key = exchange.header(b"idempotency-key")
        options: list[RunOptions] = [
            {**order.options, "idempotency_key": f"{key}.{number}" if key and number else key}
            for number in range(order.choices)
        ]
        results = await _all_of([self._run_one(order, each) for each in options])
        body = completion(results, model=order.model, created=_now(exchange))
        await exchange.reply(body, headers=[(b"x-cuewire-execution-id", results[0].id.encode())])

    async def _run_one(self, order: ChatOrder, options: RunOptions) -> Result:
        task = asyncio.current_task()
        assert task is not None, "it runs as one"
        return await self._app.run(
            order.prompt, order.inputs, on_open=lambda name: self._running.add(name, task), **options
        )

    async def _stream(self, exchange: Exchange, order: ChatOrder) -> None:
        if order.choices > 1:
            raise InvalidInput("a stream has one choice", field="/n")
        options: RunOptions = {**order.options, "idempotency_key": exchange.header(b"idempotency-key")}
        stream = self._app.stream(order.prompt, order.inputs, **options)
        execution_id = await stream.id()
        writer = ChunkWriter(name=execution_id, model=order.model, created=_now(exchange))
        execution = (b"x-cuewire-execution-id", execution_id.encode())
        await exchange.begin(200, content_type=CONTENT_TYPE.encode(), headers=[execution])
        try:
            async for event in _with_heartbeats(self._events(stream, writer, order)):
                await exchange.write(event)
        except CuewireError as error:
            _, body = error_body(error, request_id=exchange.request_id)
            await exchange.write(b"data: %b\n\n%b" % (body, DONE))
        finally:
            await stream.aclose()
        await exchange.write(b"", is_last=True)

    async def _events(self, stream: Stream, writer: ChunkWriter, order: ChatOrder) -> AsyncGenerator[bytes]:
        yield writer.role()
        async for piece in stream:
            yield writer.text(piece.text)
        for event in writer.end(await stream.result(), with_usage=order.with_usage):
            yield event


async def _while_connected(exchange: Exchange, reply: Coroutine[Any, Any, None]) -> None:
    """Reply, unless the client hangs up: what runs for it is cancelled then, and its record closed."""
    task, gone = asyncio.ensure_future(reply), asyncio.ensure_future(exchange.gone())
    try:
        await asyncio.wait([task, gone], return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            return
        if task.cancelled():
            raise Refused("cancelled", "the execution was cancelled")
        task.result()
    finally:
        gone.cancel()
        task.cancel()
        await asyncio.wait([task])


async def _all_of(runs: Sequence[Coroutine[Any, Any, Result]]) -> list[Result]:
    """Return all results, or raise the first error once the others have ended too."""
    tasks = [asyncio.ensure_future(run) for run in runs]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _with_heartbeats(events: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """Yield the events, and signs of life where there is none for long."""
    while True:
        step = asyncio.ensure_future(anext(events, None))
        try:
            while not (await asyncio.wait([step], timeout=HEARTBEAT_S))[0]:
                yield HEARTBEAT
        finally:
            step.cancel()
        event = step.result()
        if event is None:
            return
        yield event


def _now(exchange: Exchange) -> int:
    return int(exchange.clock.now().timestamp())
