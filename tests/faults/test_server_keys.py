"""Equal orders under one idempotency key, very many at a time: one answer for all, whatever happens in the middle."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cuewire.stores.postgres import PostgresDatabase
from tests.support import postgres
from tests.support.command_line import CommandLine
from tests.support.model_server import Action, Hang, ModelServer, completion, plain
from tests.support.serving import Serving, serving, status_of
from tests.support.stores import KINDS, HeldClock

RUN = "/api/v1/executions"
EQUAL = 50
DONE_KEYS, OPEN_KEYS = 10, 10
WAIT_S = 30.0


class Thinker(ModelServer):
    """A model that answers, but not where `ponders` is in what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.ponders = ""
        self.asked: Counter[str] = Counter()

    def choose(self, path: str, body: bytes) -> Sequence[Action]:
        text = msgspec.json.decode(body)["messages"][0]["content"]
        self.asked[text] += 1
        return [Hang()] if self.ponders and self.ponders in text else plain(completion(f"So: {text}"))


@pytest.fixture
async def model() -> AsyncIterator[Thinker]:
    async with Thinker() as running:
        assert isinstance(running, Thinker)
        yield running


@pytest.fixture(params=KINDS)
async def cue(request: pytest.FixtureRequest, tmp_path: Path, model: Thinker) -> AsyncIterator[CommandLine]:
    """Return the command line on a database of its own, with a prompt."""
    async with AsyncExitStack() as stack:
        url = f"sqlite:///{tmp_path}/cue.db"
        if request.param == "postgres":
            url = await stack.enter_async_context(postgres.database())
        made = CommandLine(
            tmp_path, {"OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": "sk-x", "CUEWIRE_DATABASE_URL": url}
        )
        ended = await made("prompts", "publish", "story", "-", "--model", "openai/gpt-4o-mini", stdin=b"{{ text }}")
        assert ended.code == 0, ended.err
        yield made


async def post(server: Serving, key: str, text: str) -> tuple[int, Any]:
    """Run under a key, again while the server is busy; return the status, 0 if the connection broke, and the body."""
    while True:
        status, reply = await post_once(server, key, text)
        if status != 503:
            return status, reply
        await asyncio.sleep(1.0)


async def post_once(server: Serving, key: str, text: str) -> tuple[int, Any]:
    """Run under a key; return the status, 0 if the connection broke, and the body."""
    body = msgspec.json.encode({"prompt": "story", "inputs": {"text": text}})
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(server.head("POST", RUN, Idempotency_Key=key, Content_Length=str(len(body))) + body)
        reply = await reader.read()
        writer.close()
    except OSError:
        return 0, None
    status = status_of(reply)
    return status, msgspec.json.decode(reply.partition(b"\r\n\r\n")[2]) if status else None


async def crowd(server: Serving, keys: int) -> dict[int, list[tuple[int, Any]]]:
    """Run equal orders under each key, all at the same time."""
    orders = [
        (key, asyncio.create_task(post(server, f"key-{key}", f"<{key}>"))) for _ in range(EQUAL) for key in range(keys)
    ]
    found: dict[int, list[tuple[int, Any]]] = {key: [] for key in range(keys)}
    for key, order in orders:
        found[key].append(await order)
    return found


async def test_when_the_one_that_runs_is_cancelled_the_others_get_one_more_execution(
    cue: CommandLine, model: Thinker
) -> None:
    with serving(cue) as server:
        model.ponders = "<7>"
        posts = [asyncio.create_task(post(server, "one", "<7>")) for _ in range(EQUAL)]
        async with asyncio.timeout(WAIT_S):
            await model.arrived.wait()
            (holder,) = (await asyncio.to_thread(server.ask, "GET", f"{RUN}?limit=9")).json["items"]
        await asyncio.sleep(0.3)  # until the others wait for its answer
        model.ponders = ""
        cancelled = await asyncio.to_thread(server.ask, "POST", f"{RUN}/{holder['id']}/cancel")
        replies = await asyncio.gather(*posts)
        items = (await asyncio.to_thread(server.ask, "GET", f"{RUN}?limit=9")).json["items"]

    assert cancelled.json["status"] == "cancelled"
    assert Counter(status for status, _ in replies) == {200: EQUAL - 1, 409: 1}
    assert len({(body["id"], body["text"]) for status, body in replies if status == 200}) == 1
    assert model.asked["<7>"] == 2
    assert [item["status"] for item in items] == ["succeeded", "cancelled"]


async def test_many_keys_with_a_kill_in_the_middle_are_one_answer_each(cue: CommandLine, model: Thinker) -> None:
    keys = DONE_KEYS + OPEN_KEYS
    model.ponders = "<1"  # <1> and <10> to <19>
    with serving(cue) as server:
        before = asyncio.create_task(crowd(server, keys))
        async with asyncio.timeout(WAIT_S):
            while len(model.asked) < keys:
                await model.arrived.wait()
                model.arrived.clear()
        await asyncio.sleep(0.5)
        server.process.kill()
        acknowledged = await before
    await bury(cue)
    model.ponders = ""
    with serving(cue) as server:
        answers = await crowd(server, keys)
        other, problem = await post(server, "key-3", "<another>")
        items = (await asyncio.to_thread(server.ask, "GET", f"{RUN}?limit=1000")).json["items"]

    for key, replies in answers.items():
        assert {status for status, _ in replies} == {200}
        (one,) = {(body["id"], body["text"]) for _, body in replies}
        assert {(body["id"], body["text"]) for status, body in acknowledged[key] if status == 200} <= {one}
        assert one[1] == f"So: <{key}>"
    assert (other, problem["code"]) == (422, "idempotency_mismatch")
    assert Counter(item["status"] for item in items) == {"succeeded": keys, "interrupted": OPEN_KEYS + 1}


@pytest.mark.soak
@pytest.mark.parametrize("cue", ["postgres"], indirect=True)
async def test_what_a_dead_server_ran_is_run_by_another_one_within_half_a_minute(
    cue: CommandLine, model: Thinker
) -> None:
    model.ponders = "<7>"
    folder = cue.folder / "other"
    folder.mkdir()
    with serving(cue) as first, serving(CommandLine(folder, cue.environment)) as other:
        other.key = first.key
        await asyncio.sleep(25)  # they have lived long enough to declare each other dead
        lost = asyncio.create_task(post(first, "one", "<7>"))
        await model.arrived.wait()
        first.process.kill()
        model.ponders = ""

        async with asyncio.timeout(WAIT_S):
            status, body = await post(other, "one", "<7>")
        items = (await asyncio.to_thread(other.ask, "GET", f"{RUN}?limit=9")).json["items"]

    assert await lost == (0, None)
    assert (status, body["text"]) == (200, "So: <7>")
    assert [item["status"] for item in items] == ["succeeded", "interrupted"]


async def bury(cue: CommandLine) -> None:
    """Let the dead be known as such, where that takes its time."""
    url = cue.environment["CUEWIRE_DATABASE_URL"]
    if url.startswith("postgresql"):
        await postgres.run("UPDATE owners SET beat_at = beat_at - interval '1 minute'", url=url)
        database = await PostgresDatabase.open(url, clock=HeldClock())
        await database.interrupt_dead()
        await database.close()
