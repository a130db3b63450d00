"""What was spent, on every database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from cuewire.model.ids import uuid7
from cuewire.stores.spend import SqlSpendStore
from tests.support.stores import KINDS, NOON, Stores, closing, failed, opened, opening, published, recorded

MIDNIGHT = NOON.replace(hour=0)


@pytest.fixture(params=KINDS)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with opened(request.param, tmp_path) as stores:
        yield stores


async def spend(stores: Stores, version_id: int, cost_usd: float | None, *, hour: float, **more: str) -> None:
    """Record an execution that began so many hours after midnight."""
    began = MIDNIGHT + timedelta(hours=hour)
    key = uuid7(unix_ms=int(began.timestamp() * 1_000), random_bits=stores.clock.random_bits())
    stores.recorder.open(opening(version_id, id=key, started_at=began, **more))
    end = closing if hour % 2 < 1 else failed
    await stores.recorder.close(end(key, cost_usd=cost_usd))


async def test_what_executions_of_a_day_cost_is_summed_over_all_or_those_of_a_prompt_or_an_actor(
    stores: Stores,
) -> None:
    version_id = await published(stores)
    spent = SqlSpendStore(stores.database)
    nothing = await spent.spent_usd(since=MIDNIGHT)

    for cost_usd, hour, prompt, actor in (
        (8.0, -0.001, "greet", "key:ci"),
        (1.0, 0.0, "greet", "key:ci"),
        (0.5, 3.0, "greet", "local"),
        (None, 4.0, "greet", "key:ci"),
        (0.25, 12.0, "other", "key:ci"),
    ):
        await spend(stores, version_id, cost_usd, hour=hour, prompt=prompt, actor=actor)
    running = opening(version_id)
    stores.recorder.open(running)

    assert nothing == 0.0
    assert await spent.spent_usd(since=MIDNIGHT) == 1.75
    assert await spent.spent_usd(since=MIDNIGHT, prompt="greet") == 1.5
    assert await spent.spent_usd(since=MIDNIGHT, actor="key:ci") == 1.25
    assert await spent.spent_usd(since=MIDNIGHT, prompt="greet", actor="key:ci") == 1.0
    assert await spent.spent_usd(since=MIDNIGHT, prompt="unheard-of") == 0.0
    assert await spent.spent_usd(since=MIDNIGHT - timedelta(days=1)) == 9.75


async def test_what_ended_is_in_it_at_once(stores: Stores) -> None:
    version_id = await published(stores)

    await recorded(stores, version_id)

    assert await SqlSpendStore(stores.database).spent_usd(since=MIDNIGHT) == 0.00123
