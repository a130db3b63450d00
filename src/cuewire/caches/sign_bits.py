"""Rows of bits in memory, searched by counting the bits in which they differ: with numpy where that is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from heapq import nsmallest
from importlib.util import find_spec
from math import sqrt
from typing import TYPE_CHECKING

from cuewire.model.embeddings import Vector, cosines_of
from cuewire.ports import Cosines, SignIndex, Signs

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

_FIRST_ROWS = 64
_BLOCK = 32_768
"""Rows whose counts stay in the processor's cache."""


def make_sign_index() -> Callable[[], SignIndex]:
    """Return what makes an index: ten times as fast if numpy is installed, as `cuewire[vectors]` has it."""
    return NumpyIndex if find_spec("numpy") else PlainIndex


def make_cosines() -> Cosines:
    """Return what compares vectors: a hundred times as fast if numpy is installed."""
    return _cosines if find_spec("numpy") else cosines_of


def _cosines(vector: Vector, others: Sequence[bytes]) -> Sequence[float]:
    import numpy

    rows = numpy.frombuffer(b"".join(others), dtype="<f4").reshape(len(others), len(vector)).astype(numpy.float64)
    found: list[float] = numpy.clip(rows @ numpy.asarray(vector, dtype=numpy.float64), -1.0, 1.0).tolist()
    return found


def _telling_words(within: int, *, most: int) -> int:
    """Return how many words tell of nearly all rows that they differ in too many bits, so that no others are counted.

    Rows that have nothing to do with each other differ in half of the bits: in 32 of each word, with a deviation of 4.
    """
    return next((count for count in range(1, most) if 32 * count - 3 * 4 * sqrt(count) >= within), most)


class PlainIndex:
    """Implements `SignIndex` with nothing but Python: 0.1 us a row."""

    def __init__(self) -> None:
        self._ids: list[int] = []
        self._rows: list[int] = []

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, rows: Sequence[Signs]) -> None:
        """Add rows."""
        for row in rows:
            self._ids.append(row.id)
            self._rows.append(int.from_bytes(row.signs, "little"))

    def near(self, signs: bytes, *, within: int, limit: int) -> Sequence[int]:
        """Return the numbers of the rows that differ least."""
        wanted = int.from_bytes(signs, "little")
        apart = ((row ^ wanted).bit_count() for row in self._rows)
        near = ((bits, id_) for bits, id_ in zip(apart, self._ids, strict=True) if bits <= within)
        return [id_ for _, id_ in nsmallest(limit, near)]


class NumpyIndex:
    """Implements `SignIndex` with numpy: 5 ns a row of 384 bits. Each 64 bits of all rows are kept side by side."""

    def __init__(self) -> None:
        import numpy  # 60 ms, and not needed before there is a question to compare

        self._numpy = numpy
        self._ids: NDArray[numpy.int64] = numpy.empty(0, dtype=numpy.int64)
        self._words: NDArray[numpy.uint64] = numpy.empty((0, 0), dtype=numpy.uint64)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, rows: Sequence[Signs]) -> None:
        """Add rows."""
        if not rows:
            return
        start, end = self._count, self._count + len(rows)
        if end > len(self._ids):
            self._grow(max(_FIRST_ROWS, 2 * len(self._ids), end), width=(len(rows[0].signs) + 7) // 8)
        self._words[:, start:end] = self._split(row.signs for row in rows).T
        self._ids[start:end] = [row.id for row in rows]
        self._count = end

    def near(self, signs: bytes, *, within: int, limit: int) -> Sequence[int]:
        """Return the numbers of the rows that differ least."""
        if not self._count:
            return ()
        numpy, wanted = self._numpy, self._split([signs])[0]
        telling = _telling_words(within, most=len(wanted))
        places, distances = [], []
        for start in range(0, self._count, _BLOCK):
            end = min(start + _BLOCK, self._count)
            apart = numpy.zeros(end - start, dtype=numpy.uint16)
            for words, word in zip(self._words[:telling], wanted[:telling], strict=True):
                apart += numpy.bitwise_count(words[start:end] ^ word)
            found = numpy.flatnonzero(apart <= within)
            if not found.size:
                continue
            apart = apart[found]
            for words, word in zip(self._words[telling:], wanted[telling:], strict=True):
                apart += numpy.bitwise_count(words[start:end][found] ^ word)
            places.append(found + start)
            distances.append(apart)
        if not places:
            return ()
        apart = numpy.concatenate(distances)
        is_near = apart <= within
        ids = self._ids[numpy.concatenate(places)[is_near]]
        order = numpy.lexsort((ids, apart[is_near]))[:limit]
        nearest: list[int] = ids[order].tolist()
        return nearest

    def _split(self, rows: Iterable[bytes]) -> NDArray[numpy.uint64]:
        width = len(self._words)
        data = b"".join(signs.ljust(8 * width, b"\0") for signs in rows)
        words: NDArray[numpy.uint64] = self._numpy.frombuffer(data, dtype="<u8").reshape(-1, width)
        return words

    def _grow(self, size: int, *, width: int) -> None:
        numpy, count = self._numpy, self._count
        words = numpy.zeros((width, size), dtype=numpy.uint64)
        ids = numpy.zeros(size, dtype=numpy.int64)
        if count:
            words[:, :count], ids[:count] = self._words[:, :count], self._ids[:count]
        self._words, self._ids = words, ids
