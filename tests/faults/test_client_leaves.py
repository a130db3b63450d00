"""F30: who asked has gone, or wants no more. The model stops within a second; what had arrived is kept, for good."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

import cuewire
from cuewire.wire.problems import Problem
from cuewire.wire.streams import PieceShape
from tests.support.command_line import CommandLine
from tests.support.model_server import Action, Hang, Send, Until, Wait, chunk, delta, head, stream
from tests.support.policy_models import KEY, Desk, opened, said
from tests.support.serving import Serving, serving
from tests.support.streaming_client import Client, Streaming

RUN = "/api/v1/executions"
MODEL = "openai/gpt-4o-mini"
WITHIN_S = 3.0
"""One second is promised; machines that run tests are slow."""
TOLD = ("Once ", "upon ", "a ", "time")


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with Desk() as running:
        assert isinstance(running, Desk)
        yield running


@pytest.fixture
async def server(desk: Desk, tmp_path: Path) -> AsyncIterator[Serving]:
    """Serve a prompt whose model is the scripted one, over one connection."""
    own = {"OPENAI_BASE_URL": desk.url, "OPENAI_API_KEY": KEY, "CUEWIRE_MAX_CONNECTIONS": "1"}
    with serving(CommandLine(tmp_path, own)) as running:
        await asyncio.to_thread(running.publish, "story", "Tell: {{ text }}", model=MODEL)
        yield running


def telling(*words: str) -> list[Action]:
    """Begin a stream that says so much, and no more."""
    return [Send(head(kind="text/event-stream")), *(Send(chunk(delta(word))) for word in words)]


async def asked(server: Serving, *, is_streamed: bool, **headers: str) -> Client:
    """Ask for a story."""
    body = {"prompt": "story", "inputs": {"text": "x"}, "stream": is_streamed}
    return await Streaming(server).request("POST", RUN, body, **headers)


async def read(client: Client, words: tuple[str, ...]) -> None:
    """Read a stream until it has said so much."""
    await client.begun()
    text, events = "", client.events()
    while text != "".join(words):
        event = await anext(events)
        assert isinstance(event, PieceShape)
        text += event.text


async def ended(server: Serving) -> dict[str, Any]:
    """Return the record of the newest execution once it has ended."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            items = (await asyncio.to_thread(server.ask, "GET", f"{RUN}?limit=1")).json["items"]
            if items and items[0]["status"] != "running":
                found: dict[str, Any] = (await asyncio.to_thread(server.ask, "GET", f"{RUN}/{items[0]['id']}")).json
                return found
            await asyncio.sleep(0.02)


async def hung_up(desk: Desk, since: float) -> None:
    """See that the call to the model was given up in time, counted from when the client left."""
    async with asyncio.timeout(WITHIN_S):
        await desk.received[0].hung_up.wait()
    assert monotonic() - since < WITHIN_S


async def test_f30_who_leaves_a_stream_ends_its_call_and_leaves_what_had_arrived(desk: Desk, server: Serving) -> None:
    desk.reply = lambda _: [*telling(*TOLD[:2]), Hang()]
    client = await asked(server, is_streamed=True)
    await read(client, TOLD[:2])

    client.hang_up()

    await hung_up(desk, monotonic())
    record = await ended(server)
    (call,) = record["calls"]
    assert (record["status"], record["text"], record["error_code"]) == ("cancelled", "Once upon ", "cancelled")
    assert [record[name] for name in ("input_tokens", "output_tokens", "total_tokens", "cost_usd")] == [None] * 4
    assert (call["status"], call["cost_usd"], call["usage"]["output_tokens"]) == ("cancelled", None, None)
    assert call["started_ms"] >= 0


async def test_f30_who_leaves_before_a_plain_reply_ends_its_call(desk: Desk, server: Serving) -> None:
    desk.reply = lambda _: [Hang()]
    client = await asked(server, is_streamed=False)
    await desk.until(1)

    client.hang_up()

    await hung_up(desk, monotonic())
    record = await ended(server)
    assert (record["status"], record["text"], record["cost_usd"]) == ("cancelled", None, None)
    desk.reply = lambda _: said("fine")
    again = await asyncio.to_thread(server.run, "story", {"text": "x"})  # the one connection is free
    assert (again.status, again.json["text"]) == (200, "fine")


async def test_f30_no_later_result_takes_the_place_of_a_cancellation(desk: Desk, server: Serving) -> None:
    go_on = asyncio.Event()
    desk.reply = lambda _: [
        *telling(*TOLD[:2]),
        Until(go_on),
        Send(chunk(delta(TOLD[2], finish_reason="stop")) + chunk(b"")),
    ]
    client = await asked(server, is_streamed=True, Idempotency_Key="key-1")
    await read(client, TOLD[:2])

    reply = await asyncio.to_thread(server.ask, "POST", f"{RUN}/{client.execution_id}/cancel")
    before = await ended(server)
    go_on.set()
    again = await asyncio.to_thread(server.ask, "POST", f"{RUN}/{client.execution_id}/cancel")
    last = [event async for event in client.events()][-1]
    client.hang_up()

    await hung_up(desk, monotonic())
    assert (reply.json["status"], again.json["status"]) == ("cancelled", "cancelled")
    assert isinstance(last, Problem)
    assert (last.code, before["text"]) == ("cancelled", "Once upon ")
    assert await ended(server) == before


@pytest.mark.parametrize("words", range(len(TOLD) + 1))
async def test_f30_whenever_a_stream_is_left_its_record_holds_what_was_told(
    desk: Desk, tmp_path: Path, words: int
) -> None:
    desk.reply = lambda _: [*telling(*TOLD[:words]), Hang()]
    async with opened(desk, tmp_path) as app:
        await app.prompts.publish("story", "Tell", model=MODEL)
        running = app.stream("story")
        pieces, text = aiter(running), ""
        first = asyncio.ensure_future(running.id())  # type: ignore[attr-defined]  # it begins without a reader
        await desk.until(1)
        while len(text) < len("".join(TOLD[:words])):
            text += (await anext(pieces)).text
        await running.aclose()
        record = await app.executions.get(await first)

    assert (record.status, record.text or "") == ("cancelled", "".join(TOLD[:words]))
    assert record.output_tokens is None


async def test_f30_cancelled_at_any_moment_a_run_has_one_end_and_the_record_says_the_same(
    desk: Desk, tmp_path: Path
) -> None:
    desk.reply = lambda _: stream(delta("Once "), Wait(0.01), delta("upon ", finish_reason="stop"))
    async with opened(desk, tmp_path) as app:
        await app.prompts.publish("story", "Tell", model=MODEL)
        ends = [await cut_short(app, after_s=after_s) for after_s in (*(place * 0.001 for place in range(50)), None)]
        records = [await app.executions.get(execution_id) for execution_id, _ in ends]
        later = [await app.executions.get(execution_id) for execution_id, _ in ends]

    assert {record.status for record in records} == {"cancelled", "succeeded"}
    assert all(record.status == "succeeded" for record, (_, is_told) in zip(records, ends, strict=True) if is_told)
    assert all("Once upon ".startswith(record.text or "") for record in records)
    assert all(record.text == "Once upon " for record in records if record.status == "succeeded")
    assert later == records


async def cut_short(app: cuewire.App, *, after_s: float | None) -> tuple[str, bool]:
    """Stream, stop that after a while, and return the execution's id and whether it told its result before."""
    running = app.stream("story")
    execution_id = await running.id()  # type: ignore[attr-defined]  # of an App of this process
    telling_result = asyncio.ensure_future(running.result())
    await asyncio.wait([telling_result], timeout=after_s)
    await running.aclose()
    await asyncio.wait([telling_result])
    return execution_id, not telling_result.cancelled()
