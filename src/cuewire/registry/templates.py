"""Templates before they are published: looked through, previewed, and the catalogue that their authors write from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Unpack

from cuewire.model.actors import Actor
from cuewire.model.analyses import Analysis, Preview
from cuewire.model.errors import TemplateTypeNotFound
from cuewire.model.prompts import Content, Home, Inputs
from cuewire.model.references import check_name
from cuewire.model.template_types import TemplateType, Word
from cuewire.ports import Renderer
from cuewire.registry.access import authorize
from cuewire.registry.analyses import analyse
from cuewire.registry.details import checked_home
from cuewire.registry.previews import of_version, preview, previewable
from cuewire.registry.prompts import Registry
from cuewire.registry.scopes import TemplateTypes

_NONE: Mapping[str, Any] = {}


class Templates:
    """Implements `TemplatesFace` over the registry, for one actor. `words` gives the words of the language."""

    def __init__(
        self,
        prompts: Registry,
        types: TemplateTypes,
        *,
        renderer: Renderer,
        words: Callable[[], Sequence[Word]],
        actor: Actor,
    ) -> None:
        self._prompts = prompts
        self._types = types
        self._renderer = renderer
        self._words = words
        self._actor = actor

    def by(self, actor: Actor) -> Templates:
        """Return the templates as another actor may use them."""
        return Templates(
            self._prompts.by(actor), self._types.by(actor), renderer=self._renderer, words=self._words, actor=actor
        )

    async def analyse(
        self,
        content: Content,
        *,
        name: str = "",
        variables: Mapping[str, Mapping[str, Any]] = _NONE,
        template_type: str | None = None,
        **home: Unpack[Home],
    ) -> Analysis:
        """Return all that is wrong with content, and what its author should know; see `TemplatesFace.analyse`."""
        authorize(self._actor, "prompts:read")
        return await analyse(
            content,
            renderer=self._renderer,
            find=self._prompts.near(checked_home(home)),
            name=check_name(name, field="/name") if name else "",
            variables=variables,
            template_type=await self._type(template_type),
        )

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
        """Return how content looks with some inputs; see `TemplatesFace.preview`."""
        authorize(self._actor, "prompts:read")
        shown = await previewable(
            content,
            renderer=self._renderer,
            find=self._prompts.near(checked_home(home)),
            variables=variables,
            lenient=lenient,
        )
        kind = await self._type(template_type)
        return await preview(
            shown, inputs, renderer=self._renderer, strict=strict, examples=examples, template_type=kind
        )

    async def preview_version(
        self,
        reference: str,
        inputs: Inputs | None = None,
        *,
        strict: bool = False,
        examples: bool = False,
        **home: Unpack[Home],
    ) -> Preview:
        """Return how a version looks with some inputs; see `TemplatesFace.preview_version`."""
        version = await self._prompts.get(reference, **home)
        kind = None
        if examples:
            kind = await self._known_type((await self._prompts.find(str(version.prompt_id))).template_type)
        shown = of_version(version)
        return await preview(
            shown, inputs, renderer=self._renderer, strict=strict, examples=examples, template_type=kind
        )

    async def types(self) -> Sequence[TemplateType]:
        """Return all types of templates by name."""
        return await self._types.list()

    async def set_type(self, kind: TemplateType) -> TemplateType:
        """Add a type, or say anew what one is. Raises InvalidInput, Forbidden."""
        return await self._types.put(kind)

    async def words(self) -> Sequence[Word]:
        """Return all filters, functions and tests that templates can use."""
        authorize(self._actor, "prompts:read")
        return self._words()

    async def _type(self, name: str | None) -> TemplateType | None:
        return None if name is None else await self._types.get(name)

    async def _known_type(self, name: str) -> TemplateType | None:
        try:
            return await self._types.get(name)
        except TemplateTypeNotFound:
            return None
