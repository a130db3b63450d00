from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuewire.model.errors import InvalidInput
from cuewire.model.text import MAX_DEPTH, check_json, cleaned, is_storable

ANY_TEXT = st.text(st.characters(min_codepoint=0, max_codepoint=0x10FFFF, exclude_categories=()))
STORABLE = st.text(st.characters(codec="utf-8", exclude_characters="\x00"))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | STORABLE,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(STORABLE, inner, max_size=4),
    max_leaves=20,
)


@given(ANY_TEXT)
def test_cleaned_text_is_storable_and_keeps_its_length(text: str) -> None:
    clean, replaced = cleaned(text)

    assert is_storable(clean)
    assert len(clean) == len(text)
    assert sum(a != b for a, b in zip(text, clean, strict=True)) == replaced
    assert clean.encode("utf-8").decode("utf-8") == clean


@given(JSON)
def test_plain_json_is_accepted(value: Any) -> None:
    check_json(value, pointer="")

    assert json.dumps(value, allow_nan=False)


@pytest.mark.parametrize(
    ("value", "pointer", "problem"),
    [
        ({"a": "x\x00"}, "/inputs/a", "NUL"),
        ({"a": ["ok", "\ud800"]}, "/inputs/a/1", "surrogate"),
        ({"a/b": {"~": float("nan")}}, "/inputs/a~1b/~0", "finite"),
        ({"a": float("inf")}, "/inputs/a", "finite"),
        ({"a": 2**63}, "/inputs/a", "64 bits"),
        ({"a": b"bytes"}, "/inputs/a", "not JSON"),
        ({"a": {1: "x"}}, "/inputs/a", "not storable text"),
        ({"a": {"\x00": "x"}}, "/inputs/a", "not storable text"),
        ({"a": {1, 2}}, "/inputs/a", "not JSON"),
    ],
)
def test_what_no_database_can_hold_is_refused_with_its_place(value: Any, pointer: str, problem: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_json(value, pointer="/inputs")

    assert caught.value.field == pointer
    assert problem in caught.value.message


def test_nesting_is_bounded() -> None:
    value: Any = 0
    for _ in range(MAX_DEPTH):
        value = [value]
    check_json(value, pointer="")

    with pytest.raises(InvalidInput, match="nested deeper"):
        check_json([value], pointer="")
