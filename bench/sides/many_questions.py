"""Up to a million vectors like those of real questions, and what is asked of them: made once for a size, and kept.

Row n is a question of banking77 up to `REAL`; each later one is another question's vector with seeded noise, as far
from it as that question's nearest neighbour is. The others of banking77 are held back, to be asked.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.kit.environments import cache_folder
from bench.sides.banking77 import Questions, questions

Numbers = NDArray[np.float32]

REAL = 10_000
"""Questions in the index as they are; also the rows that are made at a time."""
THRESHOLD = 0.95
HITS = 400
_SEED = 7
_NEAREST = np.float32(0.995)
"""The cosine of vectors that are made, where those of two texts are equal."""
_VERSION = 1
"""Changes with what this module makes."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked: vectors, the row that is nearest to each, and its cosine.

    `hits` are vectors near to a row by more than the threshold; `held` are the questions that were held back.
    """

    hits: Numbers
    hit_rows: NDArray[np.int64]
    held: Numbers
    held_rows: NDArray[np.int64]
    held_cosines: Numbers
    held_texts: tuple[str, ...]

    @property
    def misses(self) -> NDArray[np.int64]:
        """The places of the held questions that no row is near to."""
        return np.flatnonzero(self.held_cosines < THRESHOLD)


class Crowd:
    """The vectors of a size, block by block, always the same."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._all = questions()
        self._vectors = self._all.vectors()
        order = np.random.default_rng(_SEED).permutation(len(self._all.texts))
        self._kept, self._held = order[:REAL], order[REAL:]
        self._base = self._vectors[self._kept]

    def text_of(self, row: int) -> str:
        """Give the question of a row."""
        return self._all.texts[int(self._kept[row % REAL])]

    def blocks(self) -> Iterator[Numbers]:
        """Yield all rows, so many at a time."""
        yield self._base[: self.size]
        if self.size > REAL:
            near = _nearest_cosines(self._base)
            for block in range(1, -(-self.size // REAL)):
                noise = np.random.default_rng([_SEED, block])
                yield around(self._base, near, noise)[: self.size - block * REAL]

    def rows(self) -> Numbers:
        """Give all rows in one array."""
        whole = np.empty((self.size, self._base.shape[1]), np.float32)
        for number, block in enumerate(self.blocks()):
            whole[number * REAL : number * REAL + len(block)] = block
        return whole

    def asked(self) -> Asked:
        """Give what is asked."""
        path = self._path(self._all)
        if not path.exists():
            self._make(path)
        with np.load(path) as made:
            texts = tuple(self._all.texts[place] for place in self._held)
            return Asked(held=self._vectors[self._held], held_texts=texts, **made)

    def _path(self, all_: Questions) -> Path:
        return cache_folder() / f"{all_.path.stem}-asked-{self.size}-{_VERSION}.npz"

    def _make(self, path: Path) -> None:
        """Find by comparing everything what is nearest to what is asked."""
        chance = np.random.default_rng([_SEED, self.size])
        chosen = np.sort(chance.choice(self.size, HITS, replace=False))
        hits = np.empty((HITS, self._base.shape[1]), np.float32)
        for number, block in enumerate(self.blocks()):
            here = np.flatnonzero(chosen // REAL == number)
            wanted = chance.uniform(THRESHOLD + 0.005, 0.99, len(here)).astype(np.float32)
            hits[here] = around(block[chosen[here] % REAL], wanted, chance)
        hit_rows, _ = self._nearest(hits)
        held_rows, held_cosines = self._nearest(self._vectors[self._held])
        making = path.with_suffix(f".{os.getpid()}.npz")
        np.savez(making, hits=hits, hit_rows=hit_rows, held_rows=held_rows, held_cosines=held_cosines)
        making.replace(path)

    def _nearest(self, wanted: Numbers) -> tuple[NDArray[np.int64], Numbers]:
        rows = np.zeros(len(wanted), np.int64)
        cosines = np.full(len(wanted), -1, np.float32)
        for number, block in enumerate(self.blocks()):
            found = wanted @ block.T
            best = found.argmax(axis=1)
            cosine = found[np.arange(len(wanted)), best]
            rows = np.where(cosine > cosines, best + number * REAL, rows)
            cosines = np.maximum(cosine, cosines)
        return rows, cosines


def around(vectors: Numbers, cosines: Numbers, chance: np.random.Generator) -> Numbers:
    """Give for each vector another one at that cosine, in a direction that is drawn."""
    drawn = chance.standard_normal(vectors.shape, dtype=np.float32)
    drawn -= np.einsum("ij,ij->i", drawn, vectors)[:, None] * vectors
    drawn /= np.linalg.norm(drawn, axis=1)[:, None]
    sines = np.sqrt(1 - cosines**2)
    made: Numbers = (cosines[:, None] * vectors + sines[:, None] * drawn).astype(np.float32, copy=False)
    made /= np.linalg.norm(made, axis=1)[:, None]
    return made


def _nearest_cosines(vectors: Numbers) -> Numbers:
    """Give the cosine of each vector to the nearest other one."""
    found = np.empty(len(vectors), np.float32)
    for start in range(0, len(vectors), 1_000):
        cosines = vectors[start : start + 1_000] @ vectors.T
        cosines[np.arange(len(cosines)), np.arange(start, start + len(cosines))] = -1
        found[start : start + 1_000] = cosines.max(axis=1)
    return np.minimum(found, _NEAREST)
