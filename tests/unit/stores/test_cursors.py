"""Cursors: opaque, made for one list, and refused when anything about them is different."""

from __future__ import annotations

import string
from base64 import urlsafe_b64encode
from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuewire.model.errors import InvalidInput
from cuewire.model.pages import check_limit
from cuewire.stores.cursors import make_cursor, read_cursor

KEYS = st.text(min_size=1).filter(lambda text: text.isprintable())


@given(KEYS, st.text(alphabet=string.ascii_letters, max_size=200))
def test_a_cursor_gives_its_key_back(key: str, of: str) -> None:
    assert read_cursor(make_cursor(key, of=of), of=of) == key


@given(KEYS, st.data())
def test_an_altered_cursor_is_refused(key: str, data: st.DataObject) -> None:
    cursor = make_cursor(key, of="prompts")
    place = data.draw(st.integers(0, len(cursor) - 1))
    other = data.draw(st.sampled_from(string.ascii_letters).filter(lambda letter: letter != cursor[place]))

    with pytest.raises(InvalidInput):
        read_cursor(cursor[:place] + other + cursor[place + 1 :], of="prompts")


@pytest.mark.parametrize("filters", ["executions failed greet", "executions None greet" + "x" * 100 + "y"])
def test_a_cursor_of_other_filters_is_refused(filters: str) -> None:
    cursor = make_cursor("key", of="executions None greet" + "x" * 100 + "z")

    with pytest.raises(InvalidInput, match="not made for this list"):
        read_cursor(cursor, of=filters)


@given(st.text())
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_cursor(text, of="prompts")


@pytest.mark.parametrize("more", ["=", "==", "!", " ", "\n"])
def test_a_cursor_is_read_in_one_spelling_only(more: str) -> None:
    cursor = make_cursor("greet", of="prompts")

    with pytest.raises(InvalidInput):
        read_cursor(cursor + more, of="prompts")


@pytest.mark.parametrize("key", [b"\xff\xfe", b"a\x00b", b"\xed\xa0\x80"], ids=["no text", "NUL", "surrogate"])
def test_a_forged_cursor_gives_no_key_that_no_row_can_have(key: bytes) -> None:
    check = blake2b(b"prompts\0" + key, digest_size=8).digest()

    with pytest.raises(InvalidInput):
        read_cursor(urlsafe_b64encode(check + key).decode().rstrip("="), of="prompts")


@pytest.mark.parametrize("limit", [1, 1_000])
def test_a_limit_within_bounds_passes(limit: int) -> None:
    assert check_limit(limit) == limit


@pytest.mark.parametrize("limit", [0, -1, 1_001, 10**12, True, "7", 1.0])
def test_a_limit_out_of_bounds_is_refused(limit: object) -> None:
    with pytest.raises(InvalidInput, match="limit must be 1 to 1,000, not "):
        check_limit(limit)
