"""How many tokens a call will take, guessed before it is made: what counts in the end is what the provider reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from cuewire.model.embeddings import Embeddable
from cuewire.model.requests import ChatMessage, TextContent

Said: TypeAlias = Sequence[ChatMessage] | Sequence[Embeddable]
"""What is said to a model, or embedded by it."""
NO_ANSWER: Mapping[str, Any] = {"max_tokens": 0}
"""The parameters of a call that brings no text."""
_BYTES_A_TOKEN = 4
_TOKENS_A_MESSAGE, _TOKENS_A_PICTURE, _TOKENS_OUT = 4, 1_000, 500


def tokens_of(said: Said, parameters: Mapping[str, Any], *, typical: float | None) -> float:
    """Return a guess: a token for every four bytes that go in, and as many out as the parameters allow.

    Where they do not say, the call is taken for a typical one.
    """
    tokens_in = sum(map(_tokens_in, said))
    most_out = parameters.get("max_completion_tokens", parameters.get("max_tokens"))
    if isinstance(most_out, int):
        return tokens_in + most_out
    return tokens_in + _TOKENS_OUT if typical is None else max(tokens_in, typical)


def _tokens_in(each: ChatMessage | Embeddable) -> int:
    if isinstance(each, str):
        return _in_text(each)
    if not isinstance(each, ChatMessage):
        return len(each)
    content = each.content
    if content is None or isinstance(content, str):
        return _TOKENS_A_MESSAGE + _in_text(content or "")
    parts = (_in_text(part.text) if isinstance(part, TextContent) else _TOKENS_A_PICTURE for part in content)
    return _TOKENS_A_MESSAGE + sum(parts)


def _in_text(text: str) -> int:
    return len(text.encode(errors="replace")) // _BYTES_A_TOKEN + 1
