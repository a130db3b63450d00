"""Which earlier question's answer one would get: by the cosine alone, by the words too, or after asking a verifier.

DATA is `banking77` (each question among all others), `intents` (each with the nearest one of another intent),
`minimal` or `rewordings` (pairs of our own that want different answers, or the same); then the threshold.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeAlias

import numpy as np

from bench.kit.environments import BENCH
from bench.sides.banking77 import questions, vectors_of
from bench.sides.many_questions import Numbers
from bench.sides.meter import print_figures
from cuewire.engine.nearby import COMPARED
from cuewire.engine.wording import contradiction, difference

DATA = BENCH.parent / "tests" / "data"
_BLOCK = 512


class Neighbours(NamedTuple):
    """A question and earlier ones that are near, the nearest first, each with whether its answer would be right."""

    text: str
    near: tuple[tuple[str, bool], ...]


Check: TypeAlias = Callable[[str, str], str]
"""Says why one question's answer must not be given to another, "" if it may."""


def banking77(threshold: float) -> Iterator[Neighbours]:
    """Yield each question with those that are near, the right ones being of its intent."""
    all_ = questions()
    for place, near in _near(all_.vectors(), threshold):
        found = tuple((all_.texts[other], all_.labels[other] == all_.labels[place]) for other in near)
        yield Neighbours(all_.texts[place], found)


def intents(threshold: float) -> Iterator[Neighbours]:
    """Yield each question with the nearest one of another intent."""
    all_ = questions()
    numbers = {label: number for number, label in enumerate(dict.fromkeys(all_.labels))}
    labels = np.array([numbers[label] for label in all_.labels])
    for place, near in _near(all_.vectors(), threshold, labels=labels):
        yield Neighbours(all_.texts[place], tuple((all_.texts[other], False) for other in near[:1]))


def pairs(name: str, threshold: float, *, same: bool) -> Iterator[Neighbours]:
    """Yield the pairs of a table, one question as the earlier one."""
    rows = [line.split("\t") for line in (DATA / name).read_text(encoding="utf-8").splitlines()[1:]]
    ones, others = (vectors_of(tuple(row[column] for row in rows)) for column in (1, 2))
    cosines = np.einsum("ij,ij->i", ones, others)
    for (_, one, other), cosine in zip(rows, cosines, strict=True):
        yield Neighbours(other, ((one, same),) if cosine >= threshold else ())


def _near(vectors: Numbers, threshold: float, *, labels: np.ndarray | None = None) -> Iterator[tuple[int, list[int]]]:
    """Yield each row with the others that are near, the nearest first; with labels those of another one alone."""
    for start in range(0, len(vectors), _BLOCK):
        cosines = vectors[start : start + _BLOCK] @ vectors.T
        rows = np.arange(len(cosines))
        cosines[rows, start + rows] = -1
        if labels is not None:
            cosines[labels[start : start + _BLOCK, None] == labels[None, :]] = -1
        for row in rows:
            near = np.flatnonzero(cosines[row] >= threshold)
            order = near[np.argsort(-cosines[row, near], kind="stable")]
            yield start + int(row), order[:COMPARED].tolist()


def summed_up(all_: Iterable[Neighbours]) -> dict[str, float]:
    """Give how many answers each way would give, and how many of them are wrong."""
    checks: dict[str, Check] = {"cosine": _nothing, "words": difference, "verifier": contradiction}
    counts: dict[str, float] = {"asked": 0.0}
    for each in all_:
        counts["asked"] += 1
        for name, check in checks.items():
            taken = next((is_right for text, is_right in each.near if not check(each.text, text)), None)
            counts[name] = counts.get(name, 0.0) + (taken is not None)
            counts[f"{name}, wrong"] = counts.get(f"{name}, wrong", 0.0) + (taken is False)
    return counts


def _nothing(_one: str, _other: str) -> str:
    return ""


def main() -> None:
    """Count what the command line names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", choices=("banking77", "intents", "minimal", "rewordings"))
    parser.add_argument("threshold", type=float)
    options = parser.parse_args()
    found = {
        "banking77": lambda: banking77(options.threshold),
        "intents": lambda: intents(options.threshold),
        "minimal": lambda: pairs("minimal_pairs.tsv", options.threshold, same=False),
        "rewordings": lambda: pairs("rewordings.tsv", options.threshold, same=True),
    }[options.data]()
    print_figures(summed_up(found))


if __name__ == "__main__":
    main()
