"""kill -9 of the server at named points, under load: what it acknowledged is there, and a retry by key is answered."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from cuewire.stores.postgres import PostgresDatabase
from cuewire.wire.executions import ResultShape
from cuewire.wire.streams import Event, EventReader, PieceShape
from cuewire.wiring import connect
from tests.faults.server_victim import PIECES
from tests.support import postgres
from tests.support.serving import Serving
from tests.support.stores import KINDS, HeldClock

RUN = "/api/v1/executions"
TEXT = "".join(PIECES)
POINTS = [
    "open.before_commit",
    "open.after_commit",
    "call.middle",
    "stream.middle",
    "close.before_commit",
    "close.after_commit",
]
CLIENTS = 3
LOAD = 9
MOMENTS = (0, LOAD // 2, LOAD - 1)
"""How much of the load is done when the server becomes mortal: it dies at the first, a middle and the last request."""


@dataclass
class Life(Serving):
    """One life of the victim."""

    pid: int = 0


class Victim:
    """A server on a database that is killed and lives again."""

    def __init__(self, url: str) -> None:
        self.url = url
        command = [sys.executable, "-m", "tests.faults.server_victim", url]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    @contextmanager
    def life(self, point: str = "never") -> Iterator[Life]:
        """Serve; at the end it is dead, if not before."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{point}\n".encode())
        self._process.stdin.flush()
        pid, port, key = self._said().split()
        try:
            yield Life(self._process, int(port), key, pid=int(pid))
        finally:
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
            assert self._said() == "dead"

    def make_mortal(self, life: Life) -> None:
        """Let it die at its point the next time that it gets there."""
        os.kill(life.pid, signal.SIGUSR1)
        assert self._said() == "mortal"

    def end(self) -> None:
        """Let the process end."""
        self._process.communicate()

    def _said(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().decode().strip()


@asynccontextmanager
async def in_file(folder: Path) -> AsyncIterator[str]:
    """Yield the URL of a database in a folder."""
    yield f"sqlite:///{folder}/cue.db"


@pytest.fixture(params=KINDS)
async def victim(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Victim]:
    async with postgres.database() if request.param == "postgres" else in_file(tmp_path) as url:
        app = await connect(url)
        await app.prompts.publish("story", "Tell: {{ text }}", model="scripted/x")
        await app.close()
        one = Victim(url)
        yield one
        one.end()


@dataclass(frozen=True)
class Told:
    """What a client has of an answer; without an id it was cut off."""

    id: str = ""
    text: str = ""
    stored: bool = False


def run(server: Serving, key: str, *, is_streamed: bool) -> Told:
    """Run under a key."""
    body = {"prompt": "story", "inputs": {"text": key}, "stream": is_streamed}
    try:
        reply = server.ask("POST", RUN, body, Idempotency_Key=key)
    except http.client.IncompleteRead as cut:
        return Told(text=text_of(EventReader().feed(cut.partial)))
    except (http.client.HTTPException, OSError):
        return Told()
    assert reply.status == 200, reply.body
    if not is_streamed:
        return Told(reply.json["id"], reply.json["text"], reply.json["stored"])
    *pieces, result = EventReader().feed(reply.body)
    assert isinstance(result, ResultShape)
    assert text_of(pieces) == result.text
    return Told(result.id, result.text, result.stored)


def text_of(events: Iterable[Event]) -> str:
    """Return the text that pieces give, each of which begins where the one before ended."""
    text = ""
    for piece in events:
        assert isinstance(piece, PieceShape)
        assert piece.offset == len(text)
        text += piece.text
    return text


def load(server: Serving, keys: Iterable[str], *, is_streamed: bool = False) -> dict[str, Told]:
    """Run under all keys, some at a time."""
    keys = list(keys)
    with ThreadPoolExecutor(CLIENTS) as pool:
        return dict(zip(keys, pool.map(lambda key: run(server, key, is_streamed=is_streamed), keys), strict=True))


async def bury(victim: Victim) -> None:
    """Let the dead be known as such, where that takes its time."""
    if victim.url.startswith("postgresql"):
        await postgres.run("UPDATE owners SET beat_at = beat_at - interval '1 minute'", url=victim.url)
        database = await PostgresDatabase.open(victim.url, clock=HeldClock())
        await database.interrupt_dead()
        await database.close()


@pytest.mark.parametrize("point", POINTS)
async def test_a_retry_with_the_same_key_gets_the_stored_answer_or_the_only_one(victim: Victim, point: str) -> None:
    told: dict[str, Told] = {}
    answers: dict[str, Told] = {}
    for moment in MOMENTS:
        keys = [f"{moment}-{number}" for number in range(LOAD)]
        with victim.life(point) as life:
            answers |= load(life, set(told) - set(answers))
            told |= load(life, keys[:moment])
            victim.make_mortal(life)
            told |= load(life, keys[moment:], is_streamed=point == "stream.middle")
        await bury(victim)
    with victim.life() as life:
        answers |= load(life, set(told) - set(answers))
        page = life.ask("GET", f"{RUN}?limit=1000").json["items"]

    assert len(answers) == LOAD * len(MOMENTS)
    for key, answer in answers.items():
        before = told[key]
        assert answer.text == TEXT
        assert TEXT.startswith(before.text)
        assert not before.id or (answer.stored and answer.id == before.id)
    of_status = Counter(item["status"] for item in page)
    assert {item["id"] for item in page if item["status"] == "succeeded"} == {answer.id for answer in answers.values()}
    assert of_status.keys() <= {"succeeded", "interrupted"}
    assert of_status["succeeded"] == len(answers)
    assert all(any(not told[f"{moment}-{number}"].id for number in range(moment, LOAD)) for moment in MOMENTS)
