"""One prompt on several models at once: answers with comparable figures, kept, and nothing made up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import cuewire
from cuewire.model.errors import InvalidInput
from tests.support.command_line import CommandLine
from tests.support.model_server import Action, completion, plain
from tests.support.policy_models import KEY, ONE_CALL_USD, USAGE, Desk, by_model, opened, said
from tests.support.serving import serving

KNOWN, UNKNOWN, DOWN = "openai/gpt-4o-mini", "openai/nobody-prices-this", "openai/o3"


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk(by_model(gpt_4o_mini="bug", o3="503", nobody_prices_this="idea", gpt_4o="bug"))
    async with desk:
        yield desk


@pytest.mark.contract("S0-02", "S4-06")
async def test_each_model_is_asked_once_side_by_side_and_the_record_has_all_answers(desk: Desk, tmp_path: Path) -> None:
    desk.holds = lambda _: True
    async with opened(desk, tmp_path) as app:
        await app.prompts.publish("triage", "Bug or idea? {{ x }}", model="openai/gpt-4o", output=["bug", "idea"])

        running = asyncio.ensure_future(app.run("triage", {"x": "?"}, models=[KNOWN, UNKNOWN, DOWN]))
        await desk.until(3)
        desk.release(3)
        result = await running
        record = await app.executions.get(result.id)

    assert desk.peak == 3
    assert sorted(desk.models) == ["gpt-4o-mini", "nobody-prices-this", "o3"]
    known, unknown, down = result.candidates
    assert [(end.model, end.status, end.value) for end in result.candidates] == [
        (KNOWN, "valid", "bug"),
        (UNKNOWN, "valid", "idea"),
        (DOWN, "failed", None),
    ]
    assert known.cost_usd == pytest.approx(ONE_CALL_USD)
    assert (unknown.cost_usd, down.cost_usd) == (None, None)
    assert (known.usage.total_tokens, down.usage.total_tokens) == (USAGE["total_tokens"], None)
    assert all(end.duration_ms for end in result.candidates)
    assert (result.value, result.model, result.cost_usd) == ("bug", KNOWN, None)
    assert record.work is not None
    assert record.work.candidates == result.candidates


async def test_a_model_that_the_version_binds_keeps_its_parameters_and_the_policy_selects(
    desk: Desk, tmp_path: Path
) -> None:
    policy = {
        "models": [{"model": KNOWN, "parameters": {"max_tokens": 7}}],
        "selection": {"method": "consensus"},
        "max_candidates": 3,
    }
    async with opened(desk, tmp_path) as app:
        await app.prompts.publish("triage", "Bug or idea?", parameters={"temperature": 0}, policy=policy)
        result = await app.run("triage", models=[UNKNOWN, "openai/gpt-4o", KNOWN])

    assert result.selection is not None
    assert (result.value, result.selection.method) == ("bug", "consensus")
    assert [end.parameters for end in result.candidates] == [
        {"temperature": 0},
        {"temperature": 0},
        {"temperature": 0, "max_tokens": 7},
    ]


async def test_the_same_key_with_other_models_is_another_request(desk: Desk, tmp_path: Path) -> None:
    async with opened(desk, tmp_path) as app:
        await app.prompts.publish("triage", "Bug or idea?", model=KNOWN)
        first = await app.run("triage", models=[KNOWN, UNKNOWN], idempotency_key="k1")
        again = await app.run("triage", models=[KNOWN, UNKNOWN], idempotency_key="k1")
        with pytest.raises(cuewire.CuewireError) as refused:
            await app.run("triage", models=[KNOWN, "openai/gpt-4o"], idempotency_key="k1")

    assert (again.id, again.stored, again.candidates) == (first.id, True, first.candidates)
    assert refused.value.code == "idempotency_mismatch"


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"models": "openai/gpt-4o"}, "/models"),
        ({"models": ["openai/gpt-4o", "gpt-4o"]}, "/models/1"),
        ({"models": ["openai/gpt-4o", "openai/gpt-4o"]}, "/models/1"),
        ({"models": ["openai/gpt-4o", KNOWN], "model": KNOWN}, "/models"),
        ({"models": [f"openai/m{number}" for number in range(65)]}, "/models"),
        ({"models": [f"openai/m{number}" for number in range(9)]}, "/models"),
    ],
)
async def test_models_that_cannot_be_asked_are_refused_before_any_call(
    desk: Desk, tmp_path: Path, options: dict[str, Any], field: str
) -> None:
    async with opened(desk, tmp_path) as app:
        await app.prompts.publish("triage", "Bug or idea?", model=KNOWN)
        with pytest.raises(InvalidInput) as refused:
            await app.run("triage", **options)

    assert (refused.value.field, desk.received) == (field, [])


@pytest.mark.contract("S0-02", "S0-21", "S0-22")
async def test_what_pages_compare_and_chart_comes_with_its_figures_and_null_where_nothing_is_known(
    desk: Desk, tmp_path: Path
) -> None:
    body = {"prompt": "triage", "models": [KNOWN, UNKNOWN, DOWN]}
    with serving(CommandLine(tmp_path, {"OPENAI_BASE_URL": desk.url, "OPENAI_API_KEY": KEY})) as server:
        await asyncio.to_thread(server.publish, "triage", "Bug or idea?", model=KNOWN)
        one_entry = {"endpoint": "execute_multi_model_prompt", **body}
        by_name = await asyncio.to_thread(server.ask, "POST", "/api", one_entry)
        ran = await asyncio.to_thread(server.ask, "POST", "/api/v1/executions", body)
        listed = await asyncio.to_thread(server.ask, "GET", f"/api/v1/executions/{ran.json['id']}")

    known, unknown, down = ran.json["candidates"]
    assert (ran.status, by_name.status) == (200, 200)
    assert [end["model"] for end in by_name.json["candidates"]] == [KNOWN, UNKNOWN, DOWN]
    assert listed.json["work"]["candidates"] == ran.json["candidates"]
    assert known["cost_usd"] == pytest.approx(ONE_CALL_USD)
    assert (unknown["cost_usd"], down["cost_usd"], down["usage"]["input_tokens"]) == (None, None, None)
    assert min(end["duration_ms"] for end in ran.json["candidates"]) > 0
    # nobody has judged them, so no answer has a score, and the one selected is the first that is valid
    assert {ranked["score"] for ranked in ran.json["selection"]["ranking"]} == {None}
    assert ran.json["selection"]["method"] == "first"


async def test_the_command_line_shows_the_answers_side_by_side(desk: Desk, tmp_path: Path) -> None:
    def reply(asked: Mapping[str, Any]) -> Sequence[Action]:
        return said("down", status=503) if asked["model"] == "o3" else plain(completion("fine", usage=USAGE))

    desk.reply = reply
    cue = CommandLine(tmp_path, {"OPENAI_BASE_URL": desk.url, "OPENAI_API_KEY": KEY})
    await cue("prompts", "publish", "triage", "-", "--model", KNOWN, stdin=b"Bug?")

    planned = await cue("plan", "triage", "--model", KNOWN, "--model", DOWN)
    shown = await cue("run", "triage", "--model", KNOWN, "--model", DOWN, "--verbose")

    assert planned.out.count("asked for by the caller") == 2
    assert (shown.code, shown.out) == (0, "fine\n")
    assert "provider_unavailable" in shown.err
    assert "candidate 0 of 2 by first" in shown.err
