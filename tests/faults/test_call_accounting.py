"""What a record says of each call: when it began, what it cost, and whether it can have cost anything at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import cuewire
from cuewire.model.errors import ProviderError, ProviderTimeout
from cuewire.model.executions import ExecutionDetail
from tests.support.model_server import Close, Hang, delta, stream
from tests.support.policy_models import ONE_CALL_USD, Desk, models, opened, said

MODEL = "openai/gpt-4o-mini"
NOWHERE = "nowhere/gpt-4o-mini"
OVER: dict[str, Any] = {
    "models": [{"model": NOWHERE, "priority": 2}, {"model": MODEL}],
    "failover": {"strategy": "next_by_priority"},
    "retry": {"max_retries": 1, "delay_ms": 0},
}
OPENS_AFTER = 20


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with Desk() as running:
        assert isinstance(running, Desk)
        yield running


@pytest.fixture
async def app(desk: Desk, tmp_path: Path) -> AsyncIterator[cuewire.App]:
    environment = {
        "CUEWIRE_PROVIDERS__NOWHERE__BASE_URL": "http://127.0.0.1:1/v1",
        "CUEWIRE_TIMEOUTS__FIRST_BYTE_S": "1",
    }
    async with opened(desk, tmp_path, **environment) as running:
        yield running


async def ran(app: cuewire.App, **options: Any) -> ExecutionDetail:
    """Run it, well or not, and return its record."""
    try:
        result = await app.run("triage", **options)
    except ProviderError as error:
        return await app.executions.get(error.execution_id or "")
    return await app.executions.get(result.id)


async def test_calls_say_when_they_began(app: cuewire.App, desk: Desk) -> None:
    first = asyncio.get_running_loop().time()
    replies = [said("down", status=503), said("fine")]
    desk.reply = lambda _: replies.pop(0)
    await app.prompts.publish("triage", "Bug?", model=MODEL, policy={"retry": {"max_retries": 1, "delay_ms": 80}})

    record = await ran(app)

    whole_ms = (asyncio.get_running_loop().time() - first) * 1_000
    one, two = (call.started_ms or -1 for call in record.calls)
    assert 0 <= one < two < whole_ms
    assert two >= one + record.calls[0].duration_ms + record.calls[1].delay_ms - 1
    assert two + record.calls[1].duration_ms <= (record.duration_ms or 0)


async def test_calls_side_by_side_begin_side_by_side(app: cuewire.App, desk: Desk) -> None:
    desk.holds = lambda _: True
    policy = {"parallel": {"mode": "static_count", "count": 2}, "models": models("gpt-4o", "gpt-4o-mini")}
    await app.prompts.publish("triage", "Bug?", policy=policy)

    running = asyncio.create_task(ran(app))
    await desk.until(2)
    desk.release(2)
    record = await running

    one, two = record.calls
    assert abs((one.started_ms or 0) - (two.started_ms or 0)) < min(one.duration_ms, two.duration_ms)


async def test_embeddings_say_when_their_call_began(app: cuewire.App, desk: Desk) -> None:
    desk.reply = lambda _: said("down", status=503)

    with pytest.raises(ProviderError) as failed:
        await app.embed(["a"], model="openai/text-embedding-3-small")  # type: ignore[attr-defined]  # of this process

    (call,) = (await app.executions.get(failed.value.execution_id or "")).calls
    assert (call.started_ms or -1) >= 0


async def test_what_was_never_sent_has_cost_nothing_and_the_total_is_known(app: cuewire.App) -> None:
    await app.prompts.publish("triage", "Bug?", policy=OVER)

    record = await ran(app)

    assert [(call.model, call.error_code, call.cost_usd) for call in record.calls] == [
        (NOWHERE, "network_error", 0.0),
        (NOWHERE, "network_error", 0.0),
        (MODEL, None, pytest.approx(ONE_CALL_USD)),
    ]
    assert record.cost_usd == pytest.approx(ONE_CALL_USD)


async def test_a_run_whose_only_call_was_never_sent_has_cost_nothing(app: cuewire.App) -> None:
    await app.prompts.publish("triage", "Bug?", model=NOWHERE)

    record = await ran(app)

    assert (record.cost_usd, record.cost_basis) == (0.0, "nothing was sent to the provider")


@pytest.mark.parametrize("script", [[Hang()], [Close()], stream(delta("It is "), Close())])
async def test_of_what_was_sent_and_failed_nobody_knows_the_cost(
    app: cuewire.App, desk: Desk, script: list[Any]
) -> None:
    desk.reply = lambda _: script
    await app.prompts.publish("triage", "Bug?", model=MODEL)

    record = await ran(app)

    assert (record.calls[0].cost_usd, record.cost_usd) == (None, None)


async def test_a_refusal_is_free_and_called_so(app: cuewire.App, desk: Desk) -> None:
    desk.reply = lambda _: said("no", status=422)
    await app.prompts.publish("triage", "Bug?", model=MODEL)

    record = await ran(app)

    assert (record.cost_usd, record.cost_basis) == (0.0, "the provider refused the call")


async def test_a_limit_of_ours_is_no_fault_of_the_provider(app: cuewire.App, desk: Desk) -> None:
    desk.reply = lambda _: [Hang()]
    await app.prompts.publish("triage", "Bug?", model=MODEL, policy={"candidate_timeout_s": 0.3})

    records = await asyncio.gather(*(ran(app) for _ in range(OPENS_AFTER + 5)))

    (state,) = await app.breakers.list()
    assert {(record.status, record.calls[0].status) for record in records} == {("timed_out", "timed_out")}
    assert (state.status, state.calls, state.failures) == ("closed", 0, 0)
    assert desk.received


async def test_silence_of_the_provider_is_its_fault(app: cuewire.App, desk: Desk) -> None:
    desk.reply = lambda _: [Hang()]
    await app.prompts.publish("triage", "Bug?", model=MODEL)

    await asyncio.gather(*(ran(app) for _ in range(OPENS_AFTER)))

    (state,) = await app.breakers.list()
    assert (state.status, state.failures) == ("open", OPENS_AFTER)


async def test_a_run_that_ends_in_the_middle_keeps_what_had_arrived(app: cuewire.App, desk: Desk) -> None:
    desk.reply = lambda _: stream(delta("It is "), delta("a b"), Hang())
    await app.prompts.publish("triage", "Bug?", model=MODEL)

    with pytest.raises(ProviderTimeout) as stopped:
        await app.stream("triage", timeout_s=0.2).result()

    record = await app.executions.get(stopped.value.execution_id or "")
    assert (record.text, stopped.value.partial_text) == ("It is a b", "It is a b")
    assert (record.output_tokens, record.cost_usd) == (None, None)
