"""Two providers of which one fails: who is asked next, who is left alone, and what is said when both are down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

import cuewire
from cuewire.model.errors import ProviderUnavailable
from cuewire.model.executions import ExecutionDetail
from tests.support.command_line import CommandLine
from tests.support.model_server import Action, Close, Hang, Reset, Send, delta, head, stream
from tests.support.policy_models import KEY, Desk, listen, opened, said
from tests.support.serving import serving

FIRST, SPARE = "openai/gpt-4o-mini", "spare/gpt-4o-mini"
BOUND = [{"model": FIRST, "priority": 2}, {"model": SPARE, "priority": 1}]
OVER: dict[str, Any] = {"models": BOUND, "failover": {"strategy": "next_by_priority"}}
OPENS_AFTER = 20
"""Calls that a breaker must have seen before it opens."""


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with Desk() as running:
        assert isinstance(running, Desk)
        yield running


@pytest.fixture
async def spare() -> AsyncIterator[Desk]:
    async with Desk(lambda _: said("from the spare one")) as running:
        assert isinstance(running, Desk)
        yield running


@pytest.fixture
async def app(desk: Desk, spare: Desk, tmp_path: Path) -> AsyncIterator[cuewire.App]:
    environment = {
        "CUEWIRE_PROVIDERS__SPARE__BASE_URL": spare.url,
        "CUEWIRE_PROVIDERS__NOWHERE__BASE_URL": "http://nowhere.invalid/v1",
        "CUEWIRE_TIMEOUTS__FIRST_BYTE_S": "0.4",
        "CUEWIRE_TIMEOUTS__IDLE_S": "0.4",
    }
    async with opened(desk, tmp_path, **environment) as running:
        yield running


async def record_of(app: cuewire.App, result: cuewire.Result) -> ExecutionDetail:
    """Return the record of a run."""
    return await app.executions.get(result.id)


@pytest.mark.contract("S4-13")
@pytest.mark.parametrize(
    "script",
    [
        *(said("down", status=status) for status in (401, 402, 404, 429, 500, 502, 503, 504, 529)),
        [Reset()],
        [Close()],
        [Hang()],
        [Send(head(length=500)), Close()],
        said("slow down", status=429, headers={"Retry-After": "1000000000"}),
    ],
)
async def test_another_provider_is_asked_when_the_first_has_failed_for_good(
    app: cuewire.App, desk: Desk, spare: Desk, script: list[Action]
) -> None:
    desk.reply = lambda _: script
    policy = {**OVER, "retry": {"max_retries": 1, "delay_ms": 0}}
    await app.prompts.publish("triage", "Bug?", policy=policy)

    result = await app.run("triage")

    record = await record_of(app, result)
    assert (result.value, result.model, len(spare.received)) == ("from the spare one", SPARE, 1)
    assert record.calls[-1].purpose == "failover"
    assert [call.purpose for call in record.calls[:-1]] == ["first", "retry"][: len(desk.received)]
    assert record.calls[0].error_code


@pytest.mark.parametrize("status", [400, 422])
async def test_what_is_wrong_with_the_request_is_not_taken_to_another_provider(
    app: cuewire.App, desk: Desk, spare: Desk, status: int
) -> None:
    desk.reply = lambda _: said("no", status=status)
    await app.prompts.publish("triage", "Bug?", policy=OVER)

    with pytest.raises(cuewire.ProviderError) as failed:
        await app.run("triage")

    assert (failed.value.code, len(desk.received), spare.received) == ("request_rejected", 1, [])


async def test_a_key_that_is_not_accepted_strikes_out_all_models_of_its_provider(
    app: cuewire.App, desk: Desk, spare: Desk
) -> None:
    desk.reply = lambda _: said("who are you", status=401)
    bound = [{"model": "openai/gpt-4o", "priority": 9}, *BOUND]
    await app.prompts.publish("triage", "Bug?", policy={**OVER, "models": bound})

    result = await app.run("triage")

    assert (result.model, len(desk.received), len(spare.received)) == (SPARE, 1, 1)


async def test_f11_a_provider_whose_name_does_not_resolve_holds_nobody_up(app: cuewire.App, spare: Desk) -> None:
    bound = [{"model": "nowhere/gpt-4o-mini", "priority": 3}, {"model": SPARE}]
    await app.prompts.publish("triage", "Bug?", policy={**OVER, "models": bound})
    await app.prompts.publish("other", "Idea?", model=SPARE)

    lost = asyncio.create_task(app.run("triage"))
    async with asyncio.timeout(15):
        straight = await app.run("other")
        result = await lost

    record = await record_of(app, result)
    assert (straight.model, result.model) == (SPARE, SPARE)
    assert [(call.error_code, call.purpose) for call in record.calls] == [
        ("network_error", "first"),
        (None, "failover"),
    ]
    assert len(spare.received) == 2


async def test_what_was_heard_of_a_broken_answer_is_not_followed_by_another_one(
    app: cuewire.App, desk: Desk, spare: Desk
) -> None:
    desk.reply = lambda _: stream(delta("It is "), Reset())
    await app.prompts.publish("triage", "Bug?", policy=OVER)

    heard: list[str] = []
    with pytest.raises(cuewire.ProviderError):
        await listen(app.stream("triage"), heard)

    assert ("".join(heard), spare.received) == ("It is ", [])


@pytest.mark.contract("S4-37")
async def test_f3_a_breaker_opens_on_a_failing_model_which_is_left_alone_then(
    app: cuewire.App, desk: Desk, spare: Desk
) -> None:
    desk.reply = lambda _: said("down", status=500)
    await app.prompts.publish("triage", "Bug?", policy=OVER)

    results = [await app.run("triage") for _ in range(OPENS_AFTER + 10)]

    states = {state.model: state for state in await app.breakers.list()}
    last = await record_of(app, results[-1])
    assert (len(desk.received), len(spare.received)) == (OPENS_AFTER, OPENS_AFTER + 10)
    assert (states[FIRST].status, states[SPARE].status) == ("open", "closed")
    assert [(call.model, call.purpose) for call in last.calls] == [(SPARE, "failover")]


@pytest.mark.contract("S4-37")
async def test_wrong_requests_and_refusals_of_load_open_no_breaker(app: cuewire.App, desk: Desk) -> None:
    await app.prompts.publish("triage", "Bug?", model=FIRST)
    for status in (400, 422, 429):
        no = said("no", status=status)
        desk.reply = lambda _, no=no: no  # type: ignore[misc]
        for _ in range(OPENS_AFTER):
            with pytest.raises(cuewire.ProviderError):
                await app.run("triage")

    (state,) = await app.breakers.list()
    assert (state.status, state.failures, len(desk.received)) == ("closed", 0, 3 * OPENS_AFTER)


async def test_f13_with_both_providers_down_a_client_is_told_at_once_when_to_come_back(
    desk: Desk, spare: Desk, tmp_path: Path
) -> None:
    desk.reply = spare.reply = lambda _: said("down", status=503)
    environment = {"OPENAI_BASE_URL": desk.url, "OPENAI_API_KEY": KEY, "CUEWIRE_PROVIDERS__SPARE__BASE_URL": spare.url}
    with serving(CommandLine(tmp_path, environment)) as server:
        await asyncio.to_thread(server.publish, "triage", "Bug?", policy=OVER)
        for _ in range(OPENS_AFTER):
            await asyncio.to_thread(server.run, "triage", {})
        began = monotonic()
        reply = await asyncio.to_thread(server.run, "triage", {})
        took_s = monotonic() - began

    assert (reply.status, reply.json["code"]) == (503, "provider_unavailable")
    assert 1 <= int(reply.headers["retry-after"]) <= 15
    assert took_s < 1
    assert (len(desk.received), len(spare.received)) == (OPENS_AFTER, OPENS_AFTER)


async def test_f13_a_breaker_that_is_open_refuses_without_a_call_and_the_record_says_so(
    app: cuewire.App, desk: Desk
) -> None:
    await app.prompts.publish("triage", "Bug?", model=FIRST, policy={"retry": {"max_retries": 3, "delay_ms": 0}})
    await app.breakers.turn(FIRST, "open")

    with pytest.raises(ProviderUnavailable) as refused:
        await app.run("triage")

    record = await app.executions.get(refused.value.execution_id or "")
    assert (record.status, record.calls, record.cost_usd, desk.received) == ("failed", (), 0.0, [])
