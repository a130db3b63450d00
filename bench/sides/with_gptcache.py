"""Peer: GPTCache on SQLite and faiss with SIZE questions, its `get` by a vector that is there, and its `put`."""
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import gc
import os
import sys
import time

from gptcache import Cache
from gptcache.adapter.api import get, put
from gptcache.manager import CacheBase, VectorBase, get_data_manager
from gptcache.processor.pre import get_prompt
from gptcache.similarity_evaluation.distance import SearchDistanceEvaluation

from bench.sides.asked import figures_of
from bench.sides.many_questions import Crowd, Numbers
from bench.sides.meter import folder, print_figures
from bench.sides.processes import memory_mb

DIMENSIONS = 384
AT_ONCE = 1_000
PUTS = 100


class Ready:
    """Vectors by text."""

    def __init__(self) -> None:
        self.vectors: dict[str, Numbers] = {}

    def __call__(self, text: str, **_: object) -> Numbers:
        """Give the vector of a text."""
        return self.vectors[text]


def opened(ready: Ready) -> Cache:
    """Give an empty cache as its manual shows it, in this run's folder."""
    os.chdir(folder())
    data = get_data_manager(CacheBase("sqlite"), VectorBase("faiss", dimension=DIMENSIONS), max_size=10_000_000)
    cache = Cache()
    cache.init(
        pre_embedding_func=get_prompt,
        embedding_func=ready,
        data_manager=data,
        similarity_evaluation=SearchDistanceEvaluation(),
    )
    return cache


def fill(cache: Cache, ready: Ready, crowd: Crowd) -> None:
    """Put the questions in, many at a time."""
    start = 0
    for block in crowd.blocks():
        for begin in range(0, len(block), AT_ONCE):
            some = block[begin : begin + AT_ONCE]
            rows = range(start + begin, start + begin + len(some))
            texts = [f"{row}: {crowd.text_of(row)}" for row in rows]
            ready.vectors = dict(zip(texts, some, strict=True))
            cache.import_data(questions=texts, answers=[f"Answer {row}" for row in rows])
        start += len(block)
    cache.flush()


def main() -> None:
    """Measure at the size that the command line names."""
    ready, crowd = Ready(), Crowd(int(sys.argv[1]))
    asked, cache = crowd.asked(), opened(ready)
    gc.collect()
    before = memory_mb(os.getpid())
    fill(cache, ready, crowd)
    grown = memory_mb(os.getpid()) - before
    ready.vectors = {f"hit {place}": vector for place, vector in enumerate(asked.hits)}
    times_ms: list[float] = []
    cpu_s, right = time.process_time(), 0
    for place, row in enumerate(asked.hit_rows):
        begun = time.perf_counter()
        answer = get(f"hit {place}", cache_obj=cache)
        times_ms.append((time.perf_counter() - begun) * 1_000)
        right += answer == f"Answer {row}"
    cpu_ms = (time.process_time() - cpu_s) * 1_000 / len(times_ms)
    ready.vectors = {f"put {place}": vector for place, vector in enumerate(asked.held[:PUTS])}
    begun = time.perf_counter()
    for place in range(PUTS):
        put(f"put {place}", "Answer", cache_obj=cache)
    per_s = PUTS / (time.perf_counter() - begun)
    if right < len(times_ms):
        raise SystemExit(f"{right} of {len(times_ms)} answers are those of the nearest question")
    print_figures({**dict(figures_of("hit", times_ms)), "hit cpu ms": cpu_ms, "index MB": grown, "per_s": per_s})


if __name__ == "__main__":
    main()
