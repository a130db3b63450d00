"""Prompt files: a version as a team keeps it beside its code, in a file per prompt."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from cuewire.model.prompts import MessageTemplate
from cuewire.model.references import DEFAULT_LANGUAGE
from cuewire.model.values import Value


class PromptFile(Value, frozen=True, rename={"template_type": "type"}):
    """What a file says of a version, as `publish` takes it, and of its prompt.

    What it leaves out of the prompt (description to strategy) stays as it is in the registry.
    """

    prompt: str
    messages: tuple[MessageTemplate, ...]
    description: str = ""
    template_type: str = ""
    category: str = ""
    tags: tuple[str, ...] = ()
    language: str = DEFAULT_LANGUAGE
    strategy: str | None = None
    model: str | None = None
    output: str | list[str] | dict[str, Any] | None = None
    parameters: dict[str, Any] = {}
    variables: dict[str, dict[str, Any]] = {}
    lenient: bool = False
    policy: dict[str, Any] = {}
    note: str = ""


Change: TypeAlias = Literal["new", "changed", "unchanged"]


class FileChange(Value, frozen=True, omit_defaults=True):
    """What became of one prompt: `number` is that of the version now, 0 if nothing was stored."""

    prompt: str
    change: Change
    number: int
    strategy: str | None = None
    language: str = DEFAULT_LANGUAGE

    @property
    def title(self) -> str:
        """The name of the prompt, with what tells it from others of the name."""
        others = [self.strategy] if self.strategy is not None else []
        others += [self.language] if self.language != DEFAULT_LANGUAGE else []
        return f"{self.prompt} ({', '.join(others)})" if others else self.prompt
