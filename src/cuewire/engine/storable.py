"""What models write, in a form that can be stored: text that is none becomes U+FFFD."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from cuewire.model.candidates import Work
from cuewire.model.requests import ToolCall
from cuewire.model.results import Answer
from cuewire.model.text import cleaned, is_storable

_encode = msgspec.json.Encoder().encode


def storable(answer: Answer) -> tuple[Answer, int]:
    """Return the answer with U+FFFD for what cannot be stored, and how many characters were replaced."""
    if is_storable(answer.text) and not answer.tool_calls:
        return answer, 0
    text, replaced = cleaned(answer.text)
    calls = []
    for call in answer.tool_calls:
        fields = [cleaned(field) for field in (call.id, call.name, call.arguments)]
        (call_id, name, arguments) = (field for field, _ in fields)
        calls.append(ToolCall(id=call_id, name=name, arguments=arguments))
        replaced += sum(count for _, count in fields)
    return replace(answer, text=text, tool_calls=tuple(calls)), replaced


def encoded_work(work: Work) -> bytes:
    """Return how several candidates ended, as JSON that can be stored."""
    try:
        return _encode(work)
    except UnicodeEncodeError:
        return _encode(_cleaned_value(msgspec.to_builtins(work)))


def encoded_value(value: Any) -> tuple[Any, bytes]:
    """Return a value that a model wrote, as it can be stored, and its JSON."""
    try:
        return value, _encode(value)
    except UnicodeEncodeError:
        value = _cleaned_value(value)
        return value, _encode(value)


def _cleaned_value(value: Any) -> Any:
    if isinstance(value, str):
        return cleaned(value)[0]
    if isinstance(value, dict):
        return {cleaned(key)[0]: _cleaned_value(item) for key, item in value.items()}
    return [_cleaned_value(item) for item in value] if isinstance(value, list) else value
