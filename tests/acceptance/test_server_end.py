"""The server ends well: what it took on is brought to its end, and equal orders are one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine
from tests.support.model_server import DONE, Action, ModelServer, Send, Until, chunk, completion, delta, head, plain
from tests.support.serving import Serving, serving
from tests.support.streaming_client import Streaming

SLACK_S = 3.0


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    """Run a scripted model server."""
    async with ModelServer() as running:
        yield running


@pytest.fixture(autouse=True)
async def _threads() -> AsyncIterator[None]:
    """Let as many requests be under way as a test asks for."""
    with ThreadPoolExecutor(64) as pool:
        asyncio.get_running_loop().set_default_executor(pool)
        yield


@pytest.fixture
async def server(model: ModelServer, tmp_path: Path) -> AsyncIterator[Serving]:
    """Serve a database with a prompt whose model is the scripted one."""
    cue = CommandLine(tmp_path, {"OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": "sk-x"})
    with serving(cue) as running:
        await asyncio.to_thread(running.publish, "story", "Tell: {{ text }}", model="openai/gpt-4o-mini")
        yield running


async def all_arrived(model: ModelServer, count: int) -> None:
    async with asyncio.timeout(SLACK_S * 3):
        while len(model.received) < count:
            await model.arrived.wait()
            model.arrived.clear()


async def test_a_server_told_to_end_finishes_what_runs_and_takes_nothing_new(
    model: ModelServer, server: Serving
) -> None:
    gate = asyncio.Event()
    told: list[Action] = [
        Send(head(kind="text/event-stream") + chunk(delta("Once "))),
        Until(gate),
        Send(chunk(delta("upon")) + chunk(delta(finish_reason="stop")) + chunk(DONE) + chunk(b"")),
    ]
    model.script(*[[Until(gate), *plain(completion("Once"))]] * 8, told)
    runs = [asyncio.create_task(asyncio.to_thread(server.run, "story", {"text": str(n)})) for n in range(8)]
    await all_arrived(model, 8)
    one = await Streaming(server).stream()

    ending = asyncio.create_task(asyncio.to_thread(server.end))
    async with asyncio.timeout(SLACK_S):
        while True:
            try:
                await asyncio.to_thread(server.ask, "GET", "/healthz")
            except OSError:
                break
    gate.set()
    replies = await asyncio.gather(*runs)
    events = [event async for event in one.events()]

    assert [(reply.status, reply.json["text"]) for reply in replies] == [(200, "Once")] * 8
    assert getattr(events[-1], "text", "") == "Once upon"
    assert await ending == 0
    one.hang_up()


async def test_fifty_equal_orders_under_one_key_are_one_execution(model: ModelServer, server: Serving) -> None:
    gate = asyncio.Event()
    model.script([Until(gate), *plain(completion("Once"))])
    body = {"prompt": "story", "inputs": {"text": "x"}}

    def ask() -> tuple[int, str]:
        reply = server.ask("POST", "/api/v1/executions", body, Idempotency_Key="one")
        return reply.status, reply.json["id"]

    asked = [asyncio.create_task(asyncio.to_thread(ask)) for _ in range(50)]
    await all_arrived(model, 1)
    gate.set()
    answers = await asyncio.gather(*asked)
    other = await asyncio.to_thread(
        server.ask, "POST", "/api/v1/executions", {**body, "inputs": {"text": "y"}}, Idempotency_Key="one"
    )

    assert len(set(answers)) == 1
    assert answers[0][0] == 200
    assert len(model.received) == 1
    assert (other.status, other.json["code"]) == (422, "idempotency_mismatch")
