"""Templates over HTTP: validate and preview what is not published, and all that their authors write from."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from cuewire.engine.app import LocalApp
from cuewire.model.errors import TemplateError
from cuewire.registry.templates import Templates
from cuewire.server.documented import documented
from cuewire.server.replies import REPLIED, as_json, exchange_of, plain
from cuewire.wire.problems import CONTENT_TYPE, problem_of
from cuewire.wire.prompts import home_of
from cuewire.wire.strict_json import decode
from cuewire.wire.templates import (
    AnalysisShape,
    PreviewShape,
    PromptStatsShape,
    RenderRequest,
    TemplateTypeList,
    TemplateTypeRequest,
    TemplateTypeShape,
    ValidateRequest,
    WordList,
)


class TemplateRoutes:
    """What is answered of templates. These paths come before those that hold a prompt's name."""

    def __init__(self, app: LocalApp) -> None:
        self._app = app
        self.router = router = APIRouter(prefix="/api/v1/prompts", tags=["templates"])
        router.add_api_route(
            "/validate",
            self.validate,
            methods=["POST"],
            **documented(
                "prompts:read",
                "Say all that is wrong with a template, and what its author should know",
                body=ValidateRequest,
                reply=AnalysisShape,
            ),
        )
        router.add_api_route(
            "/render",
            self.render,
            methods=["POST"],
            **documented(
                "prompts:read", "Show how a template looks with inputs", body=RenderRequest, reply=PreviewShape
            ),
        )
        router.add_api_route(
            "/types",
            self.types,
            methods=["GET"],
            **documented("prompts:read", "List types of templates with their variables", reply=TemplateTypeList),
        )
        router.add_api_route(
            "/types/{name}",
            self.set_type,
            methods=["PUT"],
            **documented("types:write", "Say what a type is", body=TemplateTypeRequest, reply=TemplateTypeShape),
        )
        router.add_api_route(
            "/filters",
            self.words,
            methods=["GET"],
            **documented("prompts:read", "List the filters, functions and tests of templates", reply=WordList),
        )
        router.add_api_route(
            "/stats",
            self.stats,
            methods=["GET"],
            **documented("prompts:read", "Count prompts by type, language, status and scope", reply=PromptStatsShape),
        )

    async def validate(self, request: Request) -> Response:
        """Return everything that is wrong, with its place, and warnings; nothing is stored."""
        asked = decode(await exchange_of(request).body(), ValidateRequest)
        found = await self._templates(request).analyse(
            asked.said(),
            name=asked.name,
            variables=asked.variables,
            template_type=asked.template_type,
            **home_of(asked.strategy, asked.language),
        )
        is_compared = bool(asked.variables) or asked.template_type is not None
        return as_json(AnalysisShape.of(found, is_compared=is_compared))

    async def render(self, request: Request) -> Response:
        """Return the texts, with marks for what is missing, or strictly as a run sends them; nothing is run.

        An error of the template is 400 here, as its author meets it while writing.
        """
        exchange = exchange_of(request)
        asked = decode(await exchange.body(), RenderRequest)
        content, reference = asked.said()
        templates, home = self._templates(request), home_of(asked.strategy, asked.language)
        try:
            if content is None:
                shown = await templates.preview_version(
                    reference, asked.values(), strict=asked.strict, examples=asked.use_examples, **home
                )
            else:
                shown = await templates.preview(
                    content,
                    asked.values(),
                    variables=asked.variables,
                    lenient=asked.lenient,
                    strict=asked.strict,
                    examples=asked.use_examples,
                    template_type=asked.template_type,
                    **home,
                )
        except TemplateError as error:
            problem = problem_of(error, request_id=exchange.request_id, status=400)
            await exchange.reply(problem, status=400, content_type=CONTENT_TYPE.encode())
            return REPLIED
        return as_json(PreviewShape.of(shown))

    async def types(self, request: Request) -> Response:
        """Return all types, those that come with Cuewire and those of the team, with their variables."""
        return as_json(TemplateTypeList.of(await self._templates(request).types()))

    async def set_type(self, request: Request, name: str) -> Response:
        """Add a type, or say anew what one is."""
        asked = decode(await exchange_of(request).body(), TemplateTypeRequest)
        return as_json(TemplateTypeShape.of(await self._templates(request).set_type(asked.kind(plain(name)))))

    async def words(self, request: Request) -> Response:
        """Return all that templates can use, each with an example and what it gives."""
        return as_json(WordList.of(await self._templates(request).words()))

    async def stats(self, request: Request) -> Response:
        """Return how many prompts there are, of those that the caller sees."""
        return as_json(PromptStatsShape.of(await self._app.prompts.by(exchange_of(request).actor).stats()))

    def _templates(self, request: Request) -> Templates:
        return self._app.templates.by(exchange_of(request).actor)
