"""PostgreSQL away under load, behind a real server: quick refusals, nothing acknowledged is lost, no restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Literal, TypeAlias

import pytest

from tests.support import postgres
from tests.support.command_line import CommandLine
from tests.support.serving import Reply, Serving, serving

RUN = "/api/v1/executions"
CLIENTS = 8
PAUSE_S = 0.1
NOTICED_S = 2.0
"""A server that stands still is noticed within this time; one that is gone, at once."""
REFUSED_S = 1.0
HEALED_S = 10.0
SLACK = 3
How: TypeAlias = Literal["killed", "frozen"]


@dataclass(frozen=True)
class Asked:
    """A run under a key, when it was asked for, and what came of it."""

    key: str
    at: float
    took_s: float
    reply: Reply

    @property
    def is_good(self) -> bool:
        """Tell whether it was acknowledged."""
        return self.reply.status == 200


@dataclass(frozen=True)
class Probe:
    """What the server said of itself, and when."""

    at: float
    took_s: float
    health: int
    ready: int


@dataclass
class Load:
    """Clients that run, each one execution after another, and one that probes."""

    server: Serving
    asked: list[Asked] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)
    is_over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def last_good(self) -> float:
        """When the newest acknowledged run was asked for."""
        return max((one.at for one in self.asked if one.is_good), default=0.0)

    async def run(self, client: int) -> None:
        number = 0
        while not self.is_over.is_set():
            self.asked.append(await asyncio.to_thread(ask, self.server, f"{client}-{number}"))
            number += 1
            await asyncio.sleep(PAUSE_S)

    async def probe(self) -> None:
        while not self.is_over.is_set():
            began = monotonic()
            health = await asyncio.to_thread(self.server.ask, "GET", "/healthz")
            took_s = monotonic() - began
            ready = await asyncio.to_thread(self.server.ask, "GET", "/readyz")
            self.probes.append(Probe(began, took_s, health.status, ready.status))
            await asyncio.sleep(PAUSE_S)


def ask(server: Serving, key: str) -> Asked:
    """Run under a key."""
    began = monotonic()
    reply = server.ask("POST", RUN, {"prompt": "greet", "inputs": {"name": key}}, Idempotency_Key=key)
    return Asked(key, began, monotonic() - began, reply)


@asynccontextmanager
async def away(database: postgres.OwnServer, how: How) -> AsyncIterator[None]:
    """Let the database be away while the block runs."""
    if how == "frozen":
        with database.frozen():
            yield
    else:
        database.kill()
        yield
        await asyncio.to_thread(database.start)


@pytest.fixture(scope="module")
def database() -> Iterator[postgres.OwnServer]:
    own = postgres.OwnServer()
    yield own
    own.remove()


@pytest.fixture
async def server(database: postgres.OwnServer, tmp_path: Path) -> AsyncIterator[Serving]:
    await postgres.run("DROP SCHEMA public CASCADE", "CREATE SCHEMA public", url=database.url)
    cue = CommandLine(tmp_path, {"CUEWIRE_DATABASE_URL": database.url})
    with ThreadPoolExecutor(CLIENTS + 2) as pool, serving(cue) as running:
        asyncio.get_running_loop().set_default_executor(pool)
        await asyncio.to_thread(running.publish, "greet", "Hello {{ name }}", model="scripted/echo")
        yield running


async def under_load(load: Load, database: postgres.OwnServer, how: How, outage_s: float) -> tuple[float, float]:
    """Let the database be away for a time, and return when that began and ended."""
    tasks = [asyncio.create_task(load.run(client)) for client in range(CLIENTS)]
    tasks.append(asyncio.create_task(load.probe()))
    await asyncio.sleep(1)
    gone = monotonic()
    async with away(database, how):
        await asyncio.sleep(outage_s)
    back = monotonic()
    async with asyncio.timeout(HEALED_S):
        while load.last_good < back:  # noqa: ASYNC110  # what is waited for happens in a server
            await asyncio.sleep(0.01)
    await asyncio.sleep(1)
    load.is_over.set()
    await asyncio.gather(*tasks)
    return gone, back


def assert_refused(refused: Sequence[Asked], *, gone: float) -> None:
    """Hold refusals to be quick, and to say so."""
    assert len(refused) > CLIENTS
    assert max(one.took_s for one in refused) < SLACK * (NOTICED_S + REFUSED_S)
    for one in refused:
        assert one.reply.headers["content-type"] == "application/problem+json"
        if one.at > gone + SLACK * NOTICED_S:
            assert one.took_s < SLACK * REFUSED_S
            assert one.reply.status == 503
        if one.reply.status == 503:
            assert int(one.reply.headers["retry-after"]) >= 1
        else:  # the model had answered, and its answer is not lost
            assert (one.reply.json["code"], one.reply.json["text"]) == ("record_not_written", f"Hello {one.key}")


def recorded(server: Serving) -> list[dict[str, str]]:
    """Return all that is in the record."""
    page = server.ask("GET", f"{RUN}?limit=1000").json
    items: list[dict[str, str]] = page["items"]
    while page["next"]:
        page = server.ask("GET", f"{RUN}?limit=1000&after={page['next']}").json
        items += page["items"]
    return items


async def assert_survived(server: Serving, database: postgres.OwnServer, how: How, outage_s: float) -> None:
    """Go through an outage, and hold it to have cost nothing that was acknowledged."""
    load = Load(server)
    gone, back = await under_load(load, database, how, outage_s)
    good = [one for one in load.asked if one.is_good]
    refused = [one for one in load.asked if not one.is_good]
    early = [one for one in refused if one.at < gone + NOTICED_S]
    again = {one.key: await asyncio.to_thread(ask, server, one.key) for one in [*good[::10], *early, *refused[-20:]]}
    items = recorded(server)

    assert_refused(refused, gone=gone)
    assert max(probe.took_s for probe in load.probes) < SLACK * REFUSED_S
    assert {probe.health for probe in load.probes} == {200}
    assert {probe.ready for probe in load.probes if gone + SLACK * NOTICED_S < probe.at < back} == {503}
    assert (load.probes[0].ready, load.probes[-1].ready) == (200, 200)
    assert {one.reply.status for one in again.values()} == {200}
    ids = {one.key: one.reply.json["id"] for one in good}
    for key, one in again.items():
        assert one.reply.json["id"] == ids.setdefault(key, one.reply.json["id"])
    assert {item["status"] for item in items} <= {"succeeded", "cancelled"}
    assert sorted(item["id"] for item in items if item["status"] == "succeeded") == sorted(ids.values())


@pytest.mark.parametrize("how", ["killed", "frozen"])
async def test_ten_seconds_without_the_database(server: Serving, database: postgres.OwnServer, how: How) -> None:
    await assert_survived(server, database, how, 10)


@pytest.mark.soak
@pytest.mark.parametrize("how", ["killed", "frozen"])
async def test_a_minute_without_the_database(server: Serving, database: postgres.OwnServer, how: How) -> None:
    await assert_survived(server, database, how, 60)
