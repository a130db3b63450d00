"""Questions with their vectors, on every database: each comes with an answer, and goes with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cuewire.model.cache import CacheEntry, Question
from cuewire.model.embeddings import signs
from cuewire.ports import CacheStore, QuestionStore
from cuewire.stores.cache import SqlCacheStore
from cuewire.stores.questions import SqlQuestionStore
from tests.support.questions import drawn, nearest, question, turned
from tests.support.stores import KINDS, NOON, Stores, cache_entry, draft, opened

SECOND = timedelta(seconds=1)
HERE = drawn(7, dimensions=13)
MINE, YOURS = "a" * 64, "b" * 64


@pytest.fixture(params=KINDS)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with opened(request.param, tmp_path) as stores:
        await stores.prompts.publish(draft("greet", text="one"))
        await stores.prompts.publish(draft("greet", text="two"))
        yield stores


@pytest.fixture
def cache(stores: Stores) -> CacheStore:
    return SqlCacheStore(stores.database)


@pytest.fixture
def questions(stores: Stores) -> QuestionStore:
    return SqlQuestionStore(stores.database)


async def put(cache: CacheStore, number: int, asked: Question, **fields: Any) -> CacheEntry:
    entry = cache_entry(f"{number:064}", **fields)
    await cache.put(entry, question=asked)
    return entry


async def numbers(questions: QuestionStore, partition: str = MINE) -> list[int]:
    return [row.id for row in await questions.since(partition, after=0, limit=99)]


async def test_the_signs_of_a_partition_come_by_their_numbers_page_by_page(
    cache: CacheStore, questions: QuestionStore
) -> None:
    vectors = [drawn(seed, dimensions=13) for seed in range(5)]
    for number, vector in enumerate(vectors):
        await put(cache, number, question(vector, partition=MINE))
        await put(cache, number + 50, question(HERE, partition=YOURS))

    whole = [*await questions.since(MINE, after=0, limit=99)]
    first = await questions.since(MINE, after=0, limit=2)
    rest = await questions.since(MINE, after=first[-1].id, limit=99)

    assert [row.signs for row in whole] == [signs(vector) for vector in vectors]
    assert [row.id for row in whole] == sorted({row.id for row in whole})
    assert ([*first, *rest], len(first)) == (whole, 2)
    assert [*await questions.since(MINE, after=whole[-1].id, limit=99)] == []
    assert [*await questions.since("c" * 64, after=0, limit=99)] == []


async def test_an_answer_without_a_question_is_near_to_none(cache: CacheStore, questions: QuestionStore) -> None:
    await cache.put(cache_entry())

    assert await numbers(questions) == []


async def test_an_answer_that_is_got_anew_keeps_its_question(cache: CacheStore, questions: QuestionStore) -> None:
    await put(cache, 1, question(HERE, partition=MINE, text="is it late"), text="yes")
    (before,) = await numbers(questions)

    await put(cache, 1, question(turned(HERE, 0.5), partition=YOURS, text="is it early"), text="no")
    renewed = cache_entry(f"{1:064}", text="well")
    await cache.put(renewed)
    (found,) = await nearest(questions, [before], question(HERE, partition=MINE), now=NOON)

    assert (await numbers(questions), await numbers(questions, YOURS)) == ([before], [])
    assert (found.text, found.entry) == ("is it late", renewed)


async def test_the_nearest_come_first_with_their_answers_and_their_cosines(
    cache: CacheStore, questions: QuestionStore
) -> None:
    cosines = (0.5, 0.99, -0.25)
    entries = [
        await put(cache, number, question(turned(HERE, by), partition=MINE, text=f"{by}"))
        for number, by in enumerate(cosines)
    ]

    found = await nearest(questions, await numbers(questions), question(HERE, partition=MINE), now=NOON)
    few = await nearest(questions, (await numbers(questions))[:1], question(HERE, partition=MINE), now=NOON)

    assert [neighbour.text for neighbour in found] == ["0.99", "0.5", "-0.25"]
    assert [neighbour.entry for neighbour in found] == [entries[1], entries[0], entries[2]]
    assert [neighbour.similarity for neighbour in found] == pytest.approx([0.99, 0.5, -0.25], abs=1e-6)
    assert [neighbour.text for neighbour in few] == ["0.5"]
    near = await questions.near(await numbers(questions), question(HERE, partition=MINE), threshold=0.4, now=NOON)
    none = await questions.near(await numbers(questions), question(HERE, partition=MINE), threshold=0.999, now=NOON)
    assert (near.answered, [neighbour.text for neighbour in near.found]) == (3, ["0.99", "0.5"])
    assert (none.answered, list(none.found)) == (3, [])


async def test_equally_near_ones_always_come_in_the_same_order(cache: CacheStore, questions: QuestionStore) -> None:
    for number in (3, 1, 2):
        await put(cache, number, question(HERE, partition=MINE))

    found = await nearest(questions, await numbers(questions), question(HERE, partition=MINE), now=NOON)

    assert [int(neighbour.entry.key) for neighbour in found] == [1, 2, 3]


async def test_what_has_expired_is_near_to_nothing_and_neither_is_another_partition_s(
    cache: CacheStore, questions: QuestionStore
) -> None:
    await put(cache, 1, question(HERE, partition=MINE, text="ends"), expires_at=NOON + SECOND)
    await put(cache, 2, question(HERE, partition=MINE, text="stays"))
    await put(cache, 3, question(HERE, partition=YOURS, text="theirs"))
    ids = [*await numbers(questions), *await numbers(questions, YOURS), 999]

    before = await nearest(questions, ids, question(HERE, partition=MINE), now=NOON)
    after = await nearest(questions, ids, question(HERE, partition=MINE), now=NOON + SECOND)
    none = await nearest(questions, [], question(HERE, partition=MINE), now=NOON)

    assert [neighbour.text for neighbour in before] == ["ends", "stays"]
    assert [neighbour.text for neighbour in after] == ["stays"]
    assert [*none] == []


async def test_a_question_goes_with_its_answer_and_its_number_is_no_other_s(
    cache: CacheStore, questions: QuestionStore
) -> None:
    await put(cache, 1, question(HERE, partition=MINE), version_id=1)
    await put(cache, 2, question(HERE, partition=MINE), version_id=2)
    await put(cache, 3, question(HERE, partition=MINE), version_id=2, expires_at=NOON)
    before = await numbers(questions)

    await cache.clear(version_ids=[1])
    cleared = await numbers(questions)
    await cache.sweep(now=NOON, limit=9)
    swept = await numbers(questions)
    await put(cache, 4, question(HERE, partition=MINE))

    assert (cleared, swept) == (before[1:], before[1:2])
    assert (await numbers(questions))[-1] > before[-1]
