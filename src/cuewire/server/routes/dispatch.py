"""`POST /api`: one entry that takes the name of an operation in the body, for programs that know but one address."""

from __future__ import annotations

import asyncio
from typing import assert_never

from fastapi import APIRouter, Request, Response

from cuewire.engine.app import LocalApp
from cuewire.model.errors import CuewireError
from cuewire.registry.access import authorize
from cuewire.server.clients import figures_of, run_for
from cuewire.server.documented import documented
from cuewire.server.exchange import Exchange
from cuewire.server.prompt_writer import NAME as WRITER
from cuewire.server.prompt_writer import PromptWriter
from cuewire.server.replies import REPLIED, as_json, exchange_of
from cuewire.server.routes.executions import ExecutionRoutes
from cuewire.server.running import Running
from cuewire.wire.dispatch import (
    CheckOpenRouterConnection,
    ConnectionShape,
    Dispatched,
    ExecuteMultiModelPrompt,
    ExecutePrompt,
    Fault,
    GeneratedPrompt,
    GeneratePrompt,
    GetAvailableModels,
    GetExecution,
    Health,
    ModelsShape,
    read_dispatched,
)
from cuewire.wire.executions import ExecutionDetailShape, ResultShape
from cuewire.wire.problems import problem_of


class DispatchRoute:
    """Sends a body on to the route that it names; what comes back is what that route replies.

    Each operation asks for the same action as its route; those without one ask for `run`, but `health` for nothing.
    """

    def __init__(self, app: LocalApp, executions: ExecutionRoutes, running: Running) -> None:
        self._providers = app.providers
        self._writer = PromptWriter(app)
        self._executions = executions
        self._running = running
        self.router = APIRouter(tags=["server"])
        self.router.add_api_route(
            "/api",
            self.dispatch,
            methods=["POST"],
            **documented(
                "dispatch",
                "Run the operation that the body names",
                body=Dispatched,
                reply=(
                    ResultShape,
                    ExecutionDetailShape,
                    ModelsShape,
                    ConnectionShape,
                    GeneratedPrompt,
                    dict[str, str],
                ),
                streams=True,
            ),
        )

    async def dispatch(self, request: Request) -> Response:
        """Take `{"endpoint": "execute_prompt", ...}` where the rest is the body of that operation."""
        exchange = exchange_of(request)
        asked = read_dispatched(await exchange.body())
        match asked:
            case ExecutePrompt() | ExecuteMultiModelPrompt():
                await self._executions.run_asked(exchange, asked)
                return REPLIED
            case GetExecution():
                return await self._executions.get_asked(exchange, asked.id)
            case GetAvailableModels():
                authorize(exchange.actor, "run")
                return as_json(await self._models(asked.provider))
            case CheckOpenRouterConnection():
                authorize(exchange.actor, "run")
                return as_json(await self._connection("openrouter"))
            case GeneratePrompt():
                await self._generate(exchange, asked)
                return REPLIED
            case Health():
                return as_json({"status": "ok"})
            case _:
                assert_never(asked)

    async def _models(self, provider: str | None) -> ModelsShape:
        """Return the models of a provider, whose error is raised, or of all, whose faults are listed."""
        if provider is not None:
            return ModelsShape(models=await self._listed(provider))
        names = self._providers.ready()
        found = await asyncio.gather(*map(self._listed_or_fault, names))
        return ModelsShape(
            models=tuple(model for models in found if isinstance(models, tuple) for model in models),
            faults={name: fault for name, fault in zip(names, found, strict=True) if isinstance(fault, Fault)},
        )

    async def _connection(self, provider: str) -> ConnectionShape:
        found = await self._listed_or_fault(provider)
        if isinstance(found, Fault):
            return ConnectionShape(status="error", fault=found)
        return ConnectionShape(status="success", models=len(found))

    async def _listed_or_fault(self, provider: str) -> tuple[str, ...] | Fault:
        try:
            return await self._listed(provider)
        except CuewireError as error:
            problem = problem_of(error)
            return Fault(code=problem.code, detail=problem.detail, hint=problem.hint)

    async def _listed(self, provider: str) -> tuple[str, ...]:
        return tuple(f"{provider}/{model}" for model in await self._providers.get(provider).models())

    async def _generate(self, exchange: Exchange, asked: GeneratePrompt) -> None:
        authorize(exchange.actor, "run", WRITER)
        self._running.refuse_if_ending()
        key = exchange.header(b"idempotency-key")
        result = await run_for(
            exchange,
            self._running,
            lambda on_open: self._writer.run(asked, idempotency_key=key, on_open=on_open, by=exchange.actor),
        )
        if result is not None:
            written = await self._writer.read(result, for_=exchange.actor)
            await exchange.reply(written, headers=figures_of(exchange, result))
