"""Chat messages as OpenAI's clients write them, from and to ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cuewire.model.requests import ChatMessage, ContentPart, TextContent


def from_openai(value: Any) -> Any:
    """Return messages for a placeholder as we write them; what is not of the other form stays as it is."""
    return [_from_message(item) for item in value] if isinstance(value, list | tuple) else value


def to_openai(message: ChatMessage) -> dict[str, Any]:
    """Return a message as OpenAI's clients take it."""
    content = message.content
    shown: dict[str, Any] = {
        "role": message.role,
        "content": [_to_part(part) for part in content] if isinstance(content, tuple) else content,
    }
    if message.name is not None:
        shown["name"] = message.name
    if message.tool_calls:
        shown["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        shown["tool_call_id"] = message.tool_call_id
    return shown


def _from_message(message: Any) -> Any:
    if not isinstance(message, Mapping):
        return message
    ours = {name: value for name, value in message.items() if value is not None}
    if isinstance(content := ours.get("content"), list | tuple):
        ours["content"] = [_from_part(part) for part in content]
    if isinstance(calls := ours.get("tool_calls"), list | tuple):
        ours["tool_calls"] = [_from_call(call) for call in calls]
    return ours


def _from_part(part: Any) -> Any:
    match part:
        case {"type": "image_url", "image_url": {"url": str() as url}}:
            return {"type": "image", "url": url}
    return part


def _from_call(call: Any) -> Any:
    match call:
        case {"id": id, "function": {"name": name, "arguments": arguments}}:
            return {"id": id, "name": name, "arguments": arguments}
    return call


def _to_part(part: ContentPart) -> dict[str, Any]:
    if isinstance(part, TextContent):
        return {"type": "text", "text": part.text}
    return {"type": "image_url", "image_url": {"url": part.url}}
