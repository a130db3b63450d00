from __future__ import annotations

from array import array
from math import fsum, hypot, inf, isfinite, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuewire.model.embeddings import Vector, cosine, is_finite, packed, signs, unit, unpacked

LARGE = 2.0**127
NUMBERS = st.lists(st.floats(-LARGE, LARGE, width=32).map(lambda number: number or 0.0), min_size=1, max_size=40)
WIDTHS = st.sampled_from("fd")


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


@given(NUMBERS, WIDTHS)
def test_a_vector_of_length_1_points_the_same_way(numbers: list[float], width: str) -> None:
    vector = array(width, numbers)
    length = hypot(*vector)

    found = unit(vector)

    assert (found.typecode, len(found)) == ("f", len(vector))
    if length > 1e-37:
        assert fsum(number * number for number in found) == pytest.approx(1, abs=1e-5)
        assert found.tolist() == pytest.approx([number / length for number in vector], abs=1e-6)
        assert cosine(found, found) == pytest.approx(1, abs=1e-5)
    if not any(vector):
        assert found.tolist() == [0.0] * len(vector)


@given(
    st.integers(1, 20).flatmap(lambda size: st.tuples(*[st.lists(st.floats(-1, 1), min_size=size, max_size=size)] * 2))
)
def test_a_cosine_is_that_of_the_angle_whichever_vector_comes_first(pair: tuple[list[float], list[float]]) -> None:
    one, other = (unit(array("d", numbers)) for numbers in pair)
    exact = fsum(here * there for here, there in zip(one, other, strict=True))

    assert -1 <= cosine(one, other) <= 1
    assert cosine(one, other) == cosine(other, one) == pytest.approx(max(-1, min(1, exact)), abs=1e-12)


def test_a_cosine_is_never_beyond_1_for_all_that_is_rounded() -> None:
    vector = array("f", [0.60000002, 0.80000002])

    assert cosine(vector, vector) == 1.0
    assert cosine(vector, array("f", [-number for number in vector])) == -1.0


@given(NUMBERS, WIDTHS)
def test_signs_are_a_bit_for_each_number_the_first_the_lowest(numbers: list[float], width: str) -> None:
    vector = array(width, numbers)

    found = signs(vector)

    assert len(found) == (len(vector) + 7) // 8
    bits = [found[place // 8] >> place % 8 & 1 for place in range(8 * len(found))]
    assert bits == [int(number > 0) for number in vector] + [0] * (len(bits) - len(vector))


@given(NUMBERS)
def test_signs_tell_the_way_alone(numbers: list[float]) -> None:
    vector: Vector = array("d", numbers)
    opposite = array("d", [-number for number in numbers])
    apart = int.from_bytes(signs(vector), "little") ^ int.from_bytes(signs(opposite), "little")

    assert signs(vector) == signs(array("d", [3 * number for number in numbers]))
    assert apart.bit_count() == sum(number != 0 for number in numbers)
