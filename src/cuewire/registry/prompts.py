"""The registry as its users see it: publish, get, list, label, archive."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Unpack

from cuewire.model.errors import InvalidInput, PromptNotFound
from cuewire.model.pages import MAX_PAGE, Page
from cuewire.model.prompts import (
    DEFAULT_LABEL,
    LATEST,
    Content,
    Prompt,
    PromptVersion,
    Variable,
    VersionOptions,
    check_label,
    check_name,
    parse_reference,
)
from cuewire.ports import PromptStore, Renderer
from cuewire.registry.drafts import find_variables, make_draft
from cuewire.registry.resolver import Resolver


class Registry:
    """Implements `PromptsFace` over a store."""

    def __init__(self, store: PromptStore, *, resolver: Resolver, renderer: Renderer) -> None:
        self._store = store
        self._resolver = resolver
        self._renderer = renderer
        self._provided: set[str] = set()

    async def provide(self, name: str, content: Content, **options: Unpack[VersionOptions]) -> None:
        """Publish a prompt of our own at its first use, unless somebody has published one of the name."""
        if name in self._provided:
            return
        try:
            await self.get(name)
        except PromptNotFound:
            await self.publish(name, content, **options)
        self._provided.add(name)

    async def publish(
        self,
        name: str,
        content: Content,
        *,
        labels: Sequence[str] = (),
        publish: bool = False,
        **options: Unpack[VersionOptions],
    ) -> PromptVersion:
        """Store a new immutable version; see `PromptsFace.publish`."""
        moved = [_free_label(label) for label in labels]
        if publish:
            moved.append(DEFAULT_LABEL)
        draft = await make_draft(name, content, renderer=self._renderer, **options)
        version = await self._store.publish(draft, labels=moved)
        self._resolver.forget()
        return version

    async def variables(self, content: Content) -> dict[str, Variable]:
        """Return the variables that a version of this content would have."""
        return await find_variables(content, renderer=self._renderer)

    async def get(self, reference: str) -> PromptVersion:
        """Return a version by `name`, `name@label` or `name@7`."""
        return await self._store.resolve(parse_reference(reference))

    async def list(self, *, limit: int = 100, after: str | None = None, archived: bool = False) -> Page[Prompt]:
        """Return prompts by name."""
        return await self._store.list(limit=check_limit(limit), after=after, archived=archived)

    async def versions(self, name: str) -> builtins.list[PromptVersion]:
        """Return all versions of a prompt, newest first."""
        return [*await self._store.versions(check_name(name))]

    async def label(self, name: str, label: str, number: int) -> PromptVersion:
        """Move a label to a version."""
        version = await self._store.label(check_name(name), _free_label(label), _check_number(number))
        self._resolver.forget()
        return version

    async def archive(self, name: str) -> Prompt:
        """Archive a prompt."""
        prompt = await self._store.archive(check_name(name))
        self._provided.discard(name)
        self._resolver.forget()
        return prompt


def _free_label(label: str) -> str:
    if check_label(label) == LATEST:
        raise InvalidInput("label 'latest' always names the newest version and cannot be moved", field="/label")
    return label


def _check_number(number: object) -> int:
    if isinstance(number, int) and not isinstance(number, bool) and 1 <= number < 2**31:
        return number
    raise InvalidInput(f"{str(number)[:40]!r} is not a version number", field="/number")


def check_limit(limit: object) -> int:
    """Return the limit of a page if it is usable, else raise InvalidInput."""
    if isinstance(limit, int) and not isinstance(limit, bool) and 1 <= limit <= MAX_PAGE:
        return limit
    raise InvalidInput(f"limit must be 1 to {MAX_PAGE}", field="/limit")
