"""Idempotency keys: who holds one, when it is given up, and that no two runs ever hold it together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cuewire.model.errors import ExecutionNotFound, IdempotencyMismatch, InvalidInput
from cuewire.model.executions import Closing, Failure
from tests.support.stores import KINDS, Stores, claiming, closing, failed, opened, opening, published


@pytest.fixture(params=KINDS)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with opened(request.param, tmp_path) as stores:
        yield stores


async def ended(stores: Stores, version_id: int, end: Closing | None) -> str:
    """Claim the key, end the execution as told (running if None), and return its id."""
    row = claiming(version_id)
    assert await stores.recorder.claim(row) is None
    if end is not None:
        await stores.recorder.close(closing(row.id, status=end.status, failure=end.failure))
    return row.id


async def test_the_first_claim_is_ours_and_durable_when_it_returns(stores: Stores) -> None:
    row = claiming(await published(stores))

    assert await stores.recorder.claim(row) is None

    found = await stores.executions.get(row.id)
    assert (found.status, found.idempotency_key, found.request_hash) == ("running", "key-1", "a" * 64)


async def test_a_claimed_record_is_closed_like_any_other_and_keeps_its_key(stores: Stores) -> None:
    execution = await ended(stores, await published(stores), closing(""))

    found = await stores.executions.get(execution)

    assert (found.status, found.idempotency_key, found.request_hash) == ("succeeded", "key-1", "a" * 64)
    assert len(found.calls) == 1


@pytest.mark.parametrize(
    "end",
    [None, closing(""), failed("", code="invalid_input"), failed("", code="output_invalid")],
    ids=["running", "succeeded", "refused", "useless answer"],
)
async def test_a_key_in_use_gives_the_execution_that_holds_it(stores: Stores, end: Closing | None) -> None:
    version_id = await published(stores)
    holder = await ended(stores, version_id, end)

    assert await stores.recorder.claim(claiming(version_id)) == holder


@pytest.mark.parametrize(
    "end",
    [
        *(failed("", code=code) for code in ("rate_limited", "network_error", "provider_timeout", "store_busy")),
        closing("", status="cancelled", failure=Failure(code="cancelled", message="the caller left")),
        closing("", status="timed_out", failure=Failure(code="provider_timeout", message="too slow")),
    ],
    ids=lambda end: f"{end.status} {end.failure.code}",
)
async def test_a_key_is_taken_over_when_another_run_may_end_better(stores: Stores, end: Closing) -> None:
    version_id = await published(stores)
    former = await ended(stores, version_id, end)
    row = claiming(version_id)

    assert await stores.recorder.claim(row) is None

    assert (await stores.executions.get(former)).idempotency_key is None
    assert (await stores.executions.get(row.id)).idempotency_key == "key-1"
    assert await stores.recorder.claim(claiming(version_id)) == row.id


async def test_a_key_with_another_request_is_a_mismatch(stores: Stores) -> None:
    version_id = await published(stores)
    await ended(stores, version_id, failed("", code="rate_limited"))
    other = claiming(version_id, request_hash="b" * 64)

    with pytest.raises(IdempotencyMismatch, match="'key-1' was used before with another request"):
        await stores.recorder.claim(other)

    with pytest.raises(ExecutionNotFound):
        await stores.executions.get(other.id)


async def test_of_many_claims_at_once_one_wins_and_all_others_learn_who(stores: Stores) -> None:
    version_id = await published(stores)
    rows = [claiming(version_id) for _ in range(50)]

    holders = await asyncio.gather(*(stores.recorder.claim(row) for row in rows))

    winners = [row.id for row, holder in zip(rows, holders, strict=True) if holder is None]
    assert len(winners) == 1
    assert {holder for holder in holders if holder} == set(winners)


async def test_a_caller_that_leaves_while_claiming_leaves_no_key_behind(stores: Stores) -> None:
    version_id = await published(stores)
    row = claiming(version_id)
    task = asyncio.ensure_future(stores.recorder.claim(row))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await stores.recorder.claim(claiming(version_id)) is None
    assert (await stores.executions.get(row.id)).status == "cancelled"


async def test_a_caller_that_leaves_does_not_disturb_who_holds_the_key(stores: Stores) -> None:
    version_id = await published(stores)
    holder = await ended(stores, version_id, None)
    task = asyncio.ensure_future(stores.recorder.claim(claiming(version_id)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await stores.recorder.claim(claiming(version_id)) == holder
    assert (await stores.executions.get(holder)).status == "running"


async def test_a_claim_needs_a_key_that_can_be_stored(stores: Stores) -> None:
    version_id = await published(stores)

    with pytest.raises(InvalidInput, match="no idempotency key"):
        await stores.recorder.claim(opening(version_id))
    for key in ("a\0b", "\ud800"):
        with pytest.raises(InvalidInput) as refused:
            await stores.recorder.claim(claiming(version_id, key))
        assert refused.value.field == "/idempotency_key"
