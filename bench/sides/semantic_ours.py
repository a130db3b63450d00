"""Ours: an answer to a similar question out of a SQLite file that holds SIZE of them, by a vector that is there.

Also what it costs to find none, to load the index, to keep an answer with its question, and how often the signs miss.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import gc
import os
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from bench.sides.asked import figures_of
from bench.sides.many_questions import THRESHOLD, Asked, Crowd, Numbers
from bench.sides.meter import folder, print_figures
from bench.sides.processes import memory_mb
from bench.sides.question_shelf import filled_file, floats, row_of
from cuewire.clock import SystemClock
from cuewire.engine.nearby import Nearby
from cuewire.engine.wording import difference
from cuewire.model.cache import Question
from cuewire.model.embeddings import unit
from cuewire.stores.cache import SqlCacheStore
from cuewire.stores.database import OpenDatabase
from cuewire.stores.places import place_of
from cuewire.stores.schema import cache_questions
from cuewire.wiring.cache import make_nearby

MISSES, PUTS, MOST = 400, 200, 1_000
_ROUNDED = 1e-5
LOOSER = (0.8, 0.9, THRESHOLD)
"""Thresholds at which is counted how often the nearest question is found; the lower, the more differ in their bits."""


class Search:
    """Looks for questions in one database, each in the partition that the engine has put the others into."""

    def __init__(self, nearby: Nearby, partition: str) -> None:
        self._nearby = nearby
        self._partition = partition

    def forget(self) -> None:
        """Let go of the index."""
        del self._nearby

    def question(self, vector: Numbers, text: str) -> Question:
        """Give what is looked for."""
        return Question(partition=self._partition, subject="", text=text, vector=unit(floats(vector)))

    async def hit_ms(self, question: Question, row: int) -> float:
        """Give the milliseconds until the answer is there; ends this process if it is another."""
        begun = time.perf_counter()
        found = await self._nearby.find(question, threshold=THRESHOLD)
        answer = next((each.entry.text for each in found if not difference(question.text, each.text)), None)
        ended = time.perf_counter()
        if answer is None or row_of(answer) != row:
            raise SystemExit(f"the answer of row {row} was to be found, and not {answer!r}")
        return (ended - begun) * 1_000

    async def miss_ms(self, question: Question) -> float:
        """Give the milliseconds until it is known that there is none."""
        begun = time.perf_counter()
        if await self._nearby.find(question, threshold=THRESHOLD):
            raise SystemExit("there is a question that is near, and there should be none")
        return (time.perf_counter() - begun) * 1_000

    async def is_nearest(self, question: Question, cosine: float, threshold: float) -> bool:
        """Tell whether what is found first is as near as the nearest one; of several at one cosine any will do."""
        found = await self._nearby.find(question, threshold=threshold)
        return bool(found) and found[0].similarity >= cosine - _ROUNDED


async def searched(search: Search, other: Search, crowd: Crowd, asked: Asked) -> AsyncIterator[tuple[str, float]]:
    """Yield the figures of the search."""
    hits = [
        (search.question(vector, crowd.text_of(row)), int(row))
        for vector, row in zip(asked.hits, asked.hit_rows, strict=True)
    ]
    misses = [search.question(asked.held[place], asked.held_texts[place]) for place in asked.misses[:MISSES]]
    await other.miss_ms(misses[0])  # so that all but the index is loaded, what the database keeps of its file above all
    other.forget()
    trim()
    before, begun = memory_mb(os.getpid()), time.perf_counter()
    await search.miss_ms(misses[0])
    yield "load s", time.perf_counter() - begun
    trim()
    yield "index MB", memory_mb(os.getpid()) - before
    begun = time.process_time()
    for name, ms in figures_of("hit", [await search.hit_ms(question, row) for question, row in hits]):
        yield name, ms
    yield "hit cpu ms", (time.process_time() - begun) * 1_000 / len(hits)
    for name, ms in figures_of("miss", [await search.miss_ms(question) for question in misses]):
        yield name, ms
    for threshold in LOOSER:
        places = np.flatnonzero(asked.held_cosines >= threshold)[:MOST]
        first = [
            await search.is_nearest(
                search.question(asked.held[place], asked.held_texts[place]), float(asked.held_cosines[place]), threshold
            )
            for place in places
        ]
        yield f"recall@1 at {threshold:g}", sum(first) / len(first)
        yield f"of {threshold:g}", len(first)


async def put_ms(store: SqlCacheStore, question: Question) -> Sequence[float]:
    """Give the milliseconds that it took to keep an answer with its question, one time after another."""
    (entry,) = (await store.list(limit=1)).items
    times: list[float] = []
    for number in range(PUTS):
        begun = time.perf_counter()
        await store.put(replace(entry, key=f"put-{number}"), question=replace(question, partition="put"))
        times.append((time.perf_counter() - begun) * 1_000)
    return times


async def partition_of(database: OpenDatabase) -> str:
    """Give the partition of the questions."""
    query = cache_questions.select().limit(1)
    partition: str = await database.read(lambda connection: connection.execute(query).one().partition)
    return partition


def trim() -> None:
    """Give back to the system what is free, so that the memory in use shows."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def put_figures(times_ms: Sequence[float]) -> Iterator[tuple[str, float]]:
    """Give how many are kept in a second."""
    yield "per_s", len(times_ms) / sum(times_ms) * 1_000


async def main() -> None:
    """Measure at the size that the command line names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("size", type=int)
    crowd = Crowd(parser.parse_args().size)
    asked, clock = crowd.asked(), SystemClock()
    url = await filled_file(crowd, Path(folder()) / "questions.db")
    database = await place_of(url).open(clock=clock)
    try:
        partition = await partition_of(database)
        search, other = (Search(make_nearby(database, clock=clock), partition) for _ in range(2))
        figures = {name: value async for name, value in searched(search, other, crowd, asked)}
        question = search.question(asked.held[0], asked.held_texts[0])
        figures |= dict(put_figures(await put_ms(SqlCacheStore(database), question)))
    finally:
        await database.close()
    print_figures(figures)


if __name__ == "__main__":
    asyncio.run(main())
