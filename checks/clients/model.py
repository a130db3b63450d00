"""The model behind Cuewire: a server that speaks OpenAI's protocol and answers by what it is asked.

Its name decides how: `busy-1` refuses for now, `broken-1` breaks off in the middle, `silent-1` counts no tokens, any
other repeats the last message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tests.support.model_server import (
    DONE,
    USAGE,
    Action,
    Close,
    ModelServer,
    completion,
    delta,
    plain,
    stream,
    usage_event,
)

VECTOR = [0.6, 0.8, 0.0]
"""What every text is embedded as; scripts/told.py expects it."""


class Model(ModelServer):
    """Calls its first tool, fills a schema, embeds a text as VECTOR, says what it was told if asked."""

    def choose(self, path: str, body: bytes) -> Sequence[Action]:
        """Answer by the path and the fields of the request."""
        asked = msgspec.json.decode(body)
        if path.endswith("/embeddings"):
            return plain(_embeddings(asked))
        if asked["model"] == "busy-1":
            return plain({"error": {"message": "slow down", "code": "rate_limit_exceeded"}}, 429, {"Retry-After": "1"})
        if asked["model"] == "broken-1":
            return [*stream(delta("It is "))[:-1], Close()]
        usage = None if asked["model"] == "silent-1" else USAGE
        message, reason = _answer(asked)
        if asked.get("stream"):
            return stream(*_growing(message), delta(finish_reason=reason), usage_event(usage), DONE)
        choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason}
        return plain(completion(choices=[choice], usage=usage))


def _answer(asked: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    first, last = asked["messages"][0], asked["messages"][-1]
    if asked.get("tools") and last["role"] != "tool":
        function = {"name": asked["tools"][0]["function"]["name"], "arguments": '{"city": "Oslo"}'}
        call = {"id": "call-1", "type": "function", "function": function}
        return {"content": None, "tool_calls": [call]}, "tool_calls"
    if asked.get("response_format", {}).get("type") == "json_schema":
        return {"content": '{"city": "Oslo", "degrees": 7}'}, "stop"
    return {"content": _text(first if _text(last) == "what are you told?" else last)}, "stop"


def _text(message: Mapping[str, Any]) -> str:
    content = message["content"]
    if isinstance(content, list):
        return " ".join(part.get("text", "(an image)") for part in content)
    return str(content)


def _growing(message: Mapping[str, Any]) -> list[bytes]:
    calls = message.get("tool_calls")
    if calls:
        return [delta(role="assistant", tool_calls=[{"index": n, **call} for n, call in enumerate(calls)])]
    return [delta(piece) for piece in re.findall(r"\s*\S+", message["content"])]


def _embeddings(asked: Mapping[str, Any]) -> dict[str, Any]:
    texts = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
    data = [{"object": "embedding", "index": number, "embedding": VECTOR} for number in range(len(texts))]
    usage = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
    return {"object": "list", "data": data, "model": "tiny-embed", "usage": usage}
