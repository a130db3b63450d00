"""Earlier questions are found wherever they were asked, and memory keeps only where to look for them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuewire.caches.sign_bits import PlainIndex
from cuewire.engine.nearby import COMPARED, LATE, LOOK_S, RELOAD_S, Nearby, most_apart
from cuewire.model.errors import StoreBusy
from tests.support.questions import MovedClock, QuestionsInMemory, drawn, question, turned

HERE = drawn(7)
MINE, YOURS = "a" * 64, "b" * 64


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
async def store() -> QuestionsInMemory:
    return QuestionsInMemory()


@pytest.fixture
def nearby(store: QuestionsInMemory, clock: MovedClock) -> Nearby:
    return Nearby(store, make_index=PlainIndex, clock=clock)


async def texts(nearby: Nearby, *, partition: str = MINE, threshold: float = 0.9) -> list[str]:
    found = await nearby.find(question(HERE, partition=partition), threshold=threshold)
    return [neighbour.text for neighbour in found]


async def test_the_nearest_come_first_and_none_below_the_threshold_or_of_another_partition(
    store: QuestionsInMemory, nearby: Nearby
) -> None:
    for seed, by in enumerate((0.92, 0.89, 0.99, 0.95)):
        store.put(question(turned(HERE, by, seed=seed), partition=MINE, text=str(by)))
    store.put(question(HERE, partition=YOURS, text="yours"))

    assert await texts(nearby) == ["0.99", "0.95", "0.92"]
    assert await texts(nearby, threshold=0.95 - 1e-6) == ["0.99", "0.95"]
    assert await texts(nearby, partition=YOURS) == ["yours"]
    assert await texts(nearby, partition="c" * 64) == []


async def test_the_store_is_read_once_until_it_is_time_to_look_again(
    store: QuestionsInMemory, nearby: Nearby, clock: MovedClock
) -> None:
    store.put(question(HERE, partition=MINE, text="first"))
    await texts(nearby)
    store.put(question(HERE, partition=MINE, text="theirs"))
    clock.at += LOOK_S - 0.01

    before = await texts(nearby)
    clock.at += 0.01
    after = await texts(nearby)

    assert (before, after) == (["first"], ["first", "theirs"])
    assert store.looks == [(MINE, 0)] * 2


async def test_what_was_added_here_is_seen_at_once(store: QuestionsInMemory, nearby: Nearby) -> None:
    await texts(nearby)
    mine = question(HERE, partition=MINE, text="mine")
    store.put(mine)

    nearby.added(mine)
    nearby.added(question(HERE, partition=YOURS))

    assert await texts(nearby) == ["mine"]
    assert await texts(nearby) == ["mine"]
    assert len(store.looks) == 2


async def test_what_was_added_while_others_look_is_seen_at_once_too(
    store: QuestionsInMemory, nearby: Nearby, clock: MovedClock
) -> None:
    await texts(nearby)
    clock.at += LOOK_S
    store.hold(MINE)
    looking = asyncio.ensure_future(texts(nearby))
    await asyncio.sleep(0)
    mine = question(HERE, partition=MINE, text="mine")
    store.put(mine)
    nearby.added(mine)

    asking = asyncio.ensure_future(texts(nearby))
    store.held[MINE].set()

    assert await looking == []
    assert await asking == ["mine"]


async def test_many_who_look_for_the_first_time_load_once(store: QuestionsInMemory, nearby: Nearby) -> None:
    store.put(question(HERE, partition=MINE, text="first"))
    store.hold(MINE)

    looking = [asyncio.ensure_future(texts(nearby)) for _ in range(50)]
    await asyncio.sleep(0)
    store.held[MINE].set()

    assert await asyncio.gather(*looking) == [["first"]] * 50
    assert store.looks == [(MINE, 0)]


async def test_a_load_that_fails_is_told_and_tried_again(store: QuestionsInMemory, nearby: Nearby) -> None:
    store.put(question(HERE, partition=MINE, text="first"))
    store.is_away = True

    with pytest.raises(StoreBusy):
        await texts(nearby)
    store.is_away = False

    assert await texts(nearby) == ["first"]


async def test_a_number_that_turns_up_late_is_found_and_none_is_kept_twice(
    store: QuestionsInMemory, nearby: Nearby, clock: MovedClock
) -> None:
    store.put(question(HERE, partition=MINE, text="first"), number=3)
    store.put(question(HERE, partition=MINE, text="newest"), number=1 + LATE)
    await texts(nearby)
    store.put(question(HERE, partition=MINE, text="late"), number=2)
    store.put(question(HERE, partition=MINE, text="too late"), number=1)
    clock.at += LOOK_S

    assert sorted(await texts(nearby)) == ["first", "late", "newest"]


async def test_memory_is_read_anew_once_most_of_what_it_holds_has_gone(
    store: QuestionsInMemory, nearby: Nearby, clock: MovedClock
) -> None:
    for number in range(2 * COMPARED):
        store.put(question(HERE, partition=MINE, text=str(number)))
    await texts(nearby)
    store.gone |= {*range(1, COMPARED + 1)}

    assert [await texts(nearby), await texts(nearby)] == [[], []]
    assert len(store.looks) == 1
    clock.at += RELOAD_S
    assert await texts(nearby) == []
    for number in store.gone:
        del store.rows[number]
    found = await texts(nearby)
    store.gone.clear()

    assert len(found) == COMPARED
    assert store.looks == [(MINE, 0)] * 3


async def test_a_few_that_have_gone_are_left_out_and_nothing_is_read_anew(
    store: QuestionsInMemory, nearby: Nearby, clock: MovedClock
) -> None:
    for number in range(4):
        store.put(question(HERE, partition=MINE, text=str(number)), number=number + 1 + LATE)
    await texts(nearby)
    store.gone |= {1 + LATE, 2 + LATE}
    clock.at += RELOAD_S

    assert [await texts(nearby), await texts(nearby)] == [["2", "3"]] * 2
    assert store.looks == [(MINE, 0), (MINE, 4)]


async def test_partitions_that_nobody_asks_for_make_room(store: QuestionsInMemory, clock: MovedClock) -> None:
    nearby = Nearby(store, make_index=PlainIndex, clock=clock, max_rows=250)
    for partition in (MINE, YOURS, "c" * 64):
        await texts(nearby, partition=partition)

    for partition in ("c" * 64, YOURS, MINE, YOURS):
        await texts(nearby, partition=partition)

    assert [partition for partition, _ in store.looks] == [MINE, YOURS, "c" * 64, MINE]


async def test_a_partition_larger_than_memory_may_be_is_searched_all_the_same(
    store: QuestionsInMemory, clock: MovedClock
) -> None:
    nearby = Nearby(store, make_index=PlainIndex, clock=clock, max_rows=1)
    store.put(question(HERE, partition=MINE, text="mine"))

    assert await texts(nearby) == ["mine"]
    assert await texts(nearby, partition=YOURS) == []
    assert await texts(nearby) == ["mine"]


async def test_what_was_forgotten_while_it_was_loaded_counts_no_more(
    store: QuestionsInMemory, clock: MovedClock
) -> None:
    nearby = Nearby(store, make_index=PlainIndex, clock=clock, max_rows=250)
    store.hold(MINE)
    slow = asyncio.ensure_future(texts(nearby))
    await asyncio.sleep(0)
    for partition in (YOURS, "c" * 64, "d" * 64):
        await texts(nearby, partition=partition)
    store.held[MINE].set()
    await slow
    store.looks.clear()

    for partition in ("d" * 64, "c" * 64):
        await texts(nearby, partition=partition)

    assert store.looks == []


async def test_all_pages_of_a_partition_are_read(store: QuestionsInMemory, clock: MovedClock) -> None:
    nearby = Nearby(store, make_index=PlainIndex, clock=clock, page=2)
    for number in range(4):
        store.put(question(HERE, partition=MINE, text=str(number)))

    assert await texts(nearby) == ["0", "1", "2", "3"]
    assert store.looks == [(MINE, 0), (MINE, 2), (MINE, 4)]


class Watched(PlainIndex):
    """An index that notes in which thread it was searched."""

    def __init__(self, threads: list[int]) -> None:
        super().__init__()
        self._threads = threads

    def near(self, signs: bytes, *, within: int, limit: int) -> Sequence[int]:
        self._threads.append(threading.get_ident())
        return super().near(signs, within=within, limit=limit)


@pytest.mark.parametrize(("rows", "is_here"), [(2, True), (3, False)])
async def test_many_rows_are_searched_beside_the_event_loop(
    store: QuestionsInMemory, clock: MovedClock, rows: int, is_here: bool
) -> None:
    threads: list[int] = []
    nearby = Nearby(store, make_index=lambda: Watched(threads), clock=clock, in_thread=2)
    for _ in range(rows):
        store.put(question(HERE, partition=MINE))

    assert len(await texts(nearby)) == rows
    assert [thread == threading.get_ident() for thread in threads] == [is_here]


@settings(max_examples=50)
@given(st.integers(1, 4_096), st.floats(0, 1), st.floats(0, 1))
def test_the_higher_the_threshold_the_fewer_signs_may_differ(dimensions: int, one: float, other: float) -> None:
    low, high = sorted((one, other))

    assert 0 <= most_apart(dimensions, high) <= most_apart(dimensions, low) <= dimensions
    assert most_apart(dimensions, 1) == 0
    assert most_apart(dimensions, 0) >= dimensions / 2


@pytest.mark.parametrize("dimensions", [64, 384])
def test_no_pair_of_vectors_at_the_threshold_is_further_apart_by_its_signs(dimensions: int) -> None:
    chance = numpy.random.default_rng(7)
    one, across = (chance.standard_normal((20_000, dimensions), dtype=numpy.float32) for _ in range(2))
    one /= numpy.linalg.norm(one, axis=1, keepdims=True)
    across -= one * numpy.sum(one * across, axis=1, keepdims=True)
    across /= numpy.linalg.norm(across, axis=1, keepdims=True)

    for threshold in (0.5, 0.8, 0.95, 0.99):
        other = threshold * one + (1 - threshold**2) ** 0.5 * across
        apart = numpy.sum((one > 0) != (other > 0), axis=1)

        assert numpy.abs(numpy.sum(one * other, axis=1) - threshold).max() < 1e-5
        assert most_apart(dimensions, threshold) / 3 < apart.max() <= most_apart(dimensions, threshold)
