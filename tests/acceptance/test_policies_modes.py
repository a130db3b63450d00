"""How many candidates there are, on which models, and in which groups: what the server of the models gets to see."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import cuewire
from cuewire.model.errors import InvalidInput
from tests.support.policy_models import Desk, by_model, models, opened, said

ALONE: dict[str, Any] = {"parallel": {"mode": "none"}}


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with Desk() as running:
        assert isinstance(running, Desk)
        yield running


@pytest.fixture
async def app(desk: Desk, tmp_path: Path) -> AsyncIterator[cuewire.App]:
    async with opened(desk, tmp_path) as running:
        yield running


@pytest.mark.contract("S4-01", "S4-10", "S4-15")
@pytest.mark.parametrize("policy", [None, {}, ALONE, {"models": models("gpt-4o")}])
async def test_with_mode_none_one_model_is_asked_once_as_ever(
    app: cuewire.App, desk: Desk, policy: dict[str, Any] | None
) -> None:
    await app.prompts.publish("triage", "Bug or idea?", model="openai/gpt-4o-mini", policy=policy)

    plan = await app.plan("triage")
    result = await app.run("triage")

    record = await app.executions.get(result.id)
    assert desk.models == {"gpt-4o-mini": 1}
    assert (result.value, result.candidates, result.selection, record.work) == ("fine", (), None, None)
    assert (plan.max_calls, plan.only and str(plan.only.model)) == (1, "openai/gpt-4o-mini")


@pytest.mark.contract("S4-02", "S4-10", "S4-16")
async def test_a_static_count_asks_so_often_at_once_the_models_in_turn(app: cuewire.App, desk: Desk) -> None:
    desk.holds = lambda _: True
    policy = {"parallel": {"mode": "static_count", "count": 5}, "models": models("gpt-4o", "gpt-4o-mini")}
    await app.prompts.publish("triage", "Bug or idea?", policy=policy)

    run = asyncio.create_task(app.run("triage"))
    await desk.until(5)
    desk.release(5)
    result = await run

    assert desk.peak == 5
    assert desk.models == {"gpt-4o": 3, "gpt-4o-mini": 2}
    assert [end.model for end in sorted(result.candidates, key=lambda end: end.index)] == [
        f"openai/{name}" for name in ("gpt-4o", "gpt-4o-mini", "gpt-4o", "gpt-4o-mini", "gpt-4o")
    ]
    assert {end.group for end in result.candidates} == {0}
    assert sorted(asked["seed"] for asked in desk.asked("gpt-4o")) == [0, 1, 2]


@pytest.mark.parametrize(
    ("diversity", "sent"),
    [
        ("seed", [{"seed": 7, "temperature": 0.5}, {"seed": 8, "temperature": 0.5}, {"seed": 9, "temperature": 0.5}]),
        ("temperature", [{"seed": 7, "temperature": each} for each in (0.5, 0.7, 0.9)]),
        ("none", [{"seed": 7, "temperature": 0.5}] * 3),
    ],
)
async def test_repeated_candidates_are_told_apart_as_the_policy_says_and_the_record_shows_how(
    app: cuewire.App, desk: Desk, diversity: str, sent: list[dict[str, float]]
) -> None:
    policy = {"parallel": {"mode": "static_count", "count": 3}, "diversity": diversity}
    own = {"seed": 7, "temperature": 0.5}
    await app.prompts.publish("triage", "Bug or idea?", model="openai/gpt-4o-mini", parameters=own, policy=policy)

    result = await app.run("triage")

    got = [{name: each.json[name] for name in ("seed", "temperature")} for each in desk.received]
    assert sorted(got, key=repr) == sent
    assert [end.parameters for end in sorted(result.candidates, key=lambda end: end.index)] == sent


@pytest.mark.contract("S4-03")
async def test_the_count_is_a_parameter_of_the_configuration_or_of_one_above_it(app: cuewire.App, desk: Desk) -> None:
    policy = {"parallel": {"mode": "config_param", "param": "samples"}}
    await app.prompts.publish("triage", "Bug or idea?", model="openai/gpt-4o-mini", policy=policy)
    await app.configurations.add("base", parameters={"samples": 3})
    await app.configurations.add("live", parent="base")
    await app.configurations.add("small", parent="live", parameters={"samples": "2"})

    counts = {}
    for name in ("base", "live", "small"):
        before = len(desk.received)
        result = await app.run("triage", configuration=name)
        counts[name] = len(desk.received) - before, max(1, len(result.candidates))
    await app.configurations.edit("base", parameters={"samples": 1})
    changed = await app.run("triage", configuration="live")

    assert counts == {"base": (3, 3), "live": (3, 3), "small": (2, 2)}
    assert (changed.candidates, len(desk.received)) == ((), 9)


@pytest.mark.parametrize("samples", [0, -1, 2.5, "many", True, None, 10**9, "999999999", [3], 9])
async def test_a_configuration_whose_count_cannot_be_is_refused_before_the_first_call(
    app: cuewire.App, desk: Desk, samples: object
) -> None:
    policy = {"parallel": {"mode": "config_param", "param": "samples"}}
    await app.prompts.publish("triage", "Bug or idea?", model="openai/gpt-4o-mini", policy=policy)
    await app.configurations.add("live", parameters={} if samples is None else {"samples": samples})

    with pytest.raises(InvalidInput) as planned:
        await app.plan("triage", configuration="live")
    with pytest.raises(InvalidInput) as run:
        await app.run("triage", configuration="live")
    with pytest.raises(InvalidInput) as nowhere:
        await app.run("triage")

    assert run.value.field == planned.value.field
    assert run.value.field in ("/policy/parallel/param", "/policy/max_candidates")
    assert nowhere.value.field == "/configuration"
    assert desk.received == []


async def test_a_binding_whose_count_cannot_be_is_named_by_its_place_in_the_policy(app: cuewire.App) -> None:
    counted = {"mode": "config_param", "param": "samples"}
    bound = [
        {"model": "openai/gpt-4o-mini", "priority": 1},
        {"model": "openai/gpt-4o", "priority": 9},
        {"model": "openai/o3", "priority": 5, "parallel": counted},
    ]
    policy = {"parallel": {"mode": "model_specific"}, "models": bound}
    await app.prompts.publish("triage", "Bug or idea?", model="openai/gpt-4.1", policy=policy)
    await app.configurations.add("live", parameters={"samples": 0})

    with pytest.raises(InvalidInput) as refused:
        await app.plan("triage", configuration="live")

    assert refused.value.field == "/policy/models/2/parallel/param"


@pytest.mark.contract("S4-04", "S4-06", "S4-32", "S4-33")
async def test_each_model_has_its_own_count_group_and_parameters(app: cuewire.App, desk: Desk) -> None:
    bound = [
        {"model": "openai/o3", "group": 1, "parameters": {"max_tokens": 9}},
        {
            "model": "openai/gpt-4o",
            "parallel": {"mode": "static_count", "count": 2},
            "parameters": {"temperature": 1.5, "top_p": 0.5},
        },
        {"model": "openai/gpt-4o-mini", "group": 1, "parallel": {"mode": "config_param", "param": "cheap"}},
        {"model": "openai/gpt-4.1", "active": False},
    ]
    policy = {"parallel": {"mode": "model_specific"}, "models": bound}
    own = {"temperature": 0.1, "max_tokens": 100}
    await app.prompts.publish("triage", "Bug or idea?", parameters=own, policy=policy)
    await app.configurations.add("live", parameters={"cheap": 3})

    plan = await app.plan("triage", configuration="live")
    result = await app.run("triage", configuration="live", parameters={"top_p": 0.25})

    assert desk.models == {"gpt-4o": 2, "o3": 1, "gpt-4o-mini": 3}
    assert {each["model"] for each in (received.json for received in desk.received[:2])} == {"gpt-4o"}
    for asked in desk.asked("gpt-4o"):
        assert (asked["temperature"], asked["max_tokens"], asked["top_p"]) == (1.5, 100, 0.25)
    (once,) = desk.asked("o3")
    assert (once["temperature"], once["max_tokens"], once["top_p"]) == (0.1, 9, 0.25)
    assert [(len(group.candidates), group.candidates[0].group) for group in plan.groups] == [(2, 0), (4, 1)]
    assert plan.notes == ("openai/gpt-4.1 is not active",)
    assert sorted(end.group for end in result.candidates) == [0, 0, 1, 1, 1, 1]


async def test_the_models_of_a_configuration_take_the_place_of_those_for_all_and_of_no_other(
    app: cuewire.App,
) -> None:
    bound = [
        *models("gpt-4o"),
        *models("o3", configuration="live"),
        *models("gpt-4.1", configuration="night"),
    ]
    policy = {"parallel": {"mode": "model_specific"}, "models": bound, "choice": {"strategy": "specific"}}
    await app.prompts.publish("triage", "Bug or idea?", policy=policy)
    for name in ("live", "night", "other"):
        await app.configurations.add(name)

    asked = [(await app.run("triage", configuration=name)).model for name in ("live", "night", "other", None)]

    assert asked == ["openai/o3", "openai/gpt-4.1", "openai/gpt-4o", "openai/gpt-4o"]


@pytest.mark.contract("S4-05", "S4-33")
async def test_groups_run_one_after_another_and_their_candidates_side_by_side(app: cuewire.App, desk: Desk) -> None:
    desk.holds = lambda _: True
    bound = [*models("gpt-4o", "gpt-4o-mini", group=0), *models("o3", "gpt-4.1", group=7)]
    await app.prompts.publish("triage", "Bug?", policy={"parallel": {"mode": "model_specific"}, "models": bound})

    run = asyncio.create_task(app.run("triage"))
    await desk.until(2)
    first = set(desk.models)
    desk.release()
    before_the_end = await _arrivals(desk, seconds=0.2)
    desk.release()
    await desk.until(4)
    second = set(desk.models) - first
    desk.release(2)
    await run

    assert (first, second) == ({"gpt-4o", "gpt-4o-mini"}, {"o3", "gpt-4.1"})
    assert before_the_end == 2, "the second group began before the first had ended"
    assert desk.peak == 2


async def test_no_more_calls_are_under_way_than_the_policy_allows(app: cuewire.App, desk: Desk) -> None:
    desk.holds = lambda _: True
    policy = {"parallel": {"mode": "static_count", "count": 8}, "at_once": 3}
    await app.prompts.publish("triage", "Bug?", model="openai/gpt-4o-mini", policy=policy)

    run = asyncio.create_task(app.run("triage"))
    for arrived in range(3, 9):
        await desk.until(arrived)
        desk.release()
    desk.release(3)
    await run

    assert (len(desk.received), desk.peak) == (8, 3)


@pytest.mark.contract("S4-40")
async def test_some_candidates_may_fail_and_the_run_succeeds(app: cuewire.App, desk: Desk) -> None:
    desk.reply = by_model(gpt_4o="500", o3="429", gpt_4o_mini="well", gpt_4_1="400")
    bound = models("gpt-4o", "o3", "gpt-4o-mini", "gpt-4-1")
    await app.prompts.publish("triage", "Bug?", policy={"parallel": {"mode": "model_specific"}, "models": bound})

    result = await app.run("triage")

    assert (result.value, result.model, result.valid) == ("well", "openai/gpt-4o-mini", True)
    ends = {end.model: (end.status, end.error_code) for end in result.candidates}
    assert ends == {
        "openai/gpt-4o": ("failed", "provider_fault"),
        "openai/o3": ("failed", "rate_limited"),
        "openai/gpt-4o-mini": ("valid", None),
        "openai/gpt-4-1": ("failed", "request_rejected"),
    }
    record = await app.executions.get(result.id)
    assert (record.status, record.text) == ("succeeded", "well")
    desk.reply = lambda _: said("down", status=503)
    with pytest.raises(cuewire.ProviderError, match="none of 4 candidates is valid; candidate 0: "):
        await app.run("triage")


async def _arrivals(desk: Desk, *, seconds: float) -> int:
    """Return how many requests have arrived, after as long as one too many would have had."""
    await asyncio.sleep(seconds)
    return len(desk.received)
