"""Prompts are kept as data: what is stored of them, older texts beside newer ones, many of them, and what is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

import cuewire
from cuewire.config import load
from tests.acceptance.conftest import KEY, SettingsMaker, surroundings
from tests.support.model_server import ModelServer, completion, plain
from tests.support.served_databases import serving_on
from tests.support.serving import Serving
from tests.support.stores import KINDS


@pytest.fixture
async def many(tmp_path: Path) -> AsyncIterator[cuewire.App]:
    """Open a database with 1,200 prompts."""
    settings = load(environment=surroundings(tmp_path, f"sqlite:///{tmp_path}/cue.db"), folder=tmp_path)
    async with cuewire.open(settings=settings) as app:
        for first in range(0, 1_200, 100):
            await asyncio.gather(
                *(
                    app.prompts.publish(f"prompt-{number:04}", f"{number}: {{{{ text }}}}", model="scripted/echo")
                    for number in range(first, first + 100)
                )
            )
        yield app


@pytest.mark.contract("S3-001", "S3-004", "S3-005", "S3-009")
async def test_a_prompt_has_an_id_its_content_versions_and_times(app: cuewire.App) -> None:
    begun = datetime.now(UTC) - timedelta(seconds=1)
    template = "{% if polite %}Dear {{ name | upper }}{% endif %}"

    first = await app.prompts.publish("letter", template)
    second = await app.prompts.publish("letter", template + "!")
    shown = next(prompt for prompt in (await app.prompts.list()).items if prompt.name == "letter")
    others = {prompt.id for prompt in (await app.prompts.list()).items if prompt.name != "letter"}

    assert shown.id == first.prompt_id == second.prompt_id
    assert shown.id not in others
    assert (first.text, second.text) == (template, template + "!")
    assert (first.number, second.number, shown.versions) == (1, 2, 2)
    assert begun < shown.created_at <= first.created_at <= second.created_at <= shown.updated_at
    assert (await app.prompts.get("letter@1")).text == template


@pytest.mark.contract("S3-037")
async def test_older_texts_run_beside_newer_ones_and_are_the_way_back(app: cuewire.App, server: ModelServer) -> None:
    server.script(plain(completion()))
    await app.prompts.publish("greet", "One: {{ name }}", model="openai/gpt-4o-mini")
    await app.prompts.publish("greet", "Two: {{ name }}", model="openai/gpt-4o-mini", labels=["candidate"])

    both = await asyncio.gather(*(app.run(f"greet@{ref}", {"name": "Ada"}) for ref in ("production", "candidate")))
    await app.prompts.label("greet", "production", 2)
    rolled_out = await app.run("greet", {"name": "Ada"})
    await app.prompts.label("greet", "production", 1)
    rolled_back = await app.run("greet", {"name": "Ada"})

    assert [result.version for result in (*both, rolled_out, rolled_back)] == [1, 2, 2, 1]
    sent = [received.json["messages"][0]["content"] for received in server.received]
    assert sorted(sent[:2]) == ["One: Ada", "Two: Ada"]
    assert sent[2:] == ["Two: Ada", "One: Ada"]
    assert [version.text for version in await app.prompts.versions("greet")] == ["Two: {{ name }}", "One: {{ name }}"]


@pytest.mark.contract("S3-032")
async def test_a_call_takes_its_text_from_the_database_whoever_stored_it(
    server: ModelServer, make_settings: SettingsMaker
) -> None:
    settings = make_settings(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
    server.script(plain(completion()))
    async with cuewire.open(settings=settings) as author:
        await author.prompts.publish("greet", "Stored: {{ name }}", model="openai/gpt-4o-mini")

    async with cuewire.open(settings=settings) as caller:
        await caller.run("greet", {"name": "Ada"})

    assert server.received[0].json["messages"] == [{"role": "user", "content": "Stored: Ada"}]


@pytest.mark.contract("S3-033")
@pytest.mark.parametrize("kind", KINDS)
async def test_a_service_that_speaks_to_the_server_gets_the_text_of_the_database(kind: str, tmp_path: Path) -> None:
    async with ModelServer() as model:
        model.script(plain(completion()))
        with serving_on(kind, tmp_path, {"OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": KEY}) as serving:
            for text in ("One", "Two"):
                serving.publish("greet", f"{text}: {{{{ name }}}}", model="openai/gpt-4o-mini", publish=True)
                await asyncio.to_thread(_ask_every_way, serving)

    sent = [received.json["messages"][-1]["content"] for received in model.received]
    assert sent == ["One: Ada"] * 3 + ["Two: Ada"] * 3


def _ask_every_way(serving: Serving) -> None:
    inputs = {"inputs": {"name": "Ada"}}
    bodies = {
        "/api/v1/executions": {"prompt": "greet", **inputs},
        "/v1/chat/completions": {"model": "prompt/greet", "messages": [], **inputs},
        "/api": {"endpoint": "execute_prompt", "prompt": "greet", **inputs},
    }
    assert [serving.ask("POST", path, body).status for path, body in bodies.items()] == [200] * 3


@pytest.mark.contract("S4-32")
async def test_the_parameters_of_a_version_reach_the_call_and_those_of_a_run_win(
    app: cuewire.App, server: ModelServer
) -> None:
    server.script(plain(completion()))
    warm = {"temperature": 0.9, "max_tokens": 50, "logit_bias": {"1": -100}}
    await app.prompts.publish("warm", "Hello", model="openai/gpt-4o-mini", parameters=warm)
    await app.prompts.publish("cold", "Hello", model="openai/gpt-4o", parameters={"temperature": 0, "seed": 7})

    await app.run("warm")
    await app.run("cold")
    await app.run("warm", parameters={"temperature": 0.1, "top_p": 0.5})

    sent = [{k: v for k, v in received.json.items() if k not in ("model", "messages")} for received in server.received]
    assert sent == [warm, {"temperature": 0, "seed": 7}, {**warm, "temperature": 0.1, "top_p": 0.5}]


async def test_more_than_a_thousand_prompts_are_listed_in_order_found_and_run(many: cuewire.App) -> None:
    names: list[str] = []
    after: str | None = None
    while True:
        page = await many.prompts.list(limit=100, after=after)
        names.extend(prompt.name for prompt in page.items)
        if (after := page.next) is None:
            break
    async with asyncio.timeout(3 * 0.5):
        results = [await many.run(f"prompt-{number:04}", {"text": "x"}) for number in (0, 600, 1_199)]

    assert len(names) == 1_200
    assert all(first < second for first, second in pairwise(names))
    assert [result.text for result in results] == ["0: x", "600: x", "1199: x"]
    assert (await many.prompts.get("prompt-0777")).text == "777: {{ text }}"


async def test_now_is_the_moment_at_which_the_execution_began(app: cuewire.App) -> None:
    await app.prompts.publish("clock", "{{ now }}|{{ today }}|{{ 0.055 | percent }}", model="scripted/echo")

    result = await app.run("clock")
    record = await app.executions.get(result.id)

    now, today, percent = result.text.split("|")
    assert datetime.fromisoformat(now) == record.started_at.replace(microsecond=0)
    assert (today, percent) == (record.started_at.date().isoformat(), "5.50%")
