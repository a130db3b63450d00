"""Bodies and events as Gemini's generateContent sends them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.support.model_server import event

USAGE = {
    "promptTokenCount": 11,
    "cachedContentTokenCount": 4,
    "candidatesTokenCount": 3,
    "thoughtsTokenCount": 5,
    "totalTokenCount": 19,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 11}],
}


def gemini_answer(
    text: str = "Hello there", *, finish: str | None = "STOP", parts: Sequence[object] = (), **more: Any
) -> dict[str, Any]:
    """Build the body of a plain answer; `parts` take the place of the text, `more` replaces or adds fields."""
    content = {"role": "model", "parts": list(parts) or [{"text": text}]}
    return {
        "candidates": [{"content": content, "index": 0, **({"finishReason": finish} if finish else {})}],
        "usageMetadata": USAGE,
        "modelVersion": "tiny-1",
        "responseId": "resp-1",
        **more,
    }


def gemini_event(text: str = "", *, finish: str | None = None, parts: Sequence[object] = (), **more: Any) -> bytes:
    """Write the event that adds to the answer, or ends it."""
    return event(gemini_answer(text, finish=finish, parts=parts, **{"usageMetadata": None, **more}))
