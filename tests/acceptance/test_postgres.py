"""What is different on PostgreSQL, seen from outside: many servers on one database, outages, and moving there."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic

import pytest

import cuewire
from cuewire.model.errors import RecordNotWritten, StoreUnavailable
from cuewire.model.requests import ModelRequest
from cuewire.model.results import Answer
from cuewire.ports import Listener
from cuewire.providers.scripted import Scripted
from tests.support import postgres
from tests.support.command_line import CommandLine
from tests.support.cuewire_server import CuewireServer

CANARY = "canary-91c04e"


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with postgres.database(is_empty=True) as made:
        yield made


@pytest.fixture
def own_server() -> Iterator[postgres.OwnServer]:
    own = postgres.OwnServer()
    yield own
    own.remove()


class Gate(Scripted):
    """A model that answers when it is told to."""

    def __init__(self) -> None:
        super().__init__({"": "an answer"})
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()

    async def call(self, request: ModelRequest, *, listener: Listener | None) -> Answer:
        self.asked.set()
        await self.may_answer.wait()
        return await super().call(request, listener=listener)


async def test_two_servers_on_one_database_are_one_cuewire(url: str, tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    with (
        CuewireServer(folders[0], {"CUEWIRE_DATABASE_URL": url}) as one,
        CuewireServer(folders[1], {"CUEWIRE_DATABASE_URL": url}) as two,
    ):
        others = two.settings(CUEWIRE_TOKEN=one.key)  # a key of one is a key of all
        async with cuewire.open(settings=one.settings()) as here, cuewire.open(settings=others) as there:
            await here.prompts.publish("greet", "One: {{ name }}", model="scripted/echo")
            first = await there.run("greet", {"name": "Ada"}, idempotency_key="k")
            again = await here.run("greet", {"name": "Ada"}, idempotency_key="k")
            await here.prompts.publish("greet", "Two: {{ name }}", model="scripted/echo", publish=True)
            moved = monotonic()
            while (await there.run("greet", {"name": "Ada"})).version == 1:
                assert monotonic() - moved < 3 * 1.0
            record = await here.executions.get(first.id)

    assert (again.id, again.text) == (first.id, first.text) == (record.id, "One: Ada")


async def test_during_an_outage_runs_are_refused_before_they_cost_and_work_goes_on_after_it(
    own_server: postgres.OwnServer,
) -> None:
    model = Gate()
    async with cuewire.open(own_server.url, providers={"gate": model}) as app:
        await app.prompts.publish("greet", "Hello", model="gate/any")
        under_way = asyncio.ensure_future(app.run("greet"))
        await model.asked.wait()
        await asyncio.to_thread(own_server.stop)
        model.may_answer.set()

        with pytest.raises(RecordNotWritten) as lost:
            await under_way
        model.asked.clear()
        begun = monotonic()
        with pytest.raises(StoreUnavailable):
            await app.run("greet")
        refused_s = monotonic() - begun
        was_asked = model.asked.is_set()
        await asyncio.to_thread(own_server.start)
        statuses: list[str] = []
        async with asyncio.timeout(10):
            while not statuses:
                with suppress(StoreUnavailable, RecordNotWritten):
                    result = await app.run("greet")
                    statuses.append((await app.executions.get(result.id)).status)
                await asyncio.sleep(0.05)

    assert lost.value.text == "an answer"
    assert refused_s < 3 * 1.0
    assert not was_asked
    assert statuses == ["succeeded"]


async def test_the_command_line_makes_moves_and_examines_a_database(url: str, tmp_path: Path) -> None:
    cue = CommandLine(tmp_path)
    absent = await cue("db", "status", "--database", url, "--json")
    made = await cue("db", "upgrade", "--database", url)
    await cue("prompts", "publish", "greet", "-", "--model", "scripted/echo", stdin=b"Hello {{ name }}")
    await cue("run", "greet", "-v", "name=Ada")

    copied = await cue("db", "copy", f"sqlite:///{tmp_path}/cuewire.db", url, "--json")
    again = await cue("db", "copy", f"sqlite:///{tmp_path}/cuewire.db", url)
    listed = await cue("executions", "list", "--database", url, "--json")
    doctor = await cue("doctor", "--database", url, "--json")

    assert (absent.json["exists"], made.code) == (False, 0)
    assert (copied.json["rows"]["prompts"], copied.json["rows"]["executions"]) == (1, 1)
    assert (again.code, "holds something already" in again.err) == (5, True)
    assert [one["prompt"] for one in listed.json["items"]] == ["greet"]
    found = {finding["name"]: finding["state"] for finding in doctor.json["items"]}
    assert (found["database"], found["integrity"]) == ("ok", "ok")
    assert not found.keys() & {"permissions", "disk"}


async def test_a_copy_shows_how_far_it_is(url: str, tmp_path: Path) -> None:
    cue = CommandLine(tmp_path)
    await cue("prompts", "publish", "greet", "-", "--model", "scripted/echo", stdin=b"Hello")

    ended = await cue.on_terminal("db", "copy", f"sqlite:///{tmp_path}/cuewire.db", url)

    assert ended.code == 0
    assert "comparing" in ended.out
    assert "7 rows copied, each compared" in ended.out


@pytest.mark.parametrize("command", [("config", "show"), ("doctor", "--json"), ("prompts", "list", "--traceback")])
@pytest.mark.parametrize("place", ["127.0.0.1:1/cue", "127.0.0.1:port/cue", "/cue?host=/nowhere"])
async def test_a_password_in_the_url_is_never_shown(tmp_path: Path, command: tuple[str, ...], place: str) -> None:
    cue = CommandLine(tmp_path, {"CUEWIRE_DATABASE_URL": f"postgresql://ada:{CANARY}@{place}"})

    ended = await cue(*command)

    assert CANARY not in ended.out + ended.err
    assert ended.code in ({0} if "config" in command else {1, 6, 7})


async def test_without_the_extra_the_error_says_what_to_install(tmp_path: Path) -> None:
    without = "import sys; sys.modules['asyncpg'] = None; from cuewire.cli.__main__ import main; main()"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", without, "prompts", "list", "--database", "postgresql://127.0.0.1/cue"),
        env=CommandLine(tmp_path).whole_environment(),
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()

    assert process.returncode == 7
    assert said.decode().splitlines() == [
        "error: PostgreSQL needs asyncpg, which is not installed",
        "       install it: pip install 'cuewire[postgres]'",
    ]
