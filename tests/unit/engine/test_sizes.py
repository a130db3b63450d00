"""How large a call will be, before it is made."""

from __future__ import annotations

from typing import Any

import pytest

from cuewire.engine.sizes import NO_ANSWER, Said, tokens_of
from cuewire.model.requests import ChatMessage, ImageContent, TextContent


@pytest.mark.parametrize(
    ("said", "parameters", "typical", "tokens"),
    [
        ([ChatMessage(role="user", content="x" * 40)], {"max_tokens": 100}, None, 4 + 11 + 100),
        ([ChatMessage(role="user", content="x" * 40)], {"max_completion_tokens": 7, "max_tokens": 100}, 9.0, 22),
        ([ChatMessage(role="assistant", content=None)], {"max_tokens": 0}, None, 5),
        ([ChatMessage(role="user", content="x" * 40)], {}, None, 15 + 500),
        ([ChatMessage(role="user", content="x" * 40)], {}, 80.5, 80.5),
        ([ChatMessage(role="user", content="x" * 400)], {}, 80.5, 105),
        ([ChatMessage(role="user", content="日本語")], NO_ANSWER, None, 4 + 3),
        (
            [ChatMessage(role="user", content=(TextContent("x" * 8), ImageContent("https://example.com/a.png")))],
            NO_ANSWER,
            None,
            4 + 3 + 1_000,
        ),
        (["x" * 40, "\ud800"], NO_ANSWER, 9_000.0, 11 + 1),
        ([[1, 2, 3], [4]], NO_ANSWER, None, 4),
        ([], {"max_tokens": None}, None, 500),
    ],
)
def test_a_guess_counts_what_goes_in_and_as_much_out_as_may_come(
    said: Said, parameters: dict[str, Any], typical: float | None, tokens: float
) -> None:
    assert tokens_of(said, parameters, typical=typical) == tokens
