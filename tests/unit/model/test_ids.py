from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuewire.model.ids import is_execution_id, uuid7

MILLISECONDS = st.integers(0, 2**48 - 1)
BITS = st.integers(0, 2**80 - 1)


@given(MILLISECONDS, BITS)
def test_an_id_has_the_form_of_one(unix_ms: int, bits: int) -> None:
    assert is_execution_id(uuid7(unix_ms=unix_ms, random_bits=bits))


@given(MILLISECONDS, MILLISECONDS, BITS, BITS)
def test_ids_sort_by_time(first: int, second: int, bits: int, other_bits: int) -> None:
    earlier, later = sorted((first, second))

    made = [uuid7(unix_ms=earlier, random_bits=bits), uuid7(unix_ms=later, random_bits=other_bits)]

    assert earlier == later or made == sorted(made)


@given(MILLISECONDS, st.integers(0, 2**74 - 1), st.integers(0, 2**74 - 1))
def test_all_74_random_bits_show(unix_ms: int, bits: int, other_bits: int) -> None:
    same = uuid7(unix_ms=unix_ms, random_bits=bits) == uuid7(unix_ms=unix_ms, random_bits=other_bits)

    assert same == (bits == other_bits)


@pytest.mark.parametrize(
    "text", ["", "x", "018bcfe5-6800-4fff-bfff-ffffffffffff", "018BCFE5-6800-7FFF-BFFF-FFFFFFFFFFFF"]
)
def test_other_texts_are_no_ids(text: str) -> None:
    assert not is_execution_id(text)
