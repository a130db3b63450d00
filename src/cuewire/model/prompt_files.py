"""Prompt files: a version as a team keeps it beside its code, in a file per prompt."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from cuewire.model.prompts import MessageTemplate
from cuewire.model.values import Value


class PromptFile(Value, frozen=True):
    """What a file says of a version, as `publish` takes it."""

    prompt: str
    messages: tuple[MessageTemplate, ...]
    model: str | None = None
    output: str | list[str] | dict[str, Any] | None = None
    parameters: dict[str, Any] = {}
    variables: dict[str, dict[str, Any]] = {}
    note: str = ""


Change: TypeAlias = Literal["new", "changed", "unchanged"]


class FileChange(Value, frozen=True):
    """What became of one prompt: `number` is that of the version now, 0 if nothing was stored."""

    prompt: str
    change: Change
    number: int
