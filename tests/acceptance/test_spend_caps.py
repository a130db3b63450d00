"""What runs may cost in a day, for whoever runs prompts: in this process, over HTTP, on either database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

import cuewire
from cuewire.config import load
from cuewire.model.errors import BudgetExceeded
from tests.support import postgres
from tests.support.access import known_as
from tests.support.command_line import CommandLine
from tests.support.policy_models import KEY, ONE_CALL_USD, Desk, opened
from tests.support.serving import serving
from tests.support.stores import KINDS

MODEL = "openai/gpt-4o-mini"


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with Desk() as running:
        assert isinstance(running, Desk)
        yield running


@pytest.fixture(params=KINDS)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    """Return the settings that name a database of each kind."""
    if request.param == "sqlite":
        yield {"CUEWIRE_DATABASE_URL": f"sqlite:///{tmp_path}/cue.db"}
    else:
        async with postgres.database() as url:
            yield {"CUEWIRE_DATABASE_URL": url}


async def publish(app: cuewire.App, name: str = "triage", **more: Any) -> None:
    await app.prompts.publish(name, "Bug?", model=MODEL, **more)


async def test_when_a_days_money_is_spent_nothing_is_called_and_the_record_says_why(
    desk: Desk, tmp_path: Path, database: dict[str, str]
) -> None:
    caps = {"CUEWIRE_SPEND__USD_PER_DAY": str(2.5 * ONE_CALL_USD)}
    async with opened(desk, tmp_path, **database, **caps) as app:
        await publish(app)
        for _ in range(3):
            await app.run("triage")
        with pytest.raises(BudgetExceeded) as refused:
            await app.run("triage")
        record = await app.executions.get(refused.value.execution_id or "")
    async with opened(desk, tmp_path, **database, **caps) as app:
        with pytest.raises(BudgetExceeded):
            await app.run("triage")

    assert len(desk.received) == 3
    assert (record.status, record.error_code, record.calls, record.cost_usd) == ("failed", "budget_exceeded", (), 0.0)
    assert refused.value.message.startswith("executions may cost $0.001125 a day, $0.0014 is spent")
    assert "raise spend.usd_per_day" in refused.value.hint


async def test_runs_that_could_cost_more_together_than_is_left_do_not_begin_together(
    desk: Desk, tmp_path: Path
) -> None:
    desk.holds = lambda _: True
    worst_usd = 20 * 0.15e-6 + 500 * 0.6e-6
    async with opened(desk, tmp_path, CUEWIRE_SPEND__USD_PER_DAY=str(worst_usd * 2.5)) as app:
        await publish(app, parameters={"max_tokens": 500})

        runs = [asyncio.ensure_future(app.run("triage")) for _ in range(5)]
        refused = [await _error(run) for run in islice(asyncio.as_completed(runs), 3)]
        await desk.until(2)
        desk.release(2)
        ended = await asyncio.gather(*runs, return_exceptions=True)

    assert {type(error) for error in refused} == {BudgetExceeded}
    assert sum(not isinstance(each, BaseException) for each in ended) == len(desk.received) == 2


async def _error(run: Awaitable[object]) -> BaseException | None:
    (ended,) = await asyncio.gather(run, return_exceptions=True)
    return ended if isinstance(ended, BaseException) else None


async def test_a_prompt_has_a_cap_of_its_own_and_judges_and_candidates_count(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "cuewire.toml").write_text(f'[spend.prompts]\ntriage = {2.5 * ONE_CALL_USD}\n"team/own" = 0\n')
    async with opened(desk, tmp_path) as app:
        await publish(app, policy={"parallel": {"mode": "static_count", "count": 3}})
        await publish(app, "team/own")
        await publish(app, "other")

        await app.run("triage")
        for name in ("triage", "team/own"):
            with pytest.raises(BudgetExceeded, match=f"executions of prompt '{name}' may cost"):
                await app.run(name)
        for _ in range(3):
            await app.run("other")

    assert len(desk.received) == 6


async def test_an_answer_that_is_given_again_costs_nothing_and_is_given(desk: Desk, tmp_path: Path) -> None:
    async with opened(desk, tmp_path, CUEWIRE_SPEND__USD_PER_DAY=str(ONE_CALL_USD)) as app:
        await publish(app, parameters={"temperature": 0}, policy={"cache": {}})
        await app.run("triage")

        again = await app.run("triage")
        with pytest.raises(BudgetExceeded):
            await app.run("triage", parameters={"seed": 2})

    assert (again.cost_usd, len(desk.received)) == (0.0, 1)


async def test_a_key_whose_run_was_refused_for_money_runs_another_day(desk: Desk, tmp_path: Path) -> None:
    async with opened(desk, tmp_path, CUEWIRE_SPEND__USD_PER_DAY="0") as app:
        await publish(app)
        with pytest.raises(BudgetExceeded):
            await app.run("triage", idempotency_key="one")
    async with opened(desk, tmp_path) as app:
        result = await app.run("triage", idempotency_key="one")

    assert (result.text, len(desk.received)) == ("fine", 1)


async def test_embeddings_are_not_made_when_the_money_is_spent(desk: Desk, tmp_path: Path) -> None:
    own = {"CUEWIRE_DATA_FOLDER": str(tmp_path), "OPENAI_BASE_URL": desk.url, "OPENAI_API_KEY": KEY}
    caps = {"CUEWIRE_SPEND__USD_PER_DAY": "0"}
    with serving(CommandLine(tmp_path, own | caps)) as server:
        body = {"model": "openai/text-embedding-3-small", "input": "x"}
        reply = await asyncio.to_thread(server.ask, "POST", "/v1/embeddings", body)

    assert (reply.status, reply.json["error"]["code"], desk.received) == (402, "budget_exceeded", [])


async def test_over_http_a_spent_budget_is_402_with_the_execution_and_what_to_do(tmp_path: Path) -> None:
    with serving(CommandLine(tmp_path, {"CUEWIRE_SPEND__USD_PER_DAY": "0"})) as server:
        assert server.publish("echo", "{{ text }}", model="scripted/echo").status == 200
        reply = server.run("echo", {"text": "x"})
        stored = server.ask("GET", f"/api/v1/executions/{reply.json['execution_id']}").json
        command = CommandLine(tmp_path, {"CUEWIRE_SERVER": server.url, "CUEWIRE_TOKEN": server.key})
        ended = await command("run", "echo", "-v", "text=x")

    assert (reply.status, reply.json["code"]) == (402, "budget_exceeded")
    assert reply.json["title"] == "there is no money left for this"
    assert reply.json["hint"].startswith("raise spend.usd_per_day, or wait until ")
    assert (stored["status"], stored["error_code"]) == ("failed", "budget_exceeded")
    assert (ended.code, "executions may cost $0 a day" in ended.err) == (1, True)


async def test_a_key_has_a_cap_of_its_own_and_each_record_says_who_asked(desk: Desk, tmp_path: Path) -> None:
    own = {"CUEWIRE_DATA_FOLDER": str(tmp_path), "OPENAI_BASE_URL": desk.url, "OPENAI_API_KEY": KEY}
    (tmp_path / "cuewire.toml").write_text(f'[spend.actors]\n"key:ci" = {1.5 * ONE_CALL_USD}\n')
    with serving(CommandLine(tmp_path, own)) as server:
        server.publish("triage", "Bug?", model=MODEL)
        ci, web = known_as(server, "ci", role="runner"), known_as(server, "web", role="runner")

        replies = [await asyncio.to_thread(ci.run, "triage", {}) for _ in range(3)]
        chat = {"model": "prompt/triage", "messages": [], "stream": True}
        others = [
            await asyncio.to_thread(web.run, "triage", {}),
            await asyncio.to_thread(web.ask, "POST", "/v1/chat/completions", chat),
            await asyncio.to_thread(server.run, "triage", {}),
        ]
        listed = server.ask("GET", "/api/v1/executions").json["items"]

    assert [reply.status for reply in replies] == [200, 200, 402]
    assert replies[2].json["detail"].startswith("executions asked for by 'key:ci' may cost")
    assert [reply.status for reply in others] == [200] * 3
    assert [each["actor"] for each in reversed(listed)] == [*["key:ci"] * 3, *["key:web"] * 2, "key:first"]


async def test_judges_are_run_in_the_name_of_who_asked(desk: Desk, tmp_path: Path) -> None:
    policy = {
        "parallel": {"mode": "static_count", "count": 2},
        "selection": {"method": "judge", "prompt": "jury"},
    }
    async with opened(desk, tmp_path, CUEWIRE_AUTHOR="anna") as app:
        await publish(app, "jury")
        await publish(app, policy=policy)
        await app.run("triage")
        listed = await app.executions.list()

    assert [(each.purpose, each.actor) for each in listed.items] == [*[("judge", "anna")] * 2, ("app", "anna")]


def test_the_caps_are_shown_with_the_other_settings(tmp_path: Path) -> None:
    (tmp_path / "cuewire.toml").write_text("[spend]\nusd_per_day = 5\nprompts = { triage = 0.5 }\n")

    settings = load(environment={"CUEWIRE_DATA_FOLDER": str(tmp_path)}, folder=tmp_path)

    assert (settings.spend.usd_per_day, dict(settings.spend.prompts)) == (5, {"triage": 0.5})
