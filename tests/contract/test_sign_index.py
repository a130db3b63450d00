"""Rows of bits in memory: the nearest are found, whichever way they are counted."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuewire.caches.sign_bits import NumpyIndex, PlainIndex, make_cosines, make_sign_index
from cuewire.model.embeddings import cosines_of, packed
from cuewire.ports import SignIndex, Signs
from tests.support.questions import drawn as vector_drawn
from tests.support.questions import turned

Make: TypeAlias = Callable[[], SignIndex]
LENGTHS = st.sampled_from([1, 2, 3, 7, 8, 9, 15, 16, 17, 48, 50, 64, 192])


def brute(rows: Sequence[Signs], signs: bytes, *, within: int, limit: int) -> list[int]:
    """Return what an index is to return, in the plainest way."""
    apart = [
        (sum((one ^ other).bit_count() for one, other in zip(row.signs, signs, strict=True)), row.id) for row in rows
    ]
    return [number for bits, number in sorted(apart) if bits <= within][:limit]


def drawn(count: int, *, length: int, seed: int = 7) -> list[Signs]:
    """Return rows of any bits, their numbers in any order."""
    chance = random.Random(seed)
    numbers = chance.sample(range(1, 10 * count + 1), count)
    return [Signs(number, chance.randbytes(length)) for number in numbers]


@st.composite
def searches(draw: st.DrawFn) -> tuple[list[list[Signs]], bytes, int, int]:
    """Return rows in the groups in which they are added, and what is looked for: near one of them, or anywhere."""
    length = draw(LENGTHS)
    bits = st.binary(min_size=length, max_size=length)
    numbers = iter(draw(st.lists(st.integers(1, 2**62), unique=True, min_size=200, max_size=200)))
    few = draw(st.lists(bits, min_size=1, max_size=4))
    groups = draw(st.lists(st.lists(st.sampled_from(few) | bits, max_size=40), max_size=5))
    rows = [[Signs(next(numbers), signs) for signs in group] for group in groups]
    return rows, draw(st.sampled_from(few) | bits), draw(st.integers(0, 8 * length)), draw(st.integers(1, 70))


@pytest.mark.parametrize("make", [PlainIndex, NumpyIndex])
class TestSignIndex:
    """What each index of signs does."""

    @given(search=searches())
    def test_it_finds_what_counting_all_bits_finds(
        self, make: Make, search: tuple[list[list[Signs]], bytes, int, int]
    ) -> None:
        groups, signs, within, limit = search
        index = make()
        for group in groups:
            index.add(group)
        rows = [row for group in groups for row in group]

        assert [*index.near(signs, within=within, limit=limit)] == brute(rows, signs, within=within, limit=limit)
        assert len(index) == len(rows)

    def test_one_without_rows_finds_nothing(self, make: Make) -> None:
        index = make()
        index.add([])

        assert [*index.near(b"\xff" * 6, within=48, limit=9)] == []
        assert len(index) == 0

    def test_rows_that_are_equally_near_come_by_their_numbers(self, make: Make) -> None:
        index = make()
        index.add([Signs(number, b"\x01") for number in (9, 3, 7)])
        index.add([Signs(number, b"\x00") for number in (8, 2**62)])

        assert [*index.near(b"\x00", within=1, limit=4)] == [8, 2**62, 3, 7]

    def test_the_bits_that_may_differ_are_counted_in_all_of_a_row(self, make: Make) -> None:
        index = make()
        index.add([Signs(1, bytes(11)), Signs(2, b"\x80" + bytes(9) + b"\x01")])

        assert [*index.near(bytes(11), within=1, limit=9)] == [1]
        assert [*index.near(bytes(11), within=2, limit=9)] == [1, 2]
        assert [*index.near(b"\xff" * 11, within=85, limit=9)] == []
        assert [*index.near(b"\xff" * 11, within=88, limit=9)] == [2, 1]

    @pytest.mark.parametrize("length", [3, 48])
    def test_it_grows_row_by_row(self, make: Make, length: int) -> None:
        rows, index = drawn(150, length=length), make()

        for count, row in enumerate(rows, start=1):
            index.add([row])
            assert len(index) == count
            assert [*index.near(row.signs, within=0, limit=1)] == [row.id]

        assert [*index.near(rows[0].signs, within=8 * length, limit=150)] == brute(
            rows, rows[0].signs, within=8 * length, limit=150
        )

    def test_more_rows_than_are_counted_at_a_time_are_all_searched(self, make: Make) -> None:
        rows, index = drawn(70_000, length=9), make()
        index.add(rows[:40_000])
        index.add(rows[40_000:])

        for place in (0, 32_767, 32_768, 65_535, 65_536, 69_999):
            signs = rows[place].signs
            assert [*index.near(signs, within=20, limit=64)] == brute(rows, signs, within=20, limit=64)
            assert [*index.near(signs, within=0, limit=64)] == [rows[place].id]


def test_numpy_counts_where_it_is_installed() -> None:
    assert make_sign_index() is NumpyIndex


def test_cosines_are_the_same_with_and_without_numpy() -> None:
    vector = vector_drawn(1)
    others = [*(packed(vector_drawn(seed)) for seed in range(40)), packed(vector), packed(turned(vector, -1.0))]

    fast, plain = make_cosines()(vector, others), cosines_of(vector, others)

    assert make_cosines() is not cosines_of
    assert list(fast) == pytest.approx(list(plain), abs=1e-12)
    assert (max(fast), min(fast)) == pytest.approx((1.0, -1.0), abs=1e-6)
    assert max(fast) <= 1.0
    assert list(make_cosines()(vector, [])) == []
