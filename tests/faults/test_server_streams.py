"""A hundred streams over a network that breaks them anywhere, half of them read slowly: each text arrives whole."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import msgspec
import pytest

from cuewire.wire.executions import ResultShape
from cuewire.wire.streams import Event, PieceShape
from tests.support.breaking_proxy import BreakingProxy
from tests.support.command_line import CommandLine
from tests.support.model_server import DONE, Action, ModelServer, Send, Wait, chunk, delta, stream
from tests.support.serving import Serving, serving
from tests.support.streaming_client import Client, Streaming

RUN = "/api/v1/executions"
STREAMS = 100
SLOW = 50
BROKEN = 4 * STREAMS
LETTERS = "abc \n:\N{SNOWMAN}\N{BUG}\N{COMBINING ACUTE ACCENT}"


def pieces_of(number: int) -> list[str]:
    """Return the answer of a stream."""
    random = Random(number)
    return ["".join(random.choices(LETTERS, k=random.randint(1, 60))) for _ in range(40)]


class Teller(ModelServer):
    """A model that takes its time over each answer, and counts what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[int] = Counter()

    def choose(self, path: str, body: bytes) -> Sequence[Action]:
        number = int(msgspec.json.decode(body)["messages"][0]["content"])
        self.asked[number] += 1
        told: list[Action] = []
        for piece in pieces_of(number):
            told += [Send(chunk(delta(piece))), Wait(0.04)]
        return stream(*told, delta(finish_reason="stop"), DONE)


@pytest.fixture
async def model() -> AsyncIterator[Teller]:
    async with Teller() as running:
        assert isinstance(running, Teller)
        yield running


@pytest.fixture
async def server(model: Teller, tmp_path: Path) -> AsyncIterator[Serving]:
    with serving(CommandLine(tmp_path, {"OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": "sk-x"})) as running:
        await asyncio.to_thread(running.publish, "story", "{{ text }}", model="openai/gpt-4o-mini")
        yield running


class Reader:
    """Follows one stream over as many connections as it takes."""

    def __init__(self, streaming: Streaming, number: int) -> None:
        self.text = ""
        self.connections = 0
        self._streaming = streaming
        self._number = number
        self._random = Random(-number)
        self._execution_id = ""

    async def read(self) -> ResultShape:
        """Return the result."""
        while True:
            self.connections += 1
            client = await self._connect()
            try:
                async for event in self._events(client):
                    if isinstance(event, ResultShape):
                        return event
            except (asyncio.IncompleteReadError, ConnectionError):
                pass
            finally:
                client.hang_up()

    async def _connect(self) -> Client:
        if self._execution_id:
            path = f"{RUN}/{self._execution_id}/stream"
            return await self._streaming.request("GET", path, Last_Event_ID=str(len(self.text)))
        body = {"prompt": "story", "inputs": {"text": str(self._number)}, "stream": True, "linger_s": 60}
        return await self._streaming.request("POST", RUN, body, Idempotency_Key=f"key-{self._number}")

    async def _events(self, client: Client) -> AsyncIterator[Event]:
        """Yield what comes, up to where the reader loses interest for a moment; a slow one takes its time."""
        assert await client.begun() == "200 OK"
        self._execution_id = client.execution_id
        async for event in client.events():
            if isinstance(event, PieceShape):
                assert event.offset == len(self.text)
                self.text += event.text
            yield event
            if self._number < SLOW:
                await asyncio.sleep(0.1)
            if self._random.random() < 0.05:
                return


async def test_streams_that_break_anywhere_arrive_whole(model: Teller, server: Serving) -> None:
    random = Random(1)
    async with BreakingProxy(server.port) as proxy:
        proxy.break_next(*(random.randint(1, 6_000) for _ in range(BROKEN)))
        streaming = Streaming(replace(server, port=proxy.port))
        readers = [Reader(streaming, number) for number in range(STREAMS)]

        async with asyncio.timeout(60):
            results = await asyncio.gather(*(reader.read() for reader in readers))

    for number, (reader, result) in enumerate(zip(readers, results, strict=True)):
        assert reader.text == result.text == "".join(pieces_of(number))
    assert sum(reader.connections for reader in readers) > BROKEN
    assert model.asked == dict.fromkeys(range(STREAMS), 1)
