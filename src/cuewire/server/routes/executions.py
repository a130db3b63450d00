"""Executions over HTTP: run (hot), stream, take up a stream again, look up, cancel, report what became of them."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from cuewire.engine.app import LocalApp
from cuewire.engine.executions import Executions
from cuewire.model.errors import InvalidInput, StillRunning
from cuewire.model.executions import FINAL, ExecutionDetail
from cuewire.model.failures import stored_error
from cuewire.model.references import name_in
from cuewire.registry.access import authorize
from cuewire.server.clients import execution_header, figures_of, run_for, stream_to
from cuewire.server.documented import documented
from cuewire.server.exchange import Exchange
from cuewire.server.replies import REPLIED, as_json, exchange_of
from cuewire.server.running import Running, StreamedExecution
from cuewire.wire.candidates import PlanShape
from cuewire.wire.executions import (
    MAX_LINGER_S,
    CancelledShape,
    ExecutionDetailShape,
    ExecutionPage,
    OutcomeList,
    OutcomeReport,
    ResultShape,
    RunRequest,
)
from cuewire.wire.problems import problem_of
from cuewire.wire.queries import ExecutionQuery
from cuewire.wire.streams import CONTENT_TYPE, PieceShape, written
from cuewire.wire.strict_json import decode

_STREAM = CONTENT_TYPE.encode()
_OFFSET = re.compile(r"\d{1,12}")


class ExecutionRoutes:
    """What is answered of executions, over an App of this process."""

    def __init__(self, app: LocalApp, running: Running) -> None:
        self._app = app
        self._running = running
        self.router = router = APIRouter(prefix="/api/v1/executions", tags=["executions"])
        router.add_api_route(
            "",
            self.run_cold,
            methods=["POST"],
            **documented(
                "run", "Run a prompt", body=RunRequest, reply=ResultShape, headers=["Idempotency-Key"], streams=True
            ),
        )
        router.add_api_route(
            "",
            self.list,
            methods=["GET"],
            **documented("executions:read", "List executions, newest first", reply=ExecutionPage),
        )
        router.add_api_route(
            "/plan",
            self.plan,
            methods=["POST"],
            **documented("run", "Tell what a run may lead to", body=RunRequest, reply=PlanShape),
        )
        router.add_api_route(
            "/{execution_id}",
            self.get,
            methods=["GET"],
            **documented("executions:read", "Look up one execution", reply=ExecutionDetailShape),
        )
        router.add_api_route(
            "/{execution_id}/stream",
            self.resume,
            methods=["GET"],
            **documented(
                "executions:body", "Take up a stream again", reply=ResultShape, headers=["Last-Event-ID"], streams=True
            ),
        )
        router.add_api_route(
            "/{execution_id}/cancel",
            self.cancel,
            methods=["POST"],
            **documented("run", "Cancel an execution", reply=CancelledShape),
        )
        router.add_api_route(
            "/{execution_id}/outcomes",
            self.report,
            methods=["POST"],
            **documented("outcomes:write", "Report what became of it", body=OutcomeReport, reply=OutcomeList),
        )
        router.add_api_route(
            "/{execution_id}/outcomes",
            self.outcomes,
            methods=["GET"],
            **documented("executions:read", "List what was reported of it", reply=OutcomeList),
        )

    async def run(self, exchange: Exchange) -> None:
        """Run a prompt: the hot route."""
        exchange.route = "run"
        authorize(exchange.actor, "run")
        await self.run_asked(exchange, decode(await exchange.body(), RunRequest))

    async def run_asked(self, exchange: Exchange, asked: RunRequest) -> None:
        """Run what is asked for, and reply."""
        if not 0 <= asked.linger_s <= MAX_LINGER_S:
            raise InvalidInput(f"linger_s must be 0 to {MAX_LINGER_S:g}", field="/linger_s")
        authorize(exchange.actor, "run", name_in(asked.prompt))
        self._running.refuse_if_ending()
        if asked.stream:
            await self._stream(exchange, asked)
        else:
            await self._run(exchange, asked)

    async def run_cold(self, request: Request) -> Response:
        """Run a prompt, and reply when its record is durable; with `stream` as server-sent events."""
        await self.run(exchange_of(request))
        return REPLIED

    async def plan(self, request: Request) -> Response:
        """Return the candidates that a run would ask for, and bounds on calls and cost; nothing is called."""
        exchange = exchange_of(request)
        asked = decode(await exchange.body(), RunRequest)
        authorize(exchange.actor, "run", name_in(asked.prompt))
        return as_json(PlanShape.of(await self._app.plan(asked.prompt, asked.inputs, **asked.options(None))))

    async def list(self, request: Request, query: Annotated[ExecutionQuery, Query()]) -> Response:
        """List executions, newest first."""
        page = await self._seen(exchange_of(request)).list(
            limit=query.limit, after=query.after, prompt=query.prompt, status=query.status
        )
        return as_json(ExecutionPage.of(page))

    async def get(self, request: Request, execution_id: str) -> Response:
        """Return one execution with all that was stored of it; without bodies to who may not see them."""
        return await self.get_asked(exchange_of(request), execution_id)

    async def get_asked(self, exchange: Exchange, execution_id: str) -> Response:
        """Return the same."""
        execution, outcomes = await self._seen(exchange).with_outcomes(execution_id)
        return as_json(ExecutionDetailShape.of(execution, tuple(outcomes)))

    async def cancel(self, request: Request, execution_id: str) -> Response:
        """Cancel an execution; one that has ended stays as it is."""
        exchange = exchange_of(request)
        seen = self._seen(exchange)
        await seen.check_seen(execution_id)
        was_running = await self._running.cancel(execution_id)
        status = await seen.status(execution_id)
        if not was_running and status not in FINAL:
            raise StillRunning(f"execution {execution_id} runs in another process", hint="cancel it there")
        return as_json(CancelledShape(id=execution_id, status=status))

    async def report(self, request: Request, execution_id: str) -> Response:
        """Report what became of an execution; the reply is what was reported, as it is stored."""
        exchange = exchange_of(request)
        asked = decode(await exchange.body(), OutcomeReport)
        reported = await self._seen(exchange).report(execution_id, asked, at=exchange.clock.now())
        return as_json(OutcomeList.of(tuple(reported)))

    async def outcomes(self, request: Request, execution_id: str) -> Response:
        """Return what was reported of an execution."""
        found = await self._seen(exchange_of(request)).outcomes(execution_id)
        return as_json(OutcomeList.of(tuple(found)))

    async def resume(self, request: Request, execution_id: str) -> Response:
        """Send the rest of a stream, from the place that Last-Event-ID names."""
        exchange = exchange_of(request)
        given = exchange.header(b"last-event-id") or "0"
        if not _OFFSET.fullmatch(given):
            raise InvalidInput("Last-Event-ID must be a number of characters", field="/Last-Event-ID")
        seen = self._seen(exchange)
        await seen.check_seen(execution_id)
        streamed = self._running.streamed(execution_id)
        if streamed:
            await stream_to(exchange, streamed, streamed.events(after=int(given)), execution_id)
        else:
            await self._send_stored(exchange, await seen.answered(execution_id), after=int(given))
        return REPLIED

    async def _run(self, exchange: Exchange, asked: RunRequest) -> None:
        options, by = asked.options(exchange.header(b"idempotency-key")), exchange.actor
        result = await run_for(
            exchange,
            self._running,
            lambda on_open: self._app.run(asked.prompt, asked.inputs, on_open=on_open, by=by, **options),
        )
        if result is not None:
            await exchange.reply(ResultShape.of(result), headers=figures_of(exchange, result))

    async def _stream(self, exchange: Exchange, asked: RunRequest) -> None:
        options = asked.options(exchange.header(b"idempotency-key"))
        stream = self._app.stream(asked.prompt, asked.inputs, by=exchange.actor, **options)
        execution_id = await stream.id()
        streamed = StreamedExecution(stream, linger_s=asked.linger_s)
        self._running.add(execution_id, streamed.task, streamed=streamed)
        await stream_to(exchange, streamed, streamed.events(after=0), execution_id)

    async def _send_stored(self, exchange: Exchange, execution: ExecutionDetail, *, after: int) -> None:
        """Send the rest of a stream whose execution has ended, from its record."""
        if execution.status not in FINAL:
            raise StillRunning(f"execution {execution.id} does not stream here", hint="ask again later")
        text = execution.text or ""
        if after > len(text):
            raise InvalidInput(f"the answer has no {after} characters", field="/Last-Event-ID")
        await exchange.begin(200, content_type=_STREAM, headers=execution_header(execution.id))
        if len(text) > after:
            await exchange.write(written(PieceShape(text=text[after:], offset=after), at=len(text)))
        is_good = execution.status == "succeeded"
        end = ResultShape.of(execution.result()) if is_good else problem_of(stored_error(execution))
        await exchange.write(written(end, at=len(text)), is_last=True)

    def _seen(self, exchange: Exchange) -> Executions:
        return self._app.executions.by(exchange.actor)
