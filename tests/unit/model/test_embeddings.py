from __future__ import annotations

from array import array
from math import inf, isfinite, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuewire.model.embeddings import is_finite, packed, unpacked

LARGE = 2.0**127


@given(st.lists(st.floats(width=32)))
def test_numbers_are_packed_and_unpacked_without_loss(numbers: list[float]) -> None:
    assert repr(unpacked(packed(array("f", numbers))).tolist()) == repr(array("f", numbers).tolist())


def test_numbers_are_packed_lowest_byte_first_whatever_their_width() -> None:
    assert packed(array("f", [1.0, -2.0])) == packed(array("d", [1.0, -2.0])) == bytes.fromhex("0000803f000000c0")


def test_half_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple"):
        unpacked(b"\0" * 6)


@given(st.lists(st.floats(width=32)), st.integers(0))
def test_numbers_are_finite_as_long_as_they_are_not_huge(numbers: list[float], at: int) -> None:
    assert is_finite(packed(array("f", numbers))) == all(isfinite(each) and abs(each) < LARGE for each in numbers)
    for wrong in (nan, inf, -inf, LARGE, -1e300):
        spoilt = [*numbers[: at % 8], wrong, *numbers[at % 8 :]]
        assert not is_finite(packed(array("d", spoilt)))
