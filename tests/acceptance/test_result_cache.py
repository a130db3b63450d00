"""Answers that were given before are given again to whoever asks the same, and to nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import cuewire
from cuewire.model.errors import InvalidInput, ProviderFault
from tests.support.model_server import completion, plain
from tests.support.policy_models import ONE_CALL_USD, USAGE, Desk, opened, said

MODEL, OTHER = "openai/gpt-4o-mini", "openai/gpt-4o"


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    async with desk:
        yield desk


@pytest.fixture
async def app(desk: Desk, tmp_path: Path) -> AsyncIterator[cuewire.App]:
    async with opened(desk, tmp_path) as running:
        yield running


async def publish(
    app: cuewire.App, cache: dict[str, Any] | None = None, text: str = "Bug? {{ x }}", **more: Any
) -> None:
    policy = {"cache": cache or {}, **more.pop("policy", {})}
    await app.prompts.publish("triage", text, **{"model": MODEL, "policy": policy, "publish": True, **more})


@pytest.mark.contract("S4-17", "S4-24")
async def test_the_same_question_is_answered_from_the_cache_and_recorded(app: cuewire.App, desk: Desk) -> None:
    await publish(app)

    first, again = [await app.run("triage", {"x": "It crashes"}) for _ in range(2)]
    record = await app.executions.get(again.id)

    assert len(desk.received) == 1
    assert (first.cached_from, first.saved_usd) == (None, None)
    assert first.cost_usd == pytest.approx(ONE_CALL_USD)
    assert (again.value, again.text, again.model) == (first.value, first.text, first.model)
    assert (again.cached_from, again.cost_usd, again.saved_usd) == (first.id, 0.0, first.cost_usd)
    assert (record.status, record.cached_from, record.calls, record.total_tokens) == ("succeeded", first.id, (), None)
    assert record.messages == (await app.executions.get(first.id)).messages


@pytest.mark.contract("S4-24")
async def test_what_was_kept_outlives_the_process_that_kept_it(desk: Desk, tmp_path: Path) -> None:
    async with opened(desk, tmp_path) as app:
        await publish(app, output="number", text="How many? {{ x }}")
        desk.reply = lambda _: said("7")
        first = await app.run("triage", {"x": "apples"})
    async with opened(desk, tmp_path) as app:
        again = await app.run("triage", {"x": "apples"})

    assert (again.value, again.text, again.cached_from, len(desk.received)) == (7, "7", first.id, 1)


async def test_a_stream_gets_the_answer_too(app: cuewire.App, desk: Desk) -> None:
    await publish(app)
    first = await app.run("triage", {"x": "a"})

    stream = app.stream("triage", {"x": "a"})
    pieces = [piece.text async for piece in stream]

    assert ("".join(pieces), (await stream.result()).cached_from, len(desk.received)) == (first.text, first.id, 1)


@pytest.mark.parametrize(
    ("flag", "one", "other"),
    [
        pytest.param("model", {"model": MODEL}, {"model": OTHER}, marks=pytest.mark.contract("S4-19")),
        pytest.param("provider", {"model": MODEL}, {"model": "vllm/gpt-4o-mini"}, marks=pytest.mark.contract("S4-20")),
        pytest.param(
            "agent",
            {"metadata": {"agent": "scout", "trace": "1"}},
            {"metadata": {"agent": "guard", "trace": "1"}},
            marks=pytest.mark.contract("S4-21"),
        ),
        pytest.param(
            "configuration",
            {"configuration": "live"},
            {"configuration": "trial"},
            marks=pytest.mark.contract("S4-22"),
        ),
    ],
)
async def test_what_must_match_matches(
    desk: Desk, tmp_path: Path, flag: str, one: dict[str, Any], other: dict[str, Any]
) -> None:
    async with opened(desk, tmp_path, CUEWIRE_PROVIDERS__VLLM__BASE_URL=desk.url) as app:
        for name in ("live", "trial"):
            await app.configurations.add(name)
        calls = []
        for must_match in ([flag], []):
            await publish(app, {"must_match": must_match}, note=flag)
            before = len(desk.received)
            for options in (one, other, one):
                await app.run("triage", {"x": "a"}, **options)
            calls.append(len(desk.received) - before)

    assert calls == [2, 1]


@pytest.mark.contract("S4-23")
async def test_an_entry_holds_for_its_time(app: cuewire.App, desk: Desk) -> None:
    await publish(app, {"ttl_s": 0.000_001})
    short = [(await app.run("triage", {"x": "a"})).cached_from for _ in range(2)]
    await publish(app, {"ttl_s": 3_600})
    long = [(await app.run("triage", {"x": "a"})).cached_from for _ in range(2)]

    assert (short, len(desk.received)) == ([None, None], 3)
    assert long[0] is None
    assert long[1] is not None


async def test_many_who_ask_the_same_at_once_make_one_call(app: cuewire.App, desk: Desk) -> None:
    desk.holds = lambda _: True
    await publish(app)

    asking = [asyncio.ensure_future(app.run("triage", {"x": "a"})) for _ in range(1_000)]
    await desk.until(1)
    desk.release()
    results = await asyncio.gather(*asking)

    assert len(desk.received) == 1
    assert {result.value for result in results} == {"fine"}
    assert len({result.id for result in results}) == 1_000
    assert [result.cached_from for result in results].count(None) == 1


async def test_who_waits_for_a_run_that_fails_or_is_given_up_asks_for_themselves(app: cuewire.App, desk: Desk) -> None:
    desk.holds = lambda _: len(desk.received) <= 2
    desk.reply = lambda _: said("down", status=500) if len(desk.received) == 1 else said("fine")
    await publish(app)

    failing = asyncio.ensure_future(app.run("triage", {"x": "a"}))
    await desk.until(1)
    given_up = asyncio.ensure_future(app.run("triage", {"x": "a"}))
    waiting = asyncio.ensure_future(app.run("triage", {"x": "a"}))
    await asyncio.sleep(0)
    desk.release()
    with pytest.raises(ProviderFault):
        await failing
    await desk.until(2)
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up

    assert ((await waiting).value, len(desk.received)) == ("fine", 3)


@pytest.mark.parametrize(
    ("answer", "more"),
    [
        (completion("cut", finish_reason="length", usage=USAGE), {}),
        (completion("many", usage=USAGE), {"output": "number", "policy": {"validation": "warn"}}),
        (completion("drawn", usage=USAGE), {"parameters": {"temperature": 0.7}}),
        (completion("timely", usage=USAGE), {"text": "Now it is {{ now }}: {{ x }}"}),
    ],
    ids=["cut short", "wrong form", "drawn", "reads the time"],
)
async def test_what_is_no_answer_to_give_again_is_not_kept(
    app: cuewire.App, desk: Desk, answer: dict[str, Any], more: dict[str, Any]
) -> None:
    desk.reply = lambda _: plain(answer)
    await publish(app, **more)

    for _ in range(2):
        assert (await app.run("triage", {"x": "a"})).cached_from is None

    assert len(desk.received) == 2


async def test_the_policy_may_let_drawn_and_timely_answers_be_kept(app: cuewire.App, desk: Desk) -> None:
    await publish(app, {"sampled": True}, parameters={"temperature": 0.7})
    drawn = [(await app.run("triage", {"x": "a"})).cached_from for _ in range(2)]
    await publish(app, parameters={"temperature": 0.7, "seed": 7})
    seeded = [(await app.run("triage", {"x": "a"})).cached_from for _ in range(2)]

    assert (drawn[0], seeded[0], len(desk.received)) == (None, None, 2)
    assert None not in (drawn[1], seeded[1])


async def test_another_version_input_or_parameter_is_another_question(app: cuewire.App, desk: Desk) -> None:
    await publish(app)
    await app.run("triage", {"x": "a"})
    others = [await app.run("triage", {"x": "b"}), await app.run("triage", {"x": "a"}, parameters={"max_tokens": 9})]
    await publish(app, text="Idea? {{ x }}")
    others.append(await app.run("triage", {"x": "a"}))

    assert ([other.cached_from for other in others], len(desk.received)) == ([None] * 3, 4)


@pytest.mark.parametrize(
    ("cache", "field"),
    [
        ({"ttl_s": -1}, "/policy/cache/ttl_s"),
        ({"ttl_s": 0}, "/policy/cache/ttl_s"),
        ({"ttl_s": "1h"}, "/policy/cache/ttl_s"),
        ({"must_match": ["vendor"]}, "/policy/cache/must_match/0"),
        ({"kind": "exact"}, "/policy/cache"),
    ],
)
async def test_what_cannot_be_meant_is_refused_when_it_is_published(
    app: cuewire.App, cache: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await publish(app, cache)

    assert refused.value.field == field
    assert (await app.prompts.list()).items == ()
