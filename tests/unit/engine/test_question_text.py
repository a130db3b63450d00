"""What is compared of a run's inputs is one text, from which one can tell which input said what."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cuewire.engine.similar import MAX_TOKENS, question_text
from cuewire.engine.wording import difference
from cuewire.model.policies import Semantic

ONE, TWO = Semantic(on=("x",), model="local/minilm"), Semantic(on=("x", "y"), model="local/minilm")
SAID = st.lists(st.sampled_from(["x", "y:", "\n y:"]), min_size=1, max_size=3).map(" ".join)


@pytest.mark.parametrize(
    ("semantic", "inputs", "text"),
    [
        (ONE, {"x": " Is it\nlate? ", "y": 1}, " Is it\nlate? "),
        (TWO, {"y": "rush \n hour", "x": "Late?", "z": None}, "x: Late?\ny: rush hour"),
        (ONE, {"x": " \n"}, None),
        (ONE, {"x": ""}, None),
        (ONE, {"x": 7}, None),
        (ONE, {"x": ["late"]}, None),
        (ONE, {"x": None}, None),
        (ONE, {}, None),
        (TWO, {"x": "late"}, None),
        (TWO, {"x": "late", "y": " "}, None),
    ],
)
def test_the_text_is_what_the_inputs_say_or_there_is_none(
    semantic: Semantic, inputs: dict[str, Any], text: str | None
) -> None:
    assert question_text(semantic, inputs) == text


@pytest.mark.parametrize("piece", ["word ", "7 ", "? ", "wörd-"])
def test_what_an_encoder_may_cut_off_is_not_compared(piece: str) -> None:
    most = MAX_TOKENS // (2 if piece.endswith("-") else 1)

    assert question_text(ONE, {"x": piece * most}) == piece * most
    assert question_text(ONE, {"x": piece * (most + 1)}) is None
    assert question_text(TWO, {"x": "word " * (MAX_TOKENS - 5), "y": "word"}) is not None
    assert question_text(TWO, {"x": "word " * (MAX_TOKENS - 4), "y": "word"}) is None


@given(SAID, SAID, SAID, SAID)
@example("a \n y: b", "c", "a", "b \n y: c")
def test_what_one_input_says_is_never_taken_for_anothers(x: str, y: str, other_x: str, other_y: str) -> None:
    one, other = question_text(TWO, {"x": x, "y": y}), question_text(TWO, {"x": other_x, "y": other_y})

    is_same = one is not None and other is not None and not difference(one, other)
    differing = [difference(_flat(said), _flat(else_said)) for said, else_said in ((x, other_x), (y, other_y))]
    assert not is_same or differing == ["", ""]


def _flat(text: str) -> str:
    return " ".join(text.split())
