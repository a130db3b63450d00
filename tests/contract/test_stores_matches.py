"""Answers that would have been given again, on every database, and what was decided on them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cuewire.model.cache import CacheMatch, Trust
from cuewire.model.errors import InvalidInput, NotFound, StoreError
from cuewire.ports import MatchStore
from cuewire.stores.matches import SqlMatchStore
from tests.support.questions import match as plain_match
from tests.support.stores import KINDS, NOON, Stores, draft, execution_id, opened, recorded

HOUR = timedelta(hours=1)


@pytest.fixture(params=KINDS)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with opened(request.param, tmp_path) as stores:
        await stores.prompts.publish(draft("greet", text="one"))
        await stores.prompts.publish(draft("greet", text="two"))
        await stores.prompts.publish(draft("other", text="one"))
        yield stores


@pytest.fixture
def matches(stores: Stores) -> MatchStore:
    return SqlMatchStore(stores.database)


def match(version_id: int = 1, **fields: Any) -> CacheMatch:
    prompt, version = {1: ("greet", 1), 2: ("greet", 2), 3: ("other", 1)}[version_id]
    return plain_match(version_id, prompt=prompt, version=version, **fields)


async def added(matches: MatchStore, *several: CacheMatch) -> list[CacheMatch]:
    for each in several:
        await matches.add(each)
    return [*several]


async def test_a_match_comes_back_with_what_both_executions_said(stores: Stores, matches: MatchStore) -> None:
    own, earlier = [await recorded(stores, 1) for _ in range(2)]
    whole = match(2, execution_id=own, source_id=earlier, verdict="wrong", decided_by="value", decided_at=NOON)
    half = match(source_id=earlier)
    bare = match()
    await added(matches, whole, half, bare)

    assert await matches.get(own) == replace(whole, answer="Hello Ada", matched_answer="Hello Ada")
    assert await matches.get(half.execution_id) == replace(half, matched_answer="Hello Ada")
    assert await matches.get(bare.execution_id) == bare


async def test_what_is_no_match_is_not_found(matches: MatchStore) -> None:
    nowhere = execution_id()

    with pytest.raises(NotFound, match=nowhere):
        await matches.get(nowhere)


async def test_matches_are_listed_the_oldest_first_page_by_page(matches: MatchStore) -> None:
    several = await added(matches, *(match(version) for version in (1, 2, 3, 1, 2)))

    first = await matches.list(limit=2)
    second = await matches.list(limit=2, after=first.next)
    last = await matches.list(limit=2, after=second.next)

    assert [*first.items, *second.items, *last.items] == several
    assert last.next is None
    assert (await matches.list(limit=5)).next is None


async def test_only_some_versions_or_undecided_ones_are_listed_and_a_cursor_goes_on_with_the_same(
    matches: MatchStore,
) -> None:
    one, two, three, four = await added(
        matches, match(1), match(2, verdict="right", decided_by="ada", decided_at=NOON), match(3), match(2)
    )

    of_greet = await matches.list(limit=9, version_ids=[1, 2])
    of_none = await matches.list(limit=9, version_ids=[])
    undecided = await matches.list(limit=1, version_ids=[1, 2], undecided=True)
    rest = await matches.list(limit=9, version_ids=[1, 2], undecided=True, after=undecided.next)

    assert [*of_greet.items] == [one, two, four]
    assert [*of_none.items] == []
    assert [*(await matches.list(limit=9, undecided=True)).items] == [one, three, four]
    assert ([*undecided.items], [*rest.items]) == ([one], [four])
    for version_ids in (None, [1], [1, 2]):
        with pytest.raises(InvalidInput):
            await matches.list(limit=9, after=undecided.next, version_ids=version_ids)


async def test_what_is_decided_takes_the_place_of_what_was_decided_before(matches: MatchStore) -> None:
    one, other = await added(matches, match(), match())

    await matches.decide(one.execution_id, "wrong", by="ada", at=NOON)
    first = await matches.get(one.execution_id)
    await matches.decide(one.execution_id, "right", by="bob", at=NOON + HOUR)
    await matches.decide(execution_id(), "wrong", by="bob", at=NOON)

    assert first == replace(one, verdict="wrong", decided_by="ada", decided_at=NOON)
    assert await matches.get(one.execution_id) == replace(
        one, verdict="right", decided_by="bob", decided_at=NOON + HOUR
    )
    assert await matches.get(other.execution_id) == other


async def test_the_matches_of_a_subject_are_counted_by_what_was_decided(matches: MatchStore) -> None:
    await added(matches, *(match(version, verdict="right") for version in (1, 2, 2)))
    await added(matches, match(verdict="wrong"), match(), match())
    await added(matches, match(subject="t" * 64, verdict="wrong"))

    assert await matches.trust("s" * 64) == Trust(right=3, wrong=1, undecided=2)
    assert await matches.trust("t" * 64) == Trust(right=0, wrong=1, undecided=0)
    assert await matches.trust("u" * 64) == Trust(right=0, wrong=0, undecided=0)


async def test_a_verdict_is_one_of_two_words_in_the_database_too(matches: MatchStore) -> None:
    one = match(verdict="perhaps")

    with pytest.raises(StoreError, match="ck_cache_matches_verdict"):
        await matches.add(one)

    assert (await matches.list(limit=9)).items == ()
