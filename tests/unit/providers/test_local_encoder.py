"""How texts share a pass, and how many threads compute it."""

from __future__ import annotations

from itertools import pairwise

import pytest

from cuewire.providers.blas_threads import Control, find_control, one_thread
from cuewire.providers.local_encoder import PASS_TOKENS, Pieces, passes


def control(threads: list[int]) -> Control:
    """Return a control of a number; all that it was is in the list."""
    return Control(get=lambda: threads[-1], set=threads.append)


def size(texts: list[Pieces]) -> int:
    """Return the tokens of a pass, with the two special ones around each text."""
    return sum(len(text) + 2 for text in texts)


def test_passes_hold_all_texts_by_length_and_are_as_full_as_can_be() -> None:
    texts = [tuple(range(number % 255)) for number in range(600)]
    made = list(passes(set(texts)))

    assert sorted(sum(made, [])) == sorted(set(texts))
    assert [len(text) for some in made for text in some] == sorted(range(255))
    assert all(size(some) <= PASS_TOKENS for some in made)
    assert all(size(one) + size(other[:1]) > PASS_TOKENS for one, other in pairwise(made))


def test_short_texts_share_one_pass() -> None:
    assert [len(some) for some in passes([(number, number, number) for number in range(100)])] == [100]
    assert list(passes([])) == []


def test_multiplication_is_on_one_thread_and_then_as_before() -> None:
    threads = [4]
    with one_thread(control(threads)):
        assert threads == [4, 1]

    assert threads == [4, 1, 4]


def test_number_of_threads_comes_back_after_an_error() -> None:
    threads = [2]
    with pytest.raises(ZeroDivisionError), one_thread(control(threads)):
        raise ZeroDivisionError

    assert threads[-1] == 2


def test_what_has_one_thread_or_cannot_be_told_stays_as_it_is() -> None:
    threads = [1]
    with one_thread(control(threads)), one_thread(None):
        pass

    assert threads == [1]


def test_library_beneath_numpy_obeys_where_it_is_one_that_can_be_told() -> None:
    found = find_control()
    with one_thread(found):
        assert found is None or found.get() == 1
