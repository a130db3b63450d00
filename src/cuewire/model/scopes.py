"""Scopes: what prompts and runs belong to. A strategy has prompts of its own, a configuration has parameters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, TypeAlias, TypedDict

from cuewire.model.values import Value

ScopeKind: TypeAlias = Literal["strategy", "configuration"]


class Scope(Value, frozen=True):
    """A strategy or a configuration.

    What a configuration does not say itself its `parent` says: `effective` are the parameters of both together.
    """

    id: int
    kind: ScopeKind
    name: str
    description: str
    parent: str | None
    parameters: dict[str, Any]
    is_default: bool
    created_at: datetime
    updated_at: datetime
    effective: dict[str, Any] = {}


class ScopeOptions(TypedDict, total=False):
    """What is said of a scope; `parent` and `is_default` are for configurations. What is absent stays as it is."""

    description: str
    parameters: Mapping[str, Any]
    parent: str | None
    is_default: bool
