"""Policies that cannot be: refused when they are published, with the field that is wrong, and nothing is stored."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import cuewire
from cuewire.model.errors import CuewireError, ModelNotFound
from tests.support.command_line import CommandLine
from tests.support.model_server import ModelServer
from tests.support.policy_models import opened
from tests.support.serving import serving

BINDING = {"model": "openai/gpt-4o"}
COUNTS: list[Any] = [0, -1, 2.5, 10**9, 65, "3", None, True]
BAD: list[tuple[dict[str, Any], str]] = [
    *(({"parallel": {"mode": "static_count", "count": count}}, "/policy/parallel/count") for count in COUNTS),
    *(({"max_candidates": count}, "/policy/max_candidates") for count in COUNTS),
    *(({"at_once": count}, "/policy/at_once") for count in (0, -1, 2.5, 10**9)),
    ({"parallel": {"mode": "static_count", "count": 9}}, "/policy/parallel/count"),
    ({"parallel": {"mode": "static_count"}}, "/policy/parallel"),
    ({"parallel": {"mode": "all"}}, "/policy/parallel/mode"),
    ({"parallel": {"mode": "config_param", "param": ""}}, "/policy/parallel/param"),
    ({"parallel": 3}, "/policy/parallel"),
    ({"paralel": {"mode": "none"}}, "/policy"),
    ({"retry": {"retries": 3}}, "/policy/retry"),
    ({"retry": {"max_retries": 11}}, "/policy/retry/max_retries"),
    ({"retry": {"strategy": "often"}}, "/policy/retry/strategy"),
    ({"retry": {"delay_ms": -1}}, "/policy/retry/delay_ms"),
    ({"retry": {"cap_ms": 10**9}}, "/policy/retry/cap_ms"),
    ({"failover": {"scope": ["request"]}}, "/policy/failover/scope/0"),
    ({"max_repairs": 4}, "/policy/max_repairs"),
    ({"max_calls": 0}, "/policy/max_calls"),
    ({"max_usd": -0.1}, "/policy/max_usd"),
    ({"candidate_timeout_s": 0}, "/policy/candidate_timeout_s"),
    ({"validation": "lax"}, "/policy/validation"),
    ({"models": [BINDING, BINDING]}, "/policy/models/1"),
    ({"models": [{"model": "gpt-4o"}]}, "/policy/models/0/model"),
    ({"models": [{**BINDING, "group": -1}]}, "/policy/models/0/group"),
    ({"models": [BINDING, {"model": "a/b", "parameters": {"seed": "x"}}]}, "/policy/models/1/parameters/seed"),
    ({"models": [{**BINDING, "parallel": {"mode": "static_count", "count": 0}}]}, "/policy/models/0/parallel/count"),
    ({"models": [{**BINDING, "parallel": {"mode": "model_specific"}}]}, "/policy/models/0/parallel/mode"),
    ({"groups": {"policy": "until_score"}}, "/policy/groups/score"),
    ({"groups": {"policy": "until_score", "score": 8}}, "/policy/selection/method"),
    ({"groups": {"policy": "race", "score": 8}}, "/policy/groups/score"),
    ({"selection": {"method": "best"}}, "/policy/selection/method"),
    ({"selection": {"method": "consensus", "quorum": 1.5}}, "/policy/selection/quorum"),
    ({"selection": {"method": "judge"}}, "/policy/selection"),
    ({"selection": {"method": "judge", "prompt": "triage"}}, "/policy/selection"),
    ({"selection": {"method": "judge", "prompt": "triage@1"}}, "/policy/selection"),
    ({"selection": {"method": "judge", "prompt": "many"}}, "/policy/selection"),
    ({"selection": {"method": "judge", "prompt": "nothing"}}, "/policy/selection"),
    ({"selection": {"method": "vote", "judges": ["jury"]}}, "/policy/selection/judges"),
    ({"selection": {"method": "vote", "judges": ["jury", "many"]}}, "/policy/selection"),
]


@pytest.fixture
async def desk() -> AsyncIterator[ModelServer]:
    async with ModelServer() as unused:
        yield unused


@pytest.fixture
async def app(desk: ModelServer, tmp_path: Path) -> AsyncIterator[cuewire.App]:
    async with opened(desk, tmp_path) as running:
        await running.prompts.publish("jury", "Rank {{ fenced }}", model="openai/gpt-4o")
        two = {"parallel": {"mode": "static_count", "count": 2}}
        await running.prompts.publish("many", "Rank {{ fenced }}", model="openai/gpt-4o", policy=two)
        yield running


async def test_a_policy_that_cannot_be_is_refused_with_its_field_and_nothing_is_stored(app: cuewire.App) -> None:
    found = []
    for policy, field in BAD:
        with pytest.raises(CuewireError) as refused:
            await app.prompts.publish("triage", "Bug?", model="openai/gpt-4o", policy=policy)
        fields = {refused.value.field, *(pointer for pointer, _ in getattr(refused.value, "problems", ()))}
        if field not in fields:
            found.append((policy, field, fields, refused.value.message))

    assert found == []
    assert sorted(prompt.name for prompt in (await app.prompts.list()).items) == ["jury", "many"]


async def test_the_message_says_what_is_wrong_and_where(app: cuewire.App) -> None:
    with pytest.raises(CuewireError, match=r"Expected `int` >= 1, at /policy/parallel/count"):
        await app.prompts.publish("triage", "Bug?", policy={"parallel": {"mode": "static_count", "count": 0}})


@pytest.mark.parametrize("policy", [[], "all", 3, {"parallel": float("nan")}, {1: 2}, {"models": object()}])
async def test_what_is_no_policy_at_all_is_refused_too(app: cuewire.App, policy: Any) -> None:
    with pytest.raises(CuewireError) as refused:
        await app.prompts.publish("triage", "Bug?", model="openai/gpt-4o", policy=policy)

    assert refused.value.field.startswith("/policy")


async def test_one_of_several_whose_provider_is_gone_is_told_before_the_first_call(
    app: cuewire.App, desk: ModelServer
) -> None:
    models = [{"model": "openai/gpt-4o", "priority": 1}, {"model": "nowhere/gpt-4o"}]
    policy = {"parallel": {"mode": "static_count", "count": 2}, "models": models}
    await app.prompts.publish("triage", "Bug?", policy=policy)

    with pytest.raises(ModelNotFound, match="nowhere"):
        await app.plan("triage")
    with pytest.raises(ModelNotFound, match="nowhere") as refused:
        await app.run("triage")

    assert desk.received == []
    record = await app.executions.get(refused.value.execution_id or "")
    assert (record.status, record.error_code, record.calls) == ("failed", "model_not_found", ())


def test_over_rest_the_same_is_refused_as_422_with_the_same_fields(tmp_path: Path) -> None:
    with serving(CommandLine(tmp_path)) as server:
        assert server.publish("jury", "Rank {{ fenced }}", model="openai/gpt-4o").status == 200
        two = {"parallel": {"mode": "static_count", "count": 2}}
        assert server.publish("many", "Rank {{ fenced }}", model="openai/gpt-4o", policy=two).status == 200
        found = []
        for policy, field in BAD:
            reply = server.publish("triage", "Bug?", model="openai/gpt-4o", policy=policy)
            said = reply.json
            fields = {said.get("field"), *(each["pointer"] for each in said.get("problems") or [])}
            if reply.status not in (404, 422) or field not in fields:
                found.append((policy, field, reply.status, said))
        listed = server.ask("GET", "/api/v1/prompts").json

    assert found == []
    assert sorted(prompt["name"] for prompt in listed["items"]) == ["jury", "many"]
