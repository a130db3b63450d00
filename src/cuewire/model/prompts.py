"""Prompts as data: references, messages, and immutable versions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal, TypeAlias, TypedDict

from cuewire.model.errors import InvalidInput
from cuewire.model.outputs import OutputKind
from cuewire.model.values import Json, Value

Role: TypeAlias = Literal["system", "developer", "user", "assistant", "tool"]
AuthoredRole: TypeAlias = Literal["system", "developer", "user", "assistant"]

DEFAULT_LABEL = "production"
LATEST = "latest"
AD_HOC = "adhoc"
"""The prompt under which messages without a stored prompt are recorded; its one version is the input `messages`."""
EMBEDDINGS = "embeddings"
"""The prompt under which embeddings are recorded."""
BUILT_IN = frozenset({AD_HOC, EMBEDDINGS})
"""What nobody wrote, and nobody means when they ask for their prompts."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._/-]{0,127}")
_LABEL = re.compile(r"[a-z][a-z0-9._-]{0,63}")


class Reference(Value, frozen=True):
    """Where a version is looked up: by label, or by number when `number` is set."""

    name: str
    label: str = DEFAULT_LABEL
    number: int | None = None

    def __str__(self) -> str:
        return f"{self.name}@{self.number if self.number is not None else self.label}"


class Image(Value, frozen=True, tag="image", kw_only=False):
    """An image in a message: `input` names the input that gives its URL or data URI."""

    input: str


class Message(Value, frozen=True, tag="message", kw_only=False):
    """The template of one chat message; content is Jinja2 text, or a sequence of such texts and images."""

    role: AuthoredRole
    content: str | tuple[str | Image, ...]


class Placeholder(Value, frozen=True, tag="messages", kw_only=False):
    """A place for a list of messages (a chat history) that the caller gives as the input `input`."""

    input: str


MessageTemplate: TypeAlias = Message | Placeholder


class Variable(Value, frozen=True):
    """One input of a version. `json_schema` is empty when any JSON value will do; an absent input takes `default`."""

    kind: Literal["value", "messages", "image"] = "value"
    json_schema: dict[str, Any] = {}
    required: bool = True
    default: Any = None


class VersionOptions(TypedDict, total=False):
    """What `publish` takes by keyword of the version itself.

    `output` is a kind's name, a list of choices or a JSON Schema. `variables` gives a JSON Schema per input, with
    `default` where the input may be left out.
    """

    model: str | None
    output: str | Sequence[str] | Mapping[str, Any] | None
    parameters: Mapping[str, Any]
    variables: Mapping[str, Mapping[str, Any]]
    note: str


Content: TypeAlias = str | Sequence[MessageTemplate | Mapping[str, Any]]
"""What `publish` takes as content: one template text, or messages."""


class VersionDraft(Value, frozen=True):
    """All that a version holds, before it has a number. Equal drafts have equal content hashes."""

    prompt: str
    messages: tuple[MessageTemplate, ...]
    variables: dict[str, Variable]
    model: str | None
    parameters: dict[str, Any]
    output: OutputKind
    content_hash: str
    note: str = ""


class PromptVersion(Value, frozen=True):
    """An immutable version of a prompt."""

    id: int
    prompt_id: int
    prompt: str
    number: int
    messages: tuple[MessageTemplate, ...]
    variables: dict[str, Variable]
    model: str | None
    parameters: dict[str, Any]
    output: OutputKind
    content_hash: str
    note: str
    created_at: datetime
    labels: tuple[str, ...] = ()

    @property
    def text(self) -> str | None:
        """The template text, if the version is one plain user message."""
        match self.messages:
            case (Message(role="user", content=str() as content),):
                return content
        return None


class Prompt(Value, frozen=True):
    """A prompt: a name with history. `labels` maps each label to the number of the version that carries it."""

    id: int
    name: str
    labels: dict[str, int]
    versions: int
    archived: bool
    created_at: datetime
    updated_at: datetime


def check_name(name: object, *, field: str = "/prompt") -> str:
    """Return the name of a prompt if it is well formed, else raise InvalidInput."""
    if isinstance(name, str) and _NAME.fullmatch(name):
        return name
    raise InvalidInput(
        f"{_shown(name)} is not a prompt name",
        field=field,
        hint="use up to 128 of a-z 0-9 . _ / -, beginning with a letter or digit",
    )


def check_label(label: object) -> str:
    """Return the label if it is well formed, else raise InvalidInput."""
    if isinstance(label, str) and _LABEL.fullmatch(label):
        return label
    raise InvalidInput(
        f"{_shown(label)} is not a label",
        field="/label",
        hint="use up to 64 of a-z 0-9 . _ -, beginning with a letter",
    )


def parse_reference(text: object) -> Reference:
    """Read `name`, `name@label` or `name@7`; a bare name means the label production.

    Raises InvalidInput if the text is none of them.
    """
    if not isinstance(text, str):
        raise InvalidInput(f"{_shown(text)} is not a prompt reference", field="/prompt")
    return _parse_reference(text)


@lru_cache(maxsize=1_024)
def _parse_reference(text: str) -> Reference:
    name, at, tail = text.partition("@")
    check_name(name)
    if not at:
        return Reference(name=name)
    if tail.isascii() and tail.isdigit():
        number = int(tail) if len(tail) < 10 else 0
        if number < 1:
            raise InvalidInput(f"{_shown(tail)} is not a version number", field="/prompt")
        return Reference(name=name, number=number)
    return Reference(name=name, label=check_label(tail))


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


Inputs: TypeAlias = Mapping[str, Json]
