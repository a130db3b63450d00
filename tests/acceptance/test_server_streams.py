"""Streams over HTTP: pieces as they arrive, an end in any case, and a way back after a lost connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cuewire.wire.executions import ResultShape
from cuewire.wire.problems import Problem
from cuewire.wire.streams import PieceShape
from tests.support.command_line import CommandLine
from tests.support.model_server import (
    DONE,
    Flood,
    Hang,
    ModelServer,
    Reset,
    Send,
    Until,
    chunk,
    completion,
    delta,
    head,
    plain,
    stream,
)
from tests.support.serving import Serving, serving
from tests.support.streaming_client import Streaming

RUN = "/api/v1/executions"
SLACK_S = 3.0
"""How long one waits for what is promised within a second."""
WORDS = [f"word-{number} \N{SNOWMAN}" for number in range(50)]


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    """Run a scripted model server."""
    async with ModelServer() as running:
        yield running


@pytest.fixture
async def server(model: ModelServer, tmp_path: Path) -> AsyncIterator[Serving]:
    """Serve a database with a prompt whose model is the scripted one."""
    cue = CommandLine(tmp_path, {"OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": "sk-x"})
    with serving(cue) as running:
        await asyncio.to_thread(running.publish, "story", "Tell: {{ text }}", model="openai/gpt-4o-mini")
        yield running


@pytest.fixture
async def client(server: Serving) -> AsyncIterator[Streaming]:
    """Speak to the server."""
    streaming = Streaming(server)
    yield streaming
    for each in streaming.clients:
        each.hang_up()


async def newest(server: Serving) -> str:
    """Return the id of the newest execution once it is in the record, which is a moment after it began."""
    async with asyncio.timeout(SLACK_S):
        while not (found := (await asyncio.to_thread(server.ask, "GET", f"{RUN}?limit=1")).json["items"]):
            pass
    return str(found[0]["id"])


async def ended(server: Serving, execution_id: str) -> dict[str, object]:
    """Return the record of an execution once it has ended."""
    async with asyncio.timeout(SLACK_S):
        while True:
            found = (await asyncio.to_thread(server.ask, "GET", f"{RUN}/{execution_id}")).json
            if found["status"] != "running":
                return dict(found)
            await asyncio.sleep(0.02)


async def test_a_stream_gives_pieces_in_order_and_then_the_result(client: Streaming, model: ModelServer) -> None:
    model.script(stream(*(delta(word) for word in WORDS), delta(finish_reason="stop"), DONE))

    one = await client.stream()
    *pieces, result = [event async for event in one.events()]

    assert isinstance(result, ResultShape)
    assert "".join(piece.text for piece in pieces if isinstance(piece, PieceShape)) == result.text == "".join(WORDS)
    assert (result.id, result.value) == (one.execution_id, result.text)


async def test_a_failure_before_the_first_piece_is_a_reply_of_its_own(client: Streaming) -> None:
    one = await client.request("POST", RUN, {"prompt": "nobody", "stream": True})

    assert await one.begun() == "404 Not Found"


async def test_a_failure_in_the_middle_is_an_event_and_not_silence(client: Streaming, model: ModelServer) -> None:
    model.script(stream(delta("Once "), delta("upon"), Reset()))

    events = [event async for event in (await client.stream()).events()]

    problem = events[-1]
    assert isinstance(problem, Problem)
    assert (problem.code, problem.text) == ("incomplete_answer", "Once upon")
    assert "".join(event.text for event in events[:-1] if isinstance(event, PieceShape)) == "Once upon"


@pytest.mark.parametrize("is_streamed", [True, False])
async def test_a_client_that_hangs_up_cancels_the_call_within_a_second(
    client: Streaming, model: ModelServer, server: Serving, is_streamed: bool
) -> None:
    model.script(stream(delta("Once"), Hang()) if is_streamed else [Hang()])

    one = await client.request("POST", RUN, {"prompt": "story", "inputs": {"text": "x"}, "stream": is_streamed})
    if is_streamed:
        await one.begun()
        assert await anext(one.events()) == PieceShape(text="Once", offset=0)
    async with asyncio.timeout(SLACK_S):
        await model.arrived.wait()
    one.hang_up()

    async with asyncio.timeout(SLACK_S):
        await model.received[0].hung_up.wait()
    record = await ended(server, await newest(server))
    assert record["status"] == "cancelled"


@pytest.mark.parametrize("is_streamed", [True, False])
async def test_an_execution_is_cancelled_by_its_id_and_stays_so(
    client: Streaming, model: ModelServer, server: Serving, is_streamed: bool
) -> None:
    model.script(stream(delta("Once"), Hang()) if is_streamed else [Hang()])
    one = await client.request("POST", RUN, {"prompt": "story", "inputs": {"text": "x"}, "stream": is_streamed})
    async with asyncio.timeout(SLACK_S):
        await model.arrived.wait()
    execution_id = await newest(server)

    cancelled = await asyncio.to_thread(server.ask, "POST", f"{RUN}/{execution_id}/cancel")
    again = await asyncio.to_thread(server.ask, "POST", f"{RUN}/{execution_id}/cancel")

    assert (cancelled.status, cancelled.json["status"]) == (200, "cancelled")
    assert again.json == cancelled.json
    async with asyncio.timeout(SLACK_S):
        await model.received[0].hung_up.wait()
    if is_streamed:
        await one.begun()
        last = [event async for event in one.events()][-1]
        assert isinstance(last, Problem)
        assert last.code == "cancelled"
    else:
        assert await one.begun() == "409 Conflict"


async def test_a_lost_stream_is_taken_up_again_without_a_lost_or_doubled_character(
    client: Streaming, model: ModelServer
) -> None:
    gate = asyncio.Event()
    model.script(
        [
            Send(head(kind="text/event-stream")),
            *(Send(chunk(delta(word))) for word in WORDS[:20]),
            Until(gate),
            *(Send(chunk(delta(word))) for word in WORDS[20:]),
            Send(chunk(delta(finish_reason="stop")) + chunk(DONE) + chunk(b"")),
        ]
    )
    one = await client.stream(linger_s=30)
    read = ""
    while len(read) < 40:
        event = await anext(one.events())
        assert isinstance(event, PieceShape)
        read += event.text
    one.hang_up()

    later = await client.request("GET", f"{RUN}/{one.execution_id}/stream", Last_Event_ID=str(len(read)))
    assert await later.begun() == "200 OK"
    gate.set()
    *pieces, result = [event async for event in later.events()]

    assert isinstance(result, ResultShape)
    assert read + "".join(piece.text for piece in pieces if isinstance(piece, PieceShape)) == "".join(WORDS)
    assert result.text == "".join(WORDS)
    assert len(model.received) == 1


async def test_a_stream_that_has_ended_is_taken_up_from_its_record(client: Streaming, model: ModelServer) -> None:
    model.script(stream(*(delta(word) for word in WORDS), delta(finish_reason="stop"), DONE))
    one = await client.stream()
    result = [event async for event in one.events()][-1]

    later = await client.request("GET", f"{RUN}/{one.execution_id}/stream", Last_Event_ID="7")
    assert await later.begun() == "200 OK"
    rest = [event async for event in later.events()]
    beyond = await client.request("GET", f"{RUN}/{one.execution_id}/stream", Last_Event_ID="99999")

    assert rest[0] == PieceShape(text="".join(WORDS)[7:], offset=7)
    assert isinstance(rest[-1], ResultShape)
    assert isinstance(result, ResultShape)
    assert (rest[-1].id, rest[-1].value) == (result.id, result.value)
    assert await beyond.begun() == "422 Unprocessable Entity"


async def test_a_reader_who_takes_nothing_holds_up_neither_the_model_nor_others(
    client: Streaming, model: ModelServer, server: Serving
) -> None:
    words = 4_000
    block = chunk(delta("x" * 1_000))
    end = chunk(delta(finish_reason="stop")) + chunk(DONE) + chunk(b"")
    model.script([Send(head(kind="text/event-stream")), Flood(block, total=len(block) * words), Send(end)])
    slow = await client.stream()

    record = await ended(server, slow.execution_id)
    text = "".join([event.text async for event in slow.events() if isinstance(event, PieceShape)])

    assert record["status"] == "succeeded"
    assert len(text) == 1_000 * words


async def test_plain_answers_do_not_stream_from_the_model(model: ModelServer, server: Serving) -> None:
    model.script(plain(completion("Once")))

    reply = await asyncio.to_thread(server.run, "story", {"text": "x"})

    assert reply.json["text"] == "Once"
    assert model.received[0].json.get("stream", False) is False
