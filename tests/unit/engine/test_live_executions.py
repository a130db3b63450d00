"""Executions that are followed: looked at while anybody follows, once for all of the same list, and told in steps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from cuewire.engine.live import LiveExecutions
from cuewire.model.errors import StoreUnavailable
from cuewire.model.executions import Execution, Status
from cuewire.model.live import LiveChange, Placed, Snapshot, Update
from cuewire.model.pages import Page
from cuewire.registry.subscriptions import Reader

SOON_S = 5.0
LOOK_S = 0.01


def execution(number: int, **changes: Any) -> Execution:
    """Return an execution that runs."""
    plain = Execution(
        id=f"{number:03}",
        prompt="triage",
        version=1,
        label=None,
        model="scripted/echo",
        status="running",
        started_at=datetime(2026, 11, 21, tzinfo=UTC),
        **dict.fromkeys(["ended_at", "duration_ms", "first_token_ms", "input_tokens", "output_tokens"]),  # type: ignore[arg-type]  # all None
        total_tokens=None,
        cost_usd=None,
        cost_basis=None,
        finish_reason=None,
        error_code=None,
        error_message=None,
        metadata={},
    )
    return replace(plain, **changes)


@dataclass
class Record:
    """Stands for the store of executions, where tests see how often it is asked, and may break it."""

    executions: dict[str, Execution] = field(default_factory=dict)
    looks: int = 0
    error: StoreUnavailable | None = None

    def put(self, *executions: Execution) -> None:
        """Add executions, or change them."""
        self.executions |= {each.id: each for each in executions}

    async def list(self, *, limit: int, status: Status | None, **_: Any) -> Page[Execution]:
        """Return the newest executions."""
        self.looks += 1
        if self.error:
            raise self.error
        found = [replace(each) for each in self.executions.values() if status in (None, each.status)]
        return Page(tuple(sorted(found, key=lambda each: each.id, reverse=True)[:limit]), None)


@dataclass
class Following:
    """Lists over a record."""

    record: Record
    live: LiveExecutions

    def follow(self, *, limit: int, status: Status | None = None, after: str | None = None) -> Reader[Execution]:
        """Follow the newest executions."""

        async def look() -> tuple[Execution, ...]:
            return (await self.record.list(limit=limit, status=status)).items

        return self.live.follow(look, key=(limit, status), after=after)


@pytest.fixture
async def following() -> AsyncIterator[Following]:
    live = LiveExecutions(look_s=LOOK_S)
    yield Following(Record(), live)
    await live.close()


async def said(reader: Reader[Execution]) -> LiveChange[Execution]:
    async with asyncio.timeout(SOON_S):
        change = await reader.next()
    assert change is not None
    return change


async def quiet(reader: Reader[Execution]) -> bool:
    """Tell whether there is nothing more, for now."""
    try:
        async with asyncio.timeout(10 * LOOK_S):
            await reader.next()
    except TimeoutError:
        return True
    return False


async def test_new_ones_changed_ones_and_those_that_left_are_told(following: Following) -> None:
    following.record.put(execution(1), execution(2))
    reader = following.follow(limit=2)
    first = await said(reader)

    ended = execution(2, status="succeeded", cost_usd=0.5)
    following.record.put(ended, execution(3))
    second = await said(reader)

    assert first == Snapshot(id=first.id, items=(execution(2), execution(1)))
    changed = (Placed(place=0, item=execution(3)), Placed(place=1, item=ended))
    assert second == Update(id=second.id, changed=changed, left=("001",), size=2)
    assert second.applied(first.applied()) == (execution(3), ended)
    assert await quiet(reader)


async def test_one_that_is_no_longer_wanted_leaves_the_list(following: Following) -> None:
    following.record.put(execution(1), execution(2))
    reader = following.follow(limit=10, status="running")
    first = await said(reader)

    following.record.put(execution(2, status="failed"))
    second = await said(reader)

    assert second == Update(id=second.id, changed=(), left=("002",), size=1)
    assert second.applied(first.applied(())) == (execution(1),)


async def test_all_who_follow_the_same_list_share_its_looks_and_words(following: Following) -> None:
    readers = [following.follow(limit=5) for _ in range(100)]
    await asyncio.gather(*map(said, readers))
    looks = following.record.looks

    following.record.put(execution(1))
    changes = await asyncio.gather(*map(said, readers))

    assert looks == 1
    assert len({id(change) for change in changes}) == 1


async def test_who_comes_back_to_the_same_list_hears_nothing_new_and_else_the_whole(following: Following) -> None:
    following.record.put(execution(1))
    before = (await said(following.follow(limit=5))).id

    same = await said(following.follow(limit=5, after=before))
    following.record.put(execution(1, status="succeeded"))
    other = await said(following.follow(limit=6, after=before))

    assert same == Update(id=before, changed=(), left=(), size=1)
    assert isinstance(other, Snapshot)
    assert isinstance(await said(following.follow(limit=6, after="nonsense")), Snapshot)


async def test_the_same_executions_have_the_same_id_wherever_they_are_looked_at(following: Following) -> None:
    following.record.put(execution(1))
    elsewhere = Following(following.record, LiveExecutions())

    here, there = await said(following.follow(limit=5)), await said(elsewhere.follow(limit=5))
    await elsewhere.live.close()

    assert here == there


async def test_nobody_is_asked_when_nobody_follows(following: Following) -> None:
    readers = [following.follow(limit=5), following.follow(limit=6)]
    await asyncio.gather(*map(said, readers))

    for reader in readers:
        reader.close()
    looks = following.record.looks
    await asyncio.sleep(5 * LOOK_S)

    assert following.record.looks == looks
    assert await readers[0].next() is None


async def test_a_database_that_was_away_is_looked_at_again(
    following: Following, caplog: pytest.LogCaptureFixture
) -> None:
    reader = following.follow(limit=5)
    await said(reader)

    following.record.error = StoreUnavailable("away")
    assert await quiet(reader)
    following.record.error = None
    following.record.put(execution(1))
    change = await said(reader)

    assert change.applied(()) == (execution(1),)
    assert "live.behind" in caplog.text
