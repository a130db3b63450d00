"""An answer that has grown old is given at once all the same, while one run gets a new one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import cuewire
from cuewire.model.errors import InvalidInput
from cuewire.model.executions import Execution
from tests.support.meanings import EMBEDDING, MeaningDesk
from tests.support.policy_models import ONE_CALL_USD, opened, said

STALE_AT_ONCE = {"ttl_s": 0.000_001, "stale_s": 3_600}


@pytest.fixture
async def desk() -> AsyncIterator[MeaningDesk]:
    running = MeaningDesk()
    running.reply = lambda _: said(f"answer {len(running.received)}")
    async with running:
        yield running


@pytest.fixture
async def app(desk: MeaningDesk, tmp_path: Path) -> AsyncIterator[cuewire.App]:
    async with opened(desk, tmp_path) as running:
        yield running


async def publish(app: cuewire.App, cache: dict[str, Any] | None = None) -> None:
    policy = {"cache": STALE_AT_ONCE if cache is None else cache}
    await app.prompts.publish("triage", "Bug? {{ x }}", model="openai/gpt-4o-mini", policy=policy, publish=True)


async def renewals(app: cuewire.App, count: int) -> list[Execution]:
    """Return the renewals, the oldest first, when so many have ended."""
    async with asyncio.timeout(10):
        while True:
            found = [each for each in (await app.executions.list()).items if each.purpose == "renewal"]
            if sum(each.status != "running" for each in found) >= count:
                return found[::-1]
            await asyncio.sleep(0.01)


@pytest.mark.contract("S4-23", "S4-38")
async def test_a_stale_answer_is_given_at_once_while_one_run_renews_it(app: cuewire.App, desk: MeaningDesk) -> None:
    await publish(app)
    first = await app.run("triage", {"x": "a"}, metadata={"agent": "scout"})
    desk.holds = lambda _: True

    stale = await app.run("triage", {"x": "a"}, metadata={"agent": "guard"})
    await desk.until(2)
    desk.release()
    (renewal,) = await renewals(app, 1)
    again = await app.run("triage", {"x": "a"})

    assert (stale.value, stale.cached_from, stale.cost_usd) == ("answer 1", first.id, 0.0)
    assert (again.value, again.cached_from) == ("answer 2", renewal.id)
    assert (renewal.parent_id, renewal.status, renewal.cached_from) == (stale.id, "succeeded", None)
    assert renewal.cost_usd == pytest.approx(ONE_CALL_USD)
    assert renewal.metadata == {"agent": "guard"}


async def test_many_who_ask_at_once_start_one_renewal(app: cuewire.App, desk: MeaningDesk) -> None:
    await publish(app)
    await app.run("triage", {"x": "a"})
    desk.holds = lambda _: True

    results = await asyncio.gather(*(app.run("triage", {"x": "a"}) for _ in range(200)))
    await desk.until(2)
    late = await app.run("triage", {"x": "a"})
    received = len(desk.received)
    desk.release()

    assert {result.value for result in (*results, late)} == {"answer 1"}
    assert received == 2
    assert len(await renewals(app, 1)) == 1


async def test_a_stream_gets_the_stale_answer_too_and_its_renewal_is_not_heard(app: cuewire.App) -> None:
    await publish(app)
    first = await app.run("triage", {"x": "a"})

    stream = app.stream("triage", {"x": "a"})
    pieces = [piece.text async for piece in stream]
    result = await stream.result()

    assert ("".join(pieces), result.cached_from) == ("answer 1", first.id)
    assert [renewal.parent_id for renewal in await renewals(app, 1)] == [result.id]


async def test_a_renewal_takes_nobody_s_idempotency_key(app: cuewire.App) -> None:
    await publish(app)
    await app.run("triage", {"x": "a"})

    keyed = await app.run("triage", {"x": "a"}, idempotency_key="once")
    (renewal,) = await renewals(app, 1)
    again = await app.run("triage", {"x": "a"}, idempotency_key="once")

    assert (again.id, again.value) == (keyed.id, "answer 1")
    assert (await app.executions.get(renewal.id)).idempotency_key is None


async def told(caplog: pytest.LogCaptureFixture, times: int) -> None:
    """Return when so many renewals have failed and are over."""
    for _ in range(2_000):
        if caplog.text.count("cache.not_renewed") >= times:
            return
        await asyncio.sleep(0.005)
    raise AssertionError(caplog.text)


async def test_a_renewal_that_fails_leaves_the_stale_answer_and_is_logged(
    app: cuewire.App, desk: MeaningDesk, caplog: pytest.LogCaptureFixture
) -> None:
    await publish(app)
    first = await app.run("triage", {"x": "a"})
    desk.reply = lambda _: said("down", status=500)

    with caplog.at_level(logging.WARNING):
        await app.run("triage", {"x": "a"})
        (failed,) = await renewals(app, 1)
        await told(caplog, 1)
        stale = await app.run("triage", {"x": "a"})
        await told(caplog, 2)
    desk.reply = lambda _: said("up again")
    await app.run("triage", {"x": "a"})
    renewed = (await renewals(app, 3))[-1]

    assert f"cache.not_renewed execution={failed.id} reason=" in caplog.text
    assert (failed.status, stale.value, stale.cached_from) == ("failed", "answer 1", first.id)
    assert (await app.run("triage", {"x": "a"})).cached_from == renewed.id


async def test_a_renewal_whose_answer_is_not_to_be_kept_leaves_the_stale_one(
    app: cuewire.App, desk: MeaningDesk
) -> None:
    await app.prompts.publish(
        "triage",
        "How many? {{ x }}",
        model="openai/gpt-4o-mini",
        output="number",
        policy={"cache": STALE_AT_ONCE, "validation": "warn"},
    )
    desk.reply = lambda _: said("7")
    first = await app.run("triage", {"x": "a"})
    desk.reply = lambda _: said("many")

    await app.run("triage", {"x": "a"})
    (renewal,) = await renewals(app, 1)

    assert renewal.status == "succeeded"
    assert (await app.run("triage", {"x": "a"})).cached_from == first.id


async def test_closing_while_an_answer_is_renewed_ends_that_and_closes_its_record(
    desk: MeaningDesk, tmp_path: Path
) -> None:
    async with opened(desk, tmp_path) as app:
        await publish(app)
        first = await app.run("triage", {"x": "a"})
        desk.holds = lambda _: True
        await app.run("triage", {"x": "a"})
        await desk.until(2)

    async with opened(desk, tmp_path) as app:
        (renewal,) = await renewals(app, 1)
        desk.holds = lambda _: False
        again = await app.run("triage", {"x": "a"})

    assert (renewal.status, renewal.ended_at is not None) == ("cancelled", True)
    assert (again.value, again.cached_from) == ("answer 1", first.id)


async def test_a_stale_answer_is_none_to_a_similar_question(app: cuewire.App) -> None:
    semantic = {"on": ["x"], "model": f"openai/{EMBEDDING}"}
    await publish(app, {"ttl_s": 3_600, "semantic": semantic})
    await app.run("triage", {"x": "is it late"})
    await app.run("triage", {"x": "Is it late?"})
    fresh = (await app.cache.matches("triage")).items
    await publish(app, {**STALE_AT_ONCE, "semantic": semantic})
    await app.run("triage", {"x": "is it late"})
    await app.run("triage", {"x": "Is it late?"})

    assert len(fresh) == 1
    assert (await app.cache.matches("triage")).items == fresh


@pytest.mark.parametrize(
    ("cache", "field"),
    [
        ({"stale_s": 60}, "/policy/cache/stale_s"),
        ({"ttl_s": 60, "stale_s": 0}, "/policy/cache/stale_s"),
        ({"ttl_s": 60, "stale_s": "1h"}, "/policy/cache/stale_s"),
        ({"volatile": True, "semantic": {"on": ["x"], "model": "local/minilm"}}, "/policy/cache/volatile"),
    ],
)
async def test_what_cannot_be_meant_is_refused_when_it_is_published(
    app: cuewire.App, cache: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await publish(app, cache)

    assert refused.value.field == field
