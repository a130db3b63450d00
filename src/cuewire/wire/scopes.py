"""Strategies and configurations as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

from msgspec import UNSET, UnsetType

from cuewire.model.scopes import Scope, ScopeKind, ScopeOptions
from cuewire.model.text import check_json
from cuewire.wire.shapes import Instant, Request, Shape, read, shown
from cuewire.wire.strict_json import convert

R = TypeVar("R", bound="ScopeChange")


class ScopeChange(Request, frozen=True, kw_only=True):
    """`PUT /api/v1/strategies/{name}`, or a configuration: what is absent stays as it is.

    `parameters` take the place of those that it had. `parent` and `is_default` are for configurations.
    """

    description: str | UnsetType = UNSET
    parameters: dict[str, Any] | UnsetType = UNSET
    parent: str | None | UnsetType = UNSET
    is_default: bool | UnsetType = UNSET

    @classmethod
    def of(cls: type[R], options: Mapping[str, Any], **more: Any) -> R:
        """Return what `ScopesFace` was given as JSON. Raises InvalidInput for what JSON cannot hold."""
        plain = {**options, **more}
        check_json(plain, pointer="")
        return convert(plain, cls)

    def options(self) -> ScopeOptions:
        """Return what is said, by the keywords of `ScopesFace`."""
        given = {name: value for name in ScopeOptions.__annotations__ if (value := getattr(self, name)) is not UNSET}
        return cast(ScopeOptions, given)


class ScopeRequest(ScopeChange, frozen=True, kw_only=True):
    """`POST /api/v1/strategies`, or a configuration."""

    name: str


class ScopeShape(Shape, frozen=True):
    """A strategy or a configuration; `effective` are its own parameters over those of its parent."""

    id: int
    kind: ScopeKind
    name: str
    description: str
    parent: str | None
    parameters: dict[str, Any]
    effective: dict[str, Any]
    is_default: bool
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, scope: Scope) -> ScopeShape:
        """Return the scope as JSON."""
        return shown(scope, cls)

    def scope(self) -> Scope:
        """Return the scope that the JSON says."""
        return read(self, Scope)


class ScopeList(Shape, frozen=True):
    """All of a kind, by name."""

    items: tuple[ScopeShape, ...]

    @classmethod
    def of(cls, scopes: Sequence[Scope]) -> ScopeList:
        """Return the scopes as JSON."""
        return cls(items=tuple(map(ScopeShape.of, scopes)))

    def scopes(self) -> list[Scope]:
        """Return the scopes that the JSON says."""
        return [item.scope() for item in self.items]
