"""Templates before they are published, looked at by a server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from cuewire.model.analyses import Analysis, Preview
from cuewire.model.prompts import Content, Home, Inputs
from cuewire.model.references import check_name
from cuewire.model.template_types import TemplateType, Word
from cuewire.remote.server import Server, path_of
from cuewire.wire.templates import (
    AnalysisShape,
    PreviewShape,
    RenderRequest,
    TemplateTypeList,
    TemplateTypeRequest,
    TemplateTypeShape,
    ValidateRequest,
    WordList,
)

_NONE: Mapping[str, Any] = {}


class RemoteTemplates:
    """Implements `TemplatesFace` on a server."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def analyse(
        self,
        content: Content,
        *,
        name: str = "",
        variables: Mapping[str, Mapping[str, Any]] = _NONE,
        template_type: str | None = None,
        **home: Unpack[Home],
    ) -> Analysis:
        """Return all that is wrong with content, and what its author should know."""
        said = {"name": name, "variables": {**variables}, "template_type": template_type, **home}
        body = ValidateRequest.of(content, said)
        return (await self._server.send("POST", "/prompts/validate", body, AnalysisShape)).analysis()

    async def preview(
        self,
        content: Content,
        inputs: Inputs | None = None,
        *,
        variables: Mapping[str, Mapping[str, Any]] = _NONE,
        lenient: bool = False,
        strict: bool = False,
        examples: bool = False,
        template_type: str | None = None,
        **home: Unpack[Home],
    ) -> Preview:
        """Return how content looks with some inputs."""
        said = {
            "inputs": {**(inputs or {})},
            "variables": {**variables},
            "lenient": lenient,
            "strict": strict,
            "use_examples": examples,
            "template_type": template_type,
            **home,
        }
        return await self._rendered(RenderRequest.of(content, said))

    async def preview_version(
        self,
        reference: str,
        inputs: Inputs | None = None,
        *,
        strict: bool = False,
        examples: bool = False,
        **home: Unpack[Home],
    ) -> Preview:
        """Return how a version looks with some inputs."""
        said = {
            "prompt": reference,
            "inputs": {**(inputs or {})},
            "strict": strict,
            "use_examples": examples,
            **home,
        }
        return await self._rendered(RenderRequest.of(None, said))

    async def types(self) -> list[TemplateType]:
        """Return all types of templates by name."""
        return (await self._server.get("/prompts/types", TemplateTypeList)).kinds()

    async def set_type(self, kind: TemplateType) -> TemplateType:
        """Add a type, or say anew what one is."""
        path = path_of("prompts", "types", check_name(kind.name, field="/name"))
        return (await self._server.send("PUT", path, TemplateTypeRequest.of(kind), TemplateTypeShape)).kind()

    async def words(self) -> list[Word]:
        """Return all filters, functions and tests that templates can use."""
        return (await self._server.get("/prompts/filters", WordList)).words()

    async def _rendered(self, asked: RenderRequest) -> Preview:
        return (await self._server.send("POST", "/prompts/render", asked, PreviewShape)).preview()
