"""Policies over REST: the real server in a process of its own asks the models, plans, selects, and shows its work."""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.support.command_line import CommandLine
from tests.support.model_server import Action, Hang
from tests.support.policy_models import JUDGE, KEY, Desk, by_model, judging, models
from tests.support.serving import Reply, Serving, serving

EXECUTIONS = "/api/v1/executions"
JUDGE_MODEL = "gpt-4.1-nano"


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with Desk() as running:
        assert isinstance(running, Desk)
        yield running


@pytest.fixture
async def server(desk: Desk, tmp_path: Path) -> AsyncIterator[Serving]:
    cue = CommandLine(tmp_path, {"OPENAI_BASE_URL": desk.url, "OPENAI_API_KEY": KEY})
    with serving(cue) as running:
        yield running


async def published(server: Serving, name: str, content: str, **more: object) -> None:
    """Publish the first version of a prompt."""
    reply = await asyncio.to_thread(server.publish, name, content, **more)
    assert reply.status == 200, reply.body


async def run(server: Serving, prompt: str, **more: object) -> Reply:
    """Run a prompt."""
    return await asyncio.to_thread(server.run, prompt, {}, **more)


@pytest.mark.contract("S4-06", "S4-08", "S4-11", "S4-40")
async def test_a_run_shows_its_candidates_its_selection_and_the_executions_of_its_judge(
    server: Serving, desk: Desk
) -> None:
    others = by_model(gpt_4o="one", gpt_4o_mini="better", o3="503")

    def reply(asked: Mapping[str, Any]) -> Sequence[Action]:
        return judging(asked, best="better") if asked["model"] == JUDGE_MODEL else others(asked)

    desk.reply = reply
    policy = {
        "parallel": {"mode": "model_specific"},
        "models": models("gpt-4o", "gpt-4o-mini", "o3"),
        "selection": {"method": "judge", "prompt": "jury"},
    }
    await published(server, "jury", JUDGE, model=f"openai/{JUDGE_MODEL}")
    await published(server, "triage", "Bug?", policy=policy)

    planned = await asyncio.to_thread(server.ask, "POST", f"{EXECUTIONS}/plan", {"prompt": "triage", "inputs": {}})
    ran = await run(server, "triage")
    record = (await asyncio.to_thread(server.ask, "GET", f"{EXECUTIONS}/{ran.json['id']}")).json
    judge_id = ran.json["selection"]["judges"][0]
    judged = (await asyncio.to_thread(server.ask, "GET", f"{EXECUTIONS}/{judge_id}")).json

    assert (ran.status, ran.json["value"], ran.json["selection"]["winner"]) == (200, "better", 1)
    assert sorted((end["model"], end["status"]) for end in ran.json["candidates"]) == [
        ("openai/gpt-4o", "valid"),
        ("openai/gpt-4o-mini", "valid"),
        ("openai/o3", "failed"),
    ]
    assert planned.status == 200
    assert planned.json["candidates"] == record["work"]["plan"]["candidates"]
    assert planned.json["hash"] == record["work"]["plan"]["hash"]
    assert sorted(call["candidate"] for call in record["calls"]) == [0, 1, 2]
    assert (judged["purpose"], judged["parent_id"], record["purpose"]) == ("judge", ran.json["id"], "app")
    assert ran.json["selection"]["judge_cost_usd"] == judged["cost_usd"]


async def test_the_count_of_a_configuration_counts_over_rest_too(server: Serving, desk: Desk) -> None:
    policy = {"parallel": {"mode": "config_param", "param": "samples"}}
    await published(server, "triage", "Bug?", model="openai/gpt-4o-mini", policy=policy)
    for body in ({"name": "base", "parameters": {"samples": 3}}, {"name": "live", "parent": "base"}):
        made = await asyncio.to_thread(server.ask, "POST", "/api/v1/configurations", body)
        assert made.status == 201, made.body

    ran = await run(server, "triage", configuration="live")
    nowhere = await run(server, "triage")

    assert (ran.status, len(ran.json["candidates"]), len(desk.received)) == (200, 3, 3)
    assert (nowhere.status, nowhere.json["field"]) == (422, "/configuration")


async def test_a_stream_of_a_race_is_the_winners_text(server: Serving, desk: Desk) -> None:
    desk.reply = by_model(gpt_4o="500", gpt_4o_mini="the text")
    policy = {
        "parallel": {"mode": "model_specific"},
        "models": models("gpt-4o", "gpt-4o-mini"),
        "groups": {"policy": "race"},
    }
    await published(server, "triage", "Bug?", policy=policy)

    streamed = await run(server, "triage", stream=True)

    events = [
        dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        for block in streamed.body.decode().split("\n\n")
    ]
    pieces = [msgspec.json.decode(each["data"])["text"] for each in events if each.get("event") == "piece"]
    assert "".join(pieces) == "the text"
    (done,) = [msgspec.json.decode(each["data"]) for each in events if each.get("event") == "result"]
    assert (done["text"], done["selection"]["winner"]) == ("the text", 1)


async def test_a_client_that_hangs_up_ends_all_calls_of_its_run_and_each_candidate_has_its_end(
    server: Serving, desk: Desk
) -> None:
    desk.reply = lambda _: [Hang()]
    policy = {"parallel": {"mode": "static_count", "count": 4}, "at_once": 3}
    await published(server, "triage", "Bug?", model="openai/gpt-4o-mini", policy=policy)

    client = http.client.HTTPConnection("127.0.0.1", server.port)
    body = msgspec.json.encode({"prompt": "triage", "inputs": {}})
    headers = {"Authorization": f"Bearer {server.key}", "Content-Type": "application/json"}
    client.request("POST", EXECUTIONS, body, headers)
    await desk.until(3)
    client.close()
    async with asyncio.timeout(3):
        for received in desk.received:
            await received.hung_up.wait()
        record = await _ended(server)

    assert record["status"] == "cancelled"
    assert [end["status"] for end in record["work"]["candidates"]] == ["cancelled"] * 4
    assert [call["status"] for call in record["calls"]] == ["cancelled"] * 3
    assert len(desk.received) == 3


async def _ended(server: Serving) -> Any:
    """Return the record of the only execution when it is closed."""
    while True:
        (newest,) = (await asyncio.to_thread(server.ask, "GET", EXECUTIONS)).json["items"]
        if newest["status"] != "running":
            return (await asyncio.to_thread(server.ask, "GET", f"{EXECUTIONS}/{newest['id']}")).json
        await asyncio.sleep(0.05)
