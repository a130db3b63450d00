"""Versions as JSON: messages, variables, kinds of output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from cuewire.model.prompts import Content, Message, Placeholder, PromptVersion, Variable
from cuewire.model.references import DEFAULT_LANGUAGE
from cuewire.model.text import check_json
from cuewire.wire.policies import PolicyShape
from cuewire.wire.shapes import Instant, Request, Shape, read, shown
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


_TEXT = {"type": "string"}
_IMAGE = {
    "type": "object",
    "properties": {"type": {"const": "image"}, "input": _TEXT},
    "required": ["type", "input"],
}
_MESSAGE = {
    "type": "object",
    "properties": {
        "type": {"const": "message"},
        "role": {"enum": ["system", "developer", "user", "assistant"]},
        "content": {"anyOf": [_TEXT, {"type": "array", "items": {"anyOf": [_TEXT, _IMAGE]}}]},
    },
    "required": ["role", "content"],
}
_MESSAGES = {
    "type": "object",
    "properties": {"type": {"const": "messages"}, "input": _TEXT},
    "required": ["type", "input"],
}
WrittenMessage: TypeAlias = Annotated[dict[str, Any], msgspec.Meta(extra_json_schema={"anyOf": [_MESSAGE, _MESSAGES]})]
WrittenContent: TypeAlias = str | list[WrittenMessage]
"""What is published, as an author writes it: one template text, or messages, which need not say that they are."""


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


class DateOutputShape(Shape, frozen=True, tag="date"):
    """One ISO 8601 date or date-time."""


class JsonOutputShape(Shape, frozen=True, tag="json"):
    """A JSON value that satisfies the JSON Schema; `example` is what the author wrote if that was made of one."""

    json_schema: dict[str, Any]
    example: dict[str, Any] | list[Any] | None = None


OutputShape: TypeAlias = (
    TextOutputShape | ChoiceOutputShape | NumberOutputShape | BooleanOutputShape | DateOutputShape | JsonOutputShape
)


class VariablesRequest(Request, frozen=True):
    """`POST /api/v1/prompts/variables`: content as it would be published."""

    content: WrittenContent

    @classmethod
    def of(cls, content: Content) -> VariablesRequest:
        """Return the content as JSON. Raises InvalidInput for what JSON cannot hold."""
        plain = {"content": plain_content(content)}
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


class IncludedTextShape(Shape, frozen=True):
    """The template of another version; `pins` maps each name that it includes to a reference with a number."""

    text: str
    pins: dict[str, str] = {}


class IncludesShape(Shape, frozen=True):
    """All that a version includes: its own names pinned, and the text of each pinned reference."""

    pins: dict[str, str] = {}
    texts: dict[str, IncludedTextShape] = {}


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
    output: OutputShape
    content_hash: str
    note: str
    created_at: Instant
    includes: IncludesShape = IncludesShape()
    lenient: bool = False
    parent: int | None = None
    author: str = ""
    strategy: str | None = None
    language: str = DEFAULT_LANGUAGE
    labels: tuple[str, ...] = ()
    policy: PolicyShape = PolicyShape()

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


def plain_content(content: Content) -> Any:
    """Return content as JSON says it."""
    if not isinstance(content, list | tuple):
        return content
    return [msgspec.to_builtins(item) if isinstance(item, Message | Placeholder) else item for item in content]
