"""Questions with vectors, in memory: what a store has of them, and how often it was asked."""

from __future__ import annotations

import asyncio
import random
from array import array
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from cuewire.clock import SystemClock
from cuewire.model.cache import CacheEntry, CacheMatch, Neighbour, Question
from cuewire.model.embeddings import Vector, cosine, cosines_of, packed, signs, unit
from cuewire.model.errors import StoreBusy
from cuewire.ports import Near, QuestionStore, Signs
from tests.support.stores import NOON, cache_entry, execution_id


class MovedClock(SystemClock):
    """A clock that is moved by hand."""

    at = 1_000.0

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.at - 1_000)

    def monotonic(self) -> float:
        return self.at


def drawn(seed: int, *, dimensions: int = 64) -> Vector:
    """Return a vector of length 1 that points anywhere, the same for the same seed."""
    chance = random.Random(seed)
    return unit(array("d", [chance.gauss(0, 1) for _ in range(dimensions)]))


def turned(vector: Vector, by: float, *, seed: int = 0) -> Vector:
    """Return a vector of length 1 whose cosine with one of length 1 is `by`."""
    other = drawn(seed + 1_000_003, dimensions=len(vector))
    product = cosine(vector, other)
    across = unit(array("d", [there - product * here for here, there in zip(vector, other, strict=True)]))
    beside = (1 - by * by) ** 0.5
    return unit(array("d", [by * here + beside * there for here, there in zip(vector, across, strict=True)]))


def question(vector: Vector, *, partition: str = "p" * 64, text: str = "is it late") -> Question:
    """Return a question of a partition."""
    return Question(partition=partition, subject="s" * 64, text=text, vector=vector)


def match(version_id: int = 1, **fields: Any) -> CacheMatch:
    """Return a match of a version of the prompt `greet`."""
    plain = CacheMatch(
        execution_id=execution_id(),
        version_id=version_id,
        prompt="greet",
        version=1,
        subject="s" * 64,
        source_id=execution_id(),
        similarity=0.975,
        text="Is it late – äöü 😀?",
        matched_text="is it late",
        created_at=NOON,
    )
    return replace(plain, **fields)


async def nearest(
    store: QuestionStore, ids: Sequence[int], asked: Question, *, now: datetime, threshold: float = -1.0
) -> Sequence[Neighbour]:
    """Return those of the numbered questions that have an answer and are near enough, the nearest first."""
    return (await store.near(ids, asked, threshold=threshold, now=now)).found


class QuestionsInMemory:
    """Implements `QuestionStore`. What has gone has no answer; it fails while it is away, and waits if held."""

    def __init__(self) -> None:
        self.rows: dict[int, tuple[Question, CacheEntry]] = {}
        self.gone: set[int] = set()
        self.looks: list[tuple[str, int]] = []
        self.is_away = False
        self.held: dict[str, asyncio.Event] = {}

    def hold(self, partition: str) -> None:
        """Let who looks for a partition's questions wait for its event."""
        self.held[partition] = asyncio.Event()

    def put(self, asked: Question, *, number: int | None = None) -> int:
        """Store a question under a number, the next one if not said."""
        number = number or max(self.rows, default=0) + 1
        self.rows[number] = (asked, cache_entry(f"{number:064}"))
        return number

    async def since(self, partition: str, *, after: int, limit: int) -> Sequence[Signs]:
        self.looks.append((partition, after))
        found = [
            Signs(number, signs(asked.vector))
            for number, (asked, _) in sorted(self.rows.items())
            if asked.partition == partition and number > after
        ]
        if partition in self.held:
            await self.held[partition].wait()
        if self.is_away:
            raise StoreBusy("the store is away")
        return found[:limit]

    async def near(self, ids: Sequence[int], question: Question, *, threshold: float, now: datetime) -> Near:
        there = [self.rows[number] for number in ids if number not in self.gone]
        cosines = cosines_of(question.vector, [packed(asked.vector) for asked, _ in there])
        near = [
            Neighbour(asked.text, cosine, entry)
            for (asked, entry), cosine in zip(there, cosines, strict=True)
            if cosine >= threshold
        ]
        return Near(len(there), sorted(near, key=lambda neighbour: -neighbour.similarity))
