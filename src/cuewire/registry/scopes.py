"""Strategies and configurations as their users see them, and the types of templates."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from typing import Any, Unpack

import msgspec

from cuewire.model.actors import Actor
from cuewire.model.errors import InvalidInput, TemplateTypeNotFound
from cuewire.model.references import check_name, check_new_name
from cuewire.model.scopes import Scope, ScopeKind, ScopeOptions
from cuewire.model.template_types import CatalogueVariable, TemplateType
from cuewire.model.text import check_object
from cuewire.ports import ScopeStore, TemplateTypeStore
from cuewire.registry.access import authorize
from cuewire.registry.contents import is_input_name
from cuewire.registry.details import MAX_DESCRIPTION
from cuewire.registry.resolver import Resolver
from cuewire.registry.schemas import compiled

MAX_VARIABLES = 200


class Scopes:
    """Implements `ScopesFace` for one kind, and one actor."""

    def __init__(self, kind: ScopeKind, store: ScopeStore, *, resolver: Resolver, actor: Actor) -> None:
        self._kind = kind
        self._store = store
        self._resolver = resolver
        self._actor = actor

    def by(self, actor: Actor) -> Scopes:
        """Return the scopes as another actor may use them."""
        return Scopes(self._kind, self._store, resolver=self._resolver, actor=actor)

    async def list(self) -> builtins.list[Scope]:
        """Return all by name."""
        authorize(self._actor, "prompts:read")
        return [*await self._store.list(self._kind)]

    async def get(self, name: str) -> Scope:
        """Return one by its name, or its id as digits. Raises ScopeNotFound."""
        authorize(self._actor, "prompts:read")
        return await self._store.get(self._kind, check_name(name, field=f"/{self._kind}"))

    async def add(self, name: str, **options: Unpack[ScopeOptions]) -> Scope:
        """Make one. Raises InvalidInput, ScopeExists."""
        return await self._put(check_new_name(name), options, is_new=True)

    async def edit(self, name: str, **options: Unpack[ScopeOptions]) -> Scope:
        """Change what is given. Raises InvalidInput, ScopeNotFound."""
        return await self._put(check_name(name, field=f"/{self._kind}"), options, is_new=False)

    async def remove(self, name: str) -> None:
        """Remove one that nothing refers to. Raises ScopeNotFound, StillInUse."""
        authorize(self._actor, "scopes:write")
        await self._store.remove(self._kind, check_name(name, field=f"/{self._kind}"), by=self._actor.name)
        self._resolver.forget()

    async def _put(self, name: str, options: ScopeOptions, *, is_new: bool) -> Scope:
        authorize(self._actor, "scopes:write")
        changes: dict[str, Any] = {**options}
        if len(changes.get("description", "")) > MAX_DESCRIPTION:
            raise InvalidInput(f"description is longer than {MAX_DESCRIPTION:,} characters", field="/description")
        if "parameters" in changes:
            changes["parameters"] = check_object(changes["parameters"], pointer="/parameters")
        if self._kind == "strategy" and changes.keys() & {"parent", "is_default"}:
            raise InvalidInput("a strategy has no parent and is no default", field="/parent")
        if (parent := changes.get("parent")) is not None:
            check_name(parent, field="/parent")
        made = await self._store.put(self._kind, name, changes, is_new=is_new, by=self._actor.name)
        self._resolver.forget()
        return made


class TemplateTypes:
    """The types of templates: those that we bring, and those of the team, which win."""

    def __init__(self, store: TemplateTypeStore, brought: Mapping[str, TemplateType], *, actor: Actor) -> None:
        self._store = store
        self._brought = brought
        self._actor = actor

    def by(self, actor: Actor) -> TemplateTypes:
        """Return the types as another actor may use them."""
        return TemplateTypes(self._store, self._brought, actor=actor)

    async def list(self) -> Sequence[TemplateType]:
        """Return all types by name."""
        authorize(self._actor, "prompts:read")
        own = {kind.name: kind for kind in await self._store.list()}
        return [kind for _, kind in sorted({**self._brought, **own}.items())]

    async def get(self, name: str) -> TemplateType:
        """Return one. Raises TemplateTypeNotFound."""
        found = {kind.name: kind for kind in await self.list()}
        if name not in found:
            raise TemplateTypeNotFound(
                f"there is no type of templates {name[:128]!r}",
                field="/template_type",
                hint=f"there are: {', '.join(found)[:300]}",
            )
        return found[name]

    async def put(self, kind: TemplateType) -> TemplateType:
        """Add a type, or say anew what one is. Raises InvalidInput."""
        authorize(self._actor, "types:write")
        check_new_name(kind.name)
        if len(kind.description) > MAX_DESCRIPTION:
            raise InvalidInput(f"description is longer than {MAX_DESCRIPTION:,} characters", field="/description")
        if len(kind.variables) > MAX_VARIABLES:
            raise InvalidInput(f"a type has at most {MAX_VARIABLES} variables", field="/variables")
        for index, variable in enumerate(kind.variables):
            _check_variable(variable, f"/variables/{index}")
        await self._store.put(kind, by=self._actor.name)
        return kind


def _check_variable(variable: CatalogueVariable, pointer: str) -> None:
    for name in (variable.name, *variable.aliases):
        if not is_input_name(name):
            raise InvalidInput(f"{name[:80]!r} is no name of a variable", field=f"{pointer}/name")
    validator = compiled(variable.json_schema, pointer=f"{pointer}/json_schema")
    if variable.example is not None:
        example = msgspec.to_builtins(variable.example)
        for fault in validator.iter_errors(example):
            raise InvalidInput(f"the example is wrong: {fault.message[:120]}", field=f"{pointer}/example")
