"""Prompts as JSON: the request to publish, versions, labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from cuewire.model.pages import Page
from cuewire.model.prompts import Content, Message, Placeholder, Prompt, PromptVersion, Variable, VersionOptions
from cuewire.model.text import check_json
from cuewire.wire.shapes import Request, Shape, read, shown
from cuewire.wire.strict_json import convert


class ImageShape(Shape, frozen=True, tag="image"):
    """An image in a message: `input` names the input that gives its URL or data URI."""

    input: str


class MessageShape(Shape, frozen=True, tag="message"):
    """The template of one chat message."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | tuple[str | ImageShape, ...]


class PlaceholderShape(Shape, frozen=True, tag="messages"):
    """A place for a list of messages that the caller gives as the input `input`."""

    input: str


class VariableShape(Shape, frozen=True):
    """One input of a version; an empty schema takes any JSON value."""

    kind: Literal["value", "messages", "image"] = "value"
    json_schema: dict[str, Any] = {}
    required: bool = True
    default: Any = None


class TextOutputShape(Shape, frozen=True, tag="text"):
    """Any text."""


class ChoiceOutputShape(Shape, frozen=True, tag="choice"):
    """Exactly one of the listed texts."""

    choices: tuple[str, ...]


class NumberOutputShape(Shape, frozen=True, tag="number"):
    """One number."""


class BooleanOutputShape(Shape, frozen=True, tag="boolean"):
    """Yes or no."""


class JsonOutputShape(Shape, frozen=True, tag="json"):
    """A JSON value that satisfies the JSON Schema."""

    json_schema: dict[str, Any]


class PublishRequest(Request, frozen=True):
    """`PUT /api/v1/prompts/{name}`: a new version, and the labels that move to it.

    `content` is one template text, or messages as {"role", "content"} and placeholders as {"type": "messages",
    "input"}. `output` is the name of a kind, a list of choices or a JSON Schema.
    """

    content: str | list[dict[str, Any]]
    model: str | None = None
    output: str | list[str] | dict[str, Any] | None = None
    parameters: dict[str, Any] = {}
    variables: dict[str, dict[str, Any]] = {}
    note: str = ""
    labels: list[str] = []
    publish: bool = False

    @classmethod
    def of(cls, content: Content, *, labels: Sequence[str], publish: bool, options: VersionOptions) -> PublishRequest:
        """Return what `PromptsFace.publish` was given as JSON. Raises InvalidInput for what JSON cannot hold."""
        plain: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
        plain |= {"content": _plain_content(content), "labels": [*labels], "publish": publish}
        check_json(plain, pointer="")
        return convert(plain, cls)

    def options(self) -> VersionOptions:
        """Return what `PromptsFace.publish` takes of the version by keyword."""
        return {
            "model": self.model,
            "output": self.output,
            "parameters": self.parameters,
            "variables": self.variables,
            "note": self.note,
        }


class VariablesRequest(Request, frozen=True):
    """`POST /api/v1/prompts/variables`: content as it would be published."""

    content: str | list[dict[str, Any]]

    @classmethod
    def of(cls, content: Content) -> VariablesRequest:
        """Return the content as JSON. Raises InvalidInput for what JSON cannot hold."""
        plain = {"content": _plain_content(content)}
        check_json(plain, pointer="")
        return convert(plain, cls)


class VariablesShape(Shape, frozen=True):
    """The variables that content reads, in order of appearance."""

    variables: dict[str, VariableShape]

    @classmethod
    def of(cls, variables: Mapping[str, Variable]) -> VariablesShape:
        """Return the variables as JSON."""
        return cls(variables={name: shown(variable, VariableShape) for name, variable in variables.items()})

    def found(self) -> dict[str, Variable]:
        """Return the variables that the JSON says."""
        return {name: read(variable, Variable) for name, variable in self.variables.items()}


class VersionShape(Shape, frozen=True):
    """An immutable version of a prompt."""

    id: int
    prompt_id: int
    prompt: str
    number: int
    messages: tuple[MessageShape | PlaceholderShape, ...]
    variables: dict[str, VariableShape]
    model: str | None
    parameters: dict[str, Any]
    output: TextOutputShape | ChoiceOutputShape | NumberOutputShape | BooleanOutputShape | JsonOutputShape
    content_hash: str
    note: str
    created_at: datetime
    labels: tuple[str, ...] = ()

    @classmethod
    def of(cls, version: PromptVersion) -> VersionShape:
        """Return the version as JSON."""
        return shown(version, cls)

    def version(self) -> PromptVersion:
        """Return the version that the JSON says."""
        return read(self, PromptVersion)


class VersionList(Shape, frozen=True):
    """All versions of a prompt, newest first."""

    items: tuple[VersionShape, ...]

    @classmethod
    def of(cls, versions: Sequence[PromptVersion]) -> VersionList:
        """Return the versions as JSON."""
        return cls(items=tuple(VersionShape.of(version) for version in versions))

    def versions(self) -> list[PromptVersion]:
        """Return the versions that the JSON says."""
        return [item.version() for item in self.items]


class LabelRequest(Request, frozen=True):
    """`POST /api/v1/prompts/{name}/labels`: move a label to a version."""

    label: str
    number: int


class PromptShape(Shape, frozen=True):
    """A prompt: a name with history; `labels` maps each label to the number of its version."""

    id: int
    name: str
    labels: dict[str, int]
    versions: int
    archived: bool
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, prompt: Prompt) -> PromptShape:
        """Return the prompt as JSON."""
        return shown(prompt, cls)

    def prompt(self) -> Prompt:
        """Return the prompt that the JSON says."""
        return read(self, Prompt)


class PromptPage(Shape, frozen=True):
    """Prompts by name; `next` continues the list with `?after=`."""

    items: tuple[PromptShape, ...]
    next: str | None

    @classmethod
    def of(cls, page: Page[Prompt]) -> PromptPage:
        """Return the page as JSON."""
        return cls(items=tuple(PromptShape.of(item) for item in page.items), next=page.next)

    def page(self) -> Page[Prompt]:
        """Return the page that the JSON says."""
        return Page(items=tuple(item.prompt() for item in self.items), next=self.next)


def _plain_content(content: Content) -> Any:
    if not isinstance(content, list | tuple):
        return content
    return [msgspec.to_builtins(item) if isinstance(item, Message | Placeholder) else item for item in content]
