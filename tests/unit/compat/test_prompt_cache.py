"""When the source is asked, what is returned meanwhile, and what when it does not answer. The desk is a stand-in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from math import inf
from threading import Barrier, Event
from types import SimpleNamespace
from typing import Any

import pytest

from cuewire.clock import SystemClock
from cuewire.compat.process_app import RETRY_S
from cuewire.compat.prompt_cache import PromptCache, Wanted
from cuewire.model.errors import CuewireError, PromptNotFound, ServerUnavailable
from cuewire.model.prompts import PromptVersion
from tests.support.langfuse_programs import DEADLINE_S, eventually
from tests.support.scripted_cuewire import version

WANTED = Wanted("triage@production", ttl_s=60, timeout_s=1, retries=2)
AWAY = ServerUnavailable("away")
GONE = PromptNotFound("gone")


class MovedClock(SystemClock):
    """Goes when it is told to."""

    at = 1_000.0

    def monotonic(self) -> float:
        return self.at


class Source:
    """A reader and its desk: it gives what it is told to, when it may."""

    def __init__(self) -> None:
        self.answer: PromptVersion | CuewireError = version(1).version()
        self.old: PromptVersion | None = None
        self.reads = 0
        self.cancelled = Event()
        self.may_answer = Event()
        self.may_answer.set()
        self.may_retry = False

    async def open(self) -> Any:
        return SimpleNamespace(reader=self, close=self.close)

    async def read(
        self, reference: str, *, timeout_s: float, retries: int, on_failure: Callable[[CuewireError], None]
    ) -> PromptVersion:
        self.reads += 1
        if self.may_retry:
            on_failure(AWAY)
        try:
            await asyncio.to_thread(self.may_answer.wait, DEADLINE_S)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        if isinstance(self.answer, CuewireError):
            raise self.answer
        return self.answer

    async def last_known(self, reference: str) -> PromptVersion | None:
        return self.old

    async def close(self) -> None:
        pass


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def cache(source: Source, clock: MovedClock) -> Iterator[PromptCache]:
    made = PromptCache(source.open, clock=clock)
    yield made
    made.close()


def number(cache: PromptCache, wanted: Wanted = WANTED) -> int:
    return cache.get(wanted).number


def test_threads_that_ask_at_once_share_one_reading(cache: PromptCache, source: Source) -> None:
    begin = Barrier(16)
    source.may_answer.clear()

    def ask(_: int) -> int:
        begin.wait()
        return number(cache)

    with ThreadPoolExecutor(16) as threads:
        asking = [threads.submit(ask, place) for place in range(16)]
        eventually(lambda: source.reads == 1)
        source.may_answer.set()
        numbers = {each.result() for each in asking}

    assert numbers == {1}
    assert source.reads == 1


def test_a_version_is_returned_once_more_while_it_is_read_again(
    cache: PromptCache, source: Source, clock: MovedClock
) -> None:
    numbers = [number(cache)]
    source.answer = version(2).version()
    clock.at += 59.9
    numbers.append(number(cache))
    reads = source.reads
    clock.at += 0.2
    numbers.append(number(cache))
    eventually(lambda: cache.known(WANTED.reference) == source.answer)
    numbers.append(number(cache))

    assert numbers == [1, 1, 1, 2]
    assert (reads, source.reads) == (1, 2)


def test_a_version_of_twice_the_age_is_not_returned_while_the_source_answers(
    cache: PromptCache, source: Source, clock: MovedClock
) -> None:
    number(cache)
    source.answer = version(2).version()
    clock.at += 120

    assert number(cache) == 2


def test_each_caller_says_how_old_a_version_may_be(cache: PromptCache, source: Source, clock: MovedClock) -> None:
    number(cache, WANTED._replace(ttl_s=inf))
    source.answer = version(2).version()
    clock.at += 10_000

    assert number(cache, WANTED._replace(ttl_s=inf)) == 1
    assert number(cache, WANTED) == 2
    for reads in (3, 4):
        source.answer = version(reads).version()
        clock.at += 0.001
        assert number(cache, WANTED._replace(ttl_s=0)) == reads
    assert source.reads == 4


def test_what_is_gone_is_an_error_and_not_old_text_once_its_time_has_passed(
    cache: PromptCache, source: Source, clock: MovedClock
) -> None:
    number(cache)
    source.answer = GONE
    clock.at += 61

    assert number(cache) == 1
    eventually(lambda: cache.known(WANTED.reference) is None)
    with pytest.raises(PromptNotFound):
        number(cache)
    with pytest.raises(PromptNotFound):
        number(cache, WANTED._replace(has_fallback=True))


def test_while_the_source_is_away_the_last_version_stays_and_the_source_is_asked_now_and_then(
    cache: PromptCache, source: Source, clock: MovedClock
) -> None:
    number(cache)
    source.answer = AWAY
    clock.at += 1_000

    for _ in range(3):
        assert number(cache) == 1
    assert source.reads == 2

    clock.at += RETRY_S
    source.answer = version(2).version()
    assert number(cache) == 2


def test_a_version_from_the_disk_will_do_when_the_source_is_slow_and_is_replaced_when_it_answers(
    cache: PromptCache, source: Source
) -> None:
    source.may_answer.clear()
    source.old = version(1).version()
    source.answer = version(2).version()

    assert number(cache) == 1
    assert source.reads == 1

    source.may_answer.set()
    eventually(lambda: number(cache) == 2)


def test_a_version_from_the_disk_is_not_wanted_when_the_source_says_that_it_is_gone(
    cache: PromptCache, source: Source
) -> None:
    source.old = version(1).version()
    source.answer = GONE

    with pytest.raises(PromptNotFound):
        number(cache)


def test_who_has_a_fallback_waits_for_no_second_try_and_is_not_kept_waiting_again(
    cache: PromptCache, source: Source, clock: MovedClock
) -> None:
    source.may_retry = True
    source.may_answer.clear()
    wanted = WANTED._replace(has_fallback=True)
    with pytest.raises(ServerUnavailable):
        number(cache, wanted)

    source.answer = AWAY
    source.may_answer.set()
    with pytest.raises(ServerUnavailable):
        number(cache)
    reads = source.reads
    with pytest.raises(ServerUnavailable):
        number(cache, wanted)
    assert source.reads == reads, "it failed a moment ago"

    clock.at += RETRY_S
    source.answer = version(1).version()
    source.may_retry = False
    assert number(cache, wanted) == 1


def test_what_was_being_read_when_a_prompt_changed_is_not_kept(cache: PromptCache, source: Source) -> None:
    source.may_answer.clear()
    with ThreadPoolExecutor(1) as thread:
        asking = thread.submit(number, cache)
        eventually(lambda: source.reads == 1)
        cache.forget("triage")
        source.may_answer.set()
        assert asking.result() == 1
    source.answer = version(2).version()

    assert number(cache) == 2


def test_what_failed_before_a_prompt_changed_takes_nothing_away_that_was_read_since(
    cache: PromptCache, source: Source
) -> None:
    source.answer = GONE
    source.may_answer.clear()
    with ThreadPoolExecutor(1) as thread:
        asking = thread.submit(number, cache)
        eventually(lambda: source.reads == 1)
        cache.forget("triage")
        cache.keep(WANTED.reference, version(2).version())
        source.may_answer.set()
        assert isinstance(asking.exception(), PromptNotFound)

    assert number(cache) == 2


def test_only_the_prompt_that_changed_is_forgotten(cache: PromptCache) -> None:
    other = WANTED._replace(reference="triage-more@production")
    for each in (WANTED, other):
        number(cache, each)

    cache.forget("triage")

    assert cache.known(WANTED.reference) is None
    assert cache.known(other.reference) is not None


def test_closing_gives_up_what_is_being_read_and_the_next_need_opens_anew(
    cache: PromptCache, source: Source, clock: MovedClock
) -> None:
    number(cache)
    source.may_answer.clear()
    clock.at += 61
    number(cache)
    eventually(lambda: source.reads == 2)

    cache.close()

    assert source.cancelled.is_set()
    source.may_answer.set()
    source.answer = version(2).version()
    assert number(cache) == 1
    clock.at += RETRY_S
    number(cache)
    eventually(lambda: number(cache) == 2)
