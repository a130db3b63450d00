"""Outcomes, on every database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from cuewire.model.errors import ExecutionNotFound, InvalidInput
from cuewire.model.outcomes import Outcome, OutcomeValue
from tests.support.stores import KINDS, NOON, Stores, execution_id, opened, opening, published, recorded


@pytest.fixture(params=KINDS)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with opened(request.param, tmp_path) as stores:
        yield stores


def outcome(execution: str, name: str, value: OutcomeValue, at: datetime = NOON) -> Outcome:
    return Outcome(execution_id=execution, name=name, value=value, reported_at=at)


async def test_outcomes_come_back_by_name_with_their_kinds(stores: Stores) -> None:
    execution = await recorded(stores, await published(stores))
    values: dict[str, OutcomeValue] = {"d": True, "c": 4, "b": 0.5, "a": "fine ü"}
    reported = [outcome(execution, name, value) for name, value in values.items()]

    await stores.outcomes.report(reported)

    found = await stores.outcomes.list(execution)
    assert list(found) == reported[::-1]
    assert [type(one.value) for one in found] == [str, float, int, bool]


async def test_the_last_report_of_a_name_counts(stores: Stores) -> None:
    execution = await recorded(stores, await published(stores))
    later = NOON + timedelta(days=400)

    await stores.outcomes.report([outcome(execution, "stars", 1), outcome(execution, "stars", 2)])
    await stores.outcomes.report([outcome(execution, "stars", 5, later)])

    assert list(await stores.outcomes.list(execution)) == [outcome(execution, "stars", 5, later)]


async def test_all_outcomes_are_stored_or_none(stores: Stores) -> None:
    execution = await recorded(stores, await published(stores))

    with pytest.raises(ExecutionNotFound):
        await stores.outcomes.report([outcome(execution, "stars", 1), outcome(execution_id(), "stars", 1)])

    assert await stores.outcomes.list(execution) == ()


async def test_an_execution_that_began_a_moment_ago_can_have_outcomes(stores: Stores) -> None:
    row = opening(await published(stores))
    stores.recorder.open(row)

    await stores.outcomes.report([outcome(row.id, "stars", 1)])

    assert len(await stores.outcomes.list(row.id)) == 1


@pytest.mark.parametrize("value", ["a\0b", "\ud800", 2**63, float("nan"), float("inf")])
async def test_a_value_that_cannot_be_stored_is_refused(stores: Stores, value: OutcomeValue) -> None:
    execution = await recorded(stores, await published(stores))

    with pytest.raises(InvalidInput) as refused:
        await stores.outcomes.report([outcome(execution, "stars", value)])

    assert refused.value.field == "/outcomes/stars"
    assert await stores.outcomes.list(execution) == ()


async def test_reports_at_once_disturb_no_other(stores: Stores) -> None:
    version_id = await published(stores)
    ids = [await recorded(stores, version_id) for _ in range(10)]
    wrong = execution_id()

    ends = await asyncio.gather(
        *(stores.outcomes.report([outcome(one, "stars", 1)]) for one in (*ids, wrong)), return_exceptions=True
    )

    assert [type(end) for end in ends] == [*[type(None)] * 10, ExecutionNotFound]
    assert [len(await stores.outcomes.list(one)) for one in ids] == [1] * 10
