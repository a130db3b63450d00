"""The text rule on JSON: what passes is unchanged, what is refused names its place, what is repaired is counted."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuewire.model.errors import InvalidInput
from cuewire.model.text import is_storable
from cuewire.stores.texts import model_json, model_text, user_json, user_text

ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=10,
)


def texts_of(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for item in value for text in texts_of(item)]
    if isinstance(value, dict):
        return [text for key, item in value.items() for text in (key, *texts_of(item))]
    return []


def encoded(value: object, is_ascii: bool) -> bytes:
    """Encode a value with escapes, or as bytes that need not be UTF-8."""
    return json.dumps(value, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass")


@given(VALUES, st.booleans())
def test_json_of_a_user_passes_unchanged_or_is_refused(value: object, is_ascii: bool) -> None:
    data = encoded(value, is_ascii)

    if all(is_storable(text) for text in texts_of(value)):
        assert user_json(data, pointer="/inputs") == data.decode()
    else:
        with pytest.raises(InvalidInput) as refused:
            user_json(data, pointer="/inputs")
        assert refused.value.field.startswith("/inputs")


@given(VALUES)
def test_json_of_a_model_becomes_storable_and_what_was_replaced_is_counted(value: object) -> None:
    text, replaced = model_json(encoded(value, True))

    assert text is not None
    stored = json.loads(text)
    bad = sum(not is_storable(character) for found in texts_of(value) for character in found)
    assert replaced == bad
    assert all(is_storable(found) for found in texts_of(stored))
    assert replaced or stored == value


@given(st.binary(max_size=40))
def test_any_bytes_of_a_model_become_storable_text(data: bytes) -> None:
    text, _ = model_json(data)

    assert text is not None
    assert is_storable(text)


@given(ANY_TEXT)
def test_text_of_a_model_becomes_storable(text: str) -> None:
    stored, replaced = model_text(text)

    assert stored is not None
    assert is_storable(stored)
    assert len(stored) == len(text)
    assert (replaced == 0) == (stored == text)


def test_nothing_stays_nothing() -> None:
    assert (model_text(None), model_json(None), user_text(None, pointer="")) == ((None, 0), (None, 0), None)


def test_text_of_a_user_is_refused_with_its_place() -> None:
    with pytest.raises(InvalidInput) as refused:
        user_text("a\0", pointer="/model")

    assert refused.value.field == "/model"
