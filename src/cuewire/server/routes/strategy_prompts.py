"""The prompts of one strategy over HTTP: list them, with the global ones that stand in, create, change, archive."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from msgspec.structs import replace

from cuewire.engine.app import LocalApp
from cuewire.model.errors import PromptNotFound
from cuewire.model.prompts import Home, Prompt
from cuewire.model.scopes import Scope
from cuewire.server.documented import documented
from cuewire.server.replies import as_json, exchange_of, plain
from cuewire.server.routes.prompts import REVISION, PromptRoutes
from cuewire.wire.prompts import NewPromptRequest, PromptPage, PromptShape, PublishedShape, UpdateRequest
from cuewire.wire.queries import LanguageQuery, StrategyPromptQuery
from cuewire.wire.strict_json import decode


class StrategyPromptRoutes:
    """What is answered of the prompts of a strategy."""

    def __init__(self, app: LocalApp, prompts: PromptRoutes) -> None:
        self._app = app
        self._prompts = prompts
        self.router = router = APIRouter(prefix="/api/v1/strategies/{name}/prompts", tags=["scopes"])
        router.add_api_route(
            "",
            self.list,
            methods=["GET"],
            **documented("prompts:read", "List the prompts of a strategy, and the global ones", reply=PromptPage),
        )
        router.add_api_route(
            "",
            self.create,
            methods=["POST"],
            **documented(
                "prompts:write",
                "Create a prompt of a strategy",
                body=NewPromptRequest,
                reply=PublishedShape,
                status=201,
            ),
        )
        router.add_api_route(
            "/{prompt}",
            self.update,
            methods=["PUT"],
            **documented(
                "prompts:write",
                "Change a prompt of a strategy",
                body=UpdateRequest,
                reply=PublishedShape,
                headers=REVISION,
            ),
        )
        router.add_api_route(
            "/{prompt}",
            self.archive,
            methods=["DELETE"],
            **documented("prompts:publish", "Archive a prompt of a strategy", reply=PromptShape, headers=REVISION),
        )

    async def list(self, request: Request, name: str, query: Annotated[StrategyPromptQuery, Query()]) -> Response:
        """List the prompts of a strategy, with the global ones unless `with_global` is false: `strategy` tells them."""
        strategy = await self._strategy(request, name)
        wanted = replace(query.wanted(), strategy=str(strategy.id), with_global=query.with_global)
        number, size = query.place()
        prompts = self._app.prompts.by(exchange_of(request).actor)
        page = await prompts.list(limit=size, after=query.after, page=number, wanted=wanted)
        return as_json(PromptPage.of(page, number=number, size=size))

    async def create(self, request: Request, name: str) -> Response:
        """Store a new prompt of the strategy. There must be none of the name and language in it."""
        strategy = await self._strategy(request, name)
        asked = decode(await exchange_of(request).body(), NewPromptRequest)
        return await self._prompts.create_in(request, asked, _home(strategy, asked.language))

    async def update(
        self, request: Request, name: str, prompt: str, query: Annotated[LanguageQuery, Query()]
    ) -> Response:
        """Store a new version if there is content, and change what is said of a prompt that the strategy has."""
        found = await self._own(request, name, prompt, query.language)
        return await self._prompts.update_in(request, str(found.id), {})

    async def archive(
        self, request: Request, name: str, prompt: str, query: Annotated[LanguageQuery, Query()]
    ) -> Response:
        """Archive a prompt that the strategy has; global ones and those of others are not there."""
        found = await self._own(request, name, prompt, query.language)
        return await self._prompts.archive_in(request, str(found.id), {})

    async def _own(self, request: Request, name: str, prompt: str, language: str | None) -> Prompt:
        strategy = await self._strategy(request, name)
        prompts = self._app.prompts.by(exchange_of(request).actor)
        found = await prompts.find(plain(prompt), **_home(strategy, language))
        if found.strategy != strategy.name:
            raise PromptNotFound(
                f"strategy {strategy.name!r} has no prompt {plain(prompt)[:128]!r} of its own",
                field="/prompt",
                hint="what is global is changed at /api/v1/prompts",
            )
        return found

    async def _strategy(self, request: Request, name: str) -> Scope:
        return await self._app.strategies.by(exchange_of(request).actor).get(plain(name))


def _home(strategy: Scope, language: str | None) -> Home:
    return {"strategy": str(strategy.id), "language": language}
