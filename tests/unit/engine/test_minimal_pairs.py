"""Questions that differ in a word or two and want different answers, and others that differ as much and want the same.

The pairs are our own, in `tests/data`. None of the first kind may be taken for the same; how many of them a verifier
would be asked about, and how many harmless rewordings are lost, are figures that only get better.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from cuewire.engine.wording import contradiction, difference

DATA = Path(__file__).parents[2] / "data"
LEFT_TO_A_VERIFIER = {
    "swap": 1,
    "antonym": 43,
    "quantifier": 9,
    "number_word": 1,
    "number": 3,
    "entity": 24,
    "truncation": 25,
    "negation": 3,
    "time": 26,
    "sign": 3,
    "mood": 31,
}
"""How many pairs of each kind do not contradict each other in their words alone."""


def pairs(name: str) -> list[tuple[str, str, str]]:
    """Return the rows of a table: a kind and two questions."""
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    assert lines[0] == "kind\tone\tother"
    rows = [line.split("\t") for line in lines[1:]]
    return [(kind, one, other) for kind, one, other in rows]


MINIMAL = pairs("minimal_pairs.tsv")
REWORDINGS = pairs("rewordings.tsv")


@pytest.mark.contract("S4-38")
def test_no_pair_of_questions_that_want_different_answers_is_taken_for_the_same() -> None:
    served = [(one, other) for _, one, other in MINIMAL if not (difference(one, other) and difference(other, one))]

    assert served == []
    assert len({frozenset((one, other)) for _, one, other in MINIMAL}) == len(MINIMAL) >= 500


def test_no_kind_of_pair_is_rare() -> None:
    kinds = Counter(kind for kind, _, _ in MINIMAL)

    assert kinds.keys() == LEFT_TO_A_VERIFIER.keys()
    assert min(kinds.values()) >= 50


def test_what_a_verifier_is_asked_about_is_as_much_as_it_was(record_property: Callable[[str, object], None]) -> None:
    left = Counter(kind for kind, one, other in MINIMAL if not contradiction(one, other))

    record_property("minimal pairs left to a verifier", f"{left.total()} of {len(MINIMAL)}")
    assert left == LEFT_TO_A_VERIFIER


def test_most_harmless_rewordings_are_taken_for_the_same(record_property: Callable[[str, object], None]) -> None:
    same = [(one, other) for _, one, other in REWORDINGS if not (difference(one, other) or difference(other, one))]

    record_property("harmless rewordings answered again", f"{len(same)} of {len(REWORDINGS)}")
    assert same == [(one, other) for kind, one, other in REWORDINGS if kind == "same"]
    assert len(REWORDINGS) >= 60
    assert len(same) >= 0.8 * len(REWORDINGS)
