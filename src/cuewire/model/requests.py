"""What is asked of a model: chat messages, parameters, and the request that a provider puts on the wire."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Literal, TypeAlias

from cuewire.model.errors import InvalidInput
from cuewire.model.outputs import OutputKind
from cuewire.model.values import Value

Role: TypeAlias = Literal["system", "developer", "user", "assistant", "tool"]
_MODEL = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}/[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,191}")
PROMPT_PROVIDER = "prompt"
"""Reserved provider name: `prompt/NAME@LABEL` is a stored prompt where a model is expected."""


class ModelRef(Value, frozen=True):
    """A model at a provider, written `provider/model` and split at the first slash."""

    provider: str
    model: str

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"


class TextContent(Value, frozen=True, tag="text", kw_only=False):
    """A text part of a message."""

    text: str


class ImageContent(Value, frozen=True, tag="image", kw_only=False):
    """An image part of a message: an http(s) URL or a data URI."""

    url: str


ContentPart: TypeAlias = TextContent | ImageContent


class ToolCall(Value, frozen=True):
    """A function call that the model asks for; `arguments` is the JSON text as the model wrote it."""

    id: str
    name: str
    arguments: str


class ChatMessage(Value, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One message of a conversation, rendered and ready to send."""

    role: Role
    content: str | tuple[ContentPart, ...] | None = None
    name: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None


class ModelRequest(Value, frozen=True):
    """One call to make. `parameters` use OpenAI's names (temperature, max_tokens, tools, response_format, ...)."""

    model: str
    messages: tuple[ChatMessage, ...]
    parameters: dict[str, Any]
    output: OutputKind
    idempotency_key: str


_RESERVED = frozenset(
    {"model", "messages", "input", "stream", "stream_options", "api_base", "base_url", "api_key", "n"}
)
_BOUNDS: dict[str, tuple[float, float]] = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "min_p": (0, 1),
    "frequency_penalty": (-2, 2),
    "presence_penalty": (-2, 2),
}
_POSITIVE = ("max_tokens", "max_completion_tokens", "top_k", "dimensions")
_PARAMETER = re.compile(r"[a-z][a-z0-9_]{0,63}")


def parse_model(text: object, *, field: str = "/model") -> ModelRef:
    """Read `provider/model`; raises InvalidInput if the text is not of that form."""
    parsed = _parse_model(text) if isinstance(text, str) else None
    if parsed is None:
        shown = repr(text)[:80]
        raise InvalidInput(
            f"{shown} is not a model", field=field, hint="write provider/model, as in openai/gpt-4o-mini"
        )
    return parsed


@lru_cache(maxsize=1_024)
def _parse_model(text: str) -> ModelRef | None:
    if not _MODEL.fullmatch(text):
        return None
    provider, _, model = text.partition("/")
    return ModelRef(provider=provider, model=model)


def check_parameters(parameters: dict[str, Any], *, pointer: str = "/parameters") -> None:
    """Refuse parameters that a caller may not set or whose value cannot be meant; unknown names pass through."""
    problems = [
        (f"{pointer}/{name}", problem) for name, value in parameters.items() if (problem := _problem(name, value))
    ]
    if problems:
        listed = ", ".join(f"{place.rpartition('/')[2]} {problem}" for place, problem in problems)
        raise InvalidInput(f"unusable parameters: {listed}", problems=tuple(problems))


def _problem(name: str, value: object) -> str:
    if not _PARAMETER.fullmatch(name):
        return "is not a parameter name"
    if name in _RESERVED:
        return "cannot be set as a parameter"
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if name in _BOUNDS:
        low, high = _BOUNDS[name]
        if not is_number or not low <= value <= high:  # type: ignore[operator]  # is_number holds
            return f"must be a number from {low:g} to {high:g}"
    whole = value if isinstance(value, int) and not isinstance(value, bool) else None
    if name in _POSITIVE and (whole is None or not 1 <= whole <= 10_000_000):
        return "must be an integer from 1 to 10,000,000"
    if name == "seed" and whole is None:
        return "must be an integer"
    return ""
