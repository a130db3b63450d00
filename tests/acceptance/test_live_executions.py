"""The newest executions are followed: from a program on a file, on PostgreSQL and on a server, and over HTTP."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

import aiohttp
import msgspec
import pytest

import cuewire
from cuewire.model.errors import InvalidInput
from cuewire.model.executions import FINAL, Execution, Status
from cuewire.model.live import LiveChange, Snapshot, Update
from cuewire.server.routes.live import SUBSCRIBE_EXECUTIONS
from tests.acceptance.conftest import SettingsMaker
from tests.support.access import known_as, made
from tests.support.command_line import CommandLine
from tests.support.live_client import Events, Socket, following
from tests.support.model_server import ModelServer, Until, plain
from tests.support.model_server import completion as answer
from tests.support.served_databases import serving_on
from tests.support.serving import Serving, serving
from tests.support.stores import KINDS

SOON_S = 10.0
SEEN_S = 1.0
SLACK = 3
ECHO = "scripted/echo"


class Window:
    """What somebody who follows executions sees."""

    def __init__(self, subscription: AsyncIterator[LiveChange[Execution]]) -> None:
        self._changes = subscription
        self.shown: tuple[Execution, ...] = ()
        self.id = ""

    async def next(self) -> LiveChange[Execution]:
        """Take in the next change."""
        change = await anext(self._changes)
        self.shown, self.id = change.applied(self.shown), change.id
        return change

    async def until(self, is_so: Callable[[Sequence[Execution]], bool], *, within_s: float = SOON_S) -> None:
        """Follow until it is so."""
        async with asyncio.timeout(within_s):
            while not is_so(self.shown):
                await self.next()


def window(app: cuewire.App, *, limit: int = 50, prompt: str | None = None, status: Status | None = None) -> Window:
    return Window(aiter(app.executions.subscribe(limit=limit, prompt=prompt, status=status)))


def ids(executions: Sequence[Execution]) -> list[str]:
    return [execution.id for execution in executions]


@pytest.mark.contract("S0-25")
async def test_an_execution_is_told_while_it_runs_and_when_it_ends(app: cuewire.App, server: ModelServer) -> None:
    answered = asyncio.Event()
    server.script([Until(answered), *plain(answer("a bug"))])
    seen = window(app)
    first = await seen.next()

    running = asyncio.create_task(app.run("triage", {"text": "It crashes"}))
    await seen.until(lambda shown: [each.status for each in shown] == ["running"])
    answered.set()
    await running
    await seen.until(lambda shown: [each.status for each in shown] == ["succeeded"])

    assert first == Snapshot(id=first.id, items=())
    assert seen.shown == (await app.executions.list()).items
    assert seen.shown[0].total_tokens == 14


@pytest.mark.contract("S0-25")
async def test_a_listener_is_told_the_newest_until_it_unsubscribes(app: cuewire.App) -> None:
    told: asyncio.Queue[list[str]] = asyncio.Queue()
    await app.prompts.publish("echo", "{{ text }}", model=ECHO)
    ran = [(await app.run("echo", {"text": "x"})).id]
    subscription = app.executions.subscribe(limit=2, on_change=lambda shown: told.put_nowait(ids(shown)))

    async with asyncio.timeout(SOON_S):
        lists = [await told.get()]
        for _ in range(2):
            ran.append((await app.run("echo", {"text": "x"})).id)
            while (last := await told.get())[0] != ran[-1]:
                pass
            lists.append(last)
    subscription.unsubscribe()
    await app.run("echo", {"text": "x"})
    other = window(app)
    await other.next()

    assert lists == [ran[:1], ran[1::-1], ran[:0:-1]]
    assert all(heard[0] == ran[-1] for heard in (told.get_nowait() for _ in range(told.qsize())))
    assert len(other.shown) == 4


async def test_only_what_is_wanted_is_told(app: cuewire.App) -> None:
    await app.prompts.publish("echo", "{{ text }}", model=ECHO)
    await app.prompts.publish("other", "{{ text }}", model=ECHO)
    await app.prompts.publish("broken", "{{ text }}", model="scripted/fail")
    of_prompt, failed = window(app, prompt="echo"), window(app, status="failed")
    await of_prompt.next()
    await failed.next()

    await app.run("other", {"text": "x"})
    with pytest.raises(InvalidInput):
        await app.run("other", {})
    result = await app.run("echo", {"text": "x"})
    await of_prompt.until(lambda shown: [each.status for each in shown] == ["succeeded"])
    await failed.until(bool)

    assert ids(of_prompt.shown) == [result.id]
    assert {(each.prompt, each.status) for each in failed.shown} == {("other", "failed")}


async def test_who_comes_back_hears_nothing_new_or_all_anew(app: cuewire.App) -> None:
    await app.prompts.publish("echo", "{{ text }}", model=ECHO)
    await app.run("echo", {"text": "x"})
    seen = window(app)
    await seen.until(lambda shown: [each.status for each in shown] == ["succeeded"])

    async with asyncio.timeout(SOON_S):
        same = await anext(aiter(app.executions.subscribe(after=seen.id)))
        await app.run("echo", {"text": "x"})
        while (later := await anext(aiter(app.executions.subscribe(limit=10, after=seen.id)))).id == seen.id:
            pass

    assert same == Update(id=seen.id, changed=(), left=(), size=1)
    assert isinstance(later, Snapshot)
    assert len(later.items) == 2


async def test_what_cannot_be_followed_is_refused(app: cuewire.App) -> None:
    for wrong in ({"limit": 0}, {"limit": 101}, {"prompt": ""}, {"status": "lost"}):
        with pytest.raises(InvalidInput):
            await anext(aiter(app.executions.subscribe(**wrong)))
    with pytest.raises(InvalidInput):
        app.executions.subscribe(after="x", on_change=lambda _: None)


async def test_what_another_process_runs_is_seen_within_a_second(
    app: cuewire.App, make_local_settings: SettingsMaker
) -> None:
    seen = window(app)
    await seen.next()
    async with cuewire.open(settings=make_local_settings()) as other:
        await other.prompts.publish("echo", "{{ text }}", model=ECHO)
        result = await other.run("echo", {"text": "x"})
        await seen.until(
            lambda shown: [(each.id, each.status) for each in shown] == [(result.id, "succeeded")],
            within_s=SEEN_S * SLACK,
        )

    assert seen.shown[0].cost_basis == result.cost_basis


async def test_closing_the_app_ends_what_is_followed(make_settings: SettingsMaker) -> None:
    async with cuewire.open(settings=make_settings()) as app:
        changes = aiter(app.executions.subscribe())
        await anext(changes)
        waiting = asyncio.create_task(anext(changes, None))
        await asyncio.sleep(0)

    async with asyncio.timeout(SOON_S):
        assert await waiting is None


def test_a_program_without_a_loop_follows_too(make_settings: SettingsMaker) -> None:
    told: queue.Queue[list[Status]] = queue.Queue()
    with cuewire.open(settings=make_settings()) as app:
        app.prompts.publish("echo", "{{ text }}", model=ECHO)
        subscription = app.executions.subscribe(
            on_change=lambda shown: told.put([app.executions.get(each.id).status for each in shown])
        )
        assert told.get(timeout=SOON_S) == []
        result = app.run("echo", {"text": "x"})
        while told.get(timeout=SOON_S) != ["succeeded"]:
            pass
        subscription.unsubscribe()

        assert ids(next(iter(app.executions.subscribe(limit=1))).applied(())) == [result.id]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(CommandLine(tmp_path_factory.mktemp("executions"))) as running:
        for name in ("ours%2Fecho", "theirs%2Fecho"):
            running.publish(name, "{{ text }}", model=ECHO)
        yield running


def ran(server: Serving, prompt: str) -> str:
    """Run a prompt, and return the id of the execution."""
    reply = server.run(prompt, {"text": "between us"})
    assert reply.status == 200, reply.body
    return str(reply.json["id"])


async def ended(messages: Events | Socket) -> list[dict[str, str]]:
    """Return what the messages tell of executions, up to one that has ended, in the order in which they came."""
    told: list[dict[str, str]] = []
    while not (told and told[-1]["status"] in FINAL):
        told += [each["execution"] for each in (await messages.message())["changed"]]
    return told


@pytest.mark.contract("S0-25")
@pytest.mark.parametrize("kind", KINDS)
async def test_events_and_messages_say_the_same_in_the_same_words(kind: str, tmp_path: Path) -> None:
    with serving_on(kind, tmp_path) as server:
        server.publish("echo", "{{ text }}", model=ECHO)
        ran(server, "echo")
        async with (
            following(server, SUBSCRIBE_EXECUTIONS) as client,
            client.events("?limit=2&prompt=echo") as events,
            client.socket("?limit=2&prompt=echo") as socket,
        ):
            first = await events.next()
            assert await socket.text() == first["data"]
            newest = await asyncio.to_thread(ran, server, "echo")
            second = await events.next()
            assert await socket.text() == second["data"]
        (listed, *_) = server.ask("GET", "/api/v1/executions").json["items"]

    assert (first["event"], second["event"]) == ("snapshot", "update")
    data = msgspec.json.decode(second["data"])
    assert (data["kind"], data["id"], data["size"], data["left"]) == ("update", second["id"], 2, [])
    assert [(each["place"], each["execution"]["id"]) for each in data["changed"]] == [(0, newest)]
    assert data["changed"][0]["execution"].keys() == listed.keys(), "as listed: no inputs, no answers"


async def test_a_client_comes_back_with_the_last_id_that_it_has(served: Serving) -> None:
    ran(served, "ours/echo")
    async with following(served, SUBSCRIBE_EXECUTIONS) as client:
        async with client.events("?status=succeeded") as events:
            last = (await events.next())["id"]
        async with client.events("?status=succeeded", Last_Event_ID=last) as events:
            same = await events.message()
        missed = ran(served, "ours/echo")
        async with client.socket(f"?status=succeeded&limit=9&after={last}") as socket:  # a list not yet looked at
            whole = await socket.message()

    assert (same["kind"], same["id"], same["changed"], same["left"]) == ("update", last, [], [])
    assert (whole["kind"], whole["items"][0]["id"]) == ("snapshot", missed)


async def test_whoever_is_limited_to_some_prompts_hears_of_no_other_executions(served: Serving) -> None:
    theirs, ours = ran(served, "theirs/echo"), ran(served, "ours/echo")
    limited = known_as(served, name="ours", role="viewer", prompts=["ours/*"])
    async with (
        following(limited, SUBSCRIBE_EXECUTIONS) as client,
        client.socket() as socket,
        client.events("?prompt=theirs/echo") as others,
    ):
        first = await socket.message()
        assert (await others.message())["items"] == []
        await asyncio.to_thread(ran, served, "theirs/echo")
        await asyncio.to_thread(ran, served, "ours/echo")
        later = await ended(socket)

    assert ours in [item["id"] for item in first["items"]]
    assert theirs not in [item["id"] for item in first["items"]]
    assert {each["prompt"] for each in [*first["items"], *later]} == {"ours/echo"}


async def test_whoever_may_not_see_bodies_hears_of_a_failure_its_code(served: Serving) -> None:
    served.publish("ours%2Fpicky", "{{ text }}", model=ECHO, variables={"text": {"type": "integer"}})
    viewer, runner = (known_as(served, name=role, role=role) for role in ("viewer", "runner"))
    async with (
        following(viewer, SUBSCRIBE_EXECUTIONS) as one,
        following(runner, SUBSCRIBE_EXECUTIONS) as other,
        one.socket("?prompt=ours/picky") as left,
        other.socket("?prompt=ours/picky") as seen,
    ):
        assert [(await each.message())["items"] for each in (left, seen)] == [[], []]
        await asyncio.to_thread(served.run, "ours/picky", {"text": "a secret"})
        told = [(await ended(each))[-1] for each in (left, seen)]
        async with one.events("?prompt=ours/picky") as events:
            (whole,) = (await events.message())["items"]

    assert [each["error_code"] for each in (*told, whole)] == ["invalid_input"] * 3
    assert [each["error_message"] is None for each in (*told, whole)] == [True, False, True]
    assert "a secret" in told[1]["error_message"]


@pytest.mark.parametrize(
    ("query", "status"), [("?limit=0", 422), ("?limit=101", 422), ("?status=lost", 422), ("?page=1", 422)]
)
async def test_both_refuse_what_cannot_be_followed(served: Serving, query: str, status: int) -> None:
    async with following(served, SUBSCRIBE_EXECUTIONS) as client:
        refused = await client.refused(query)

    reply = served.ask("GET", f"{SUBSCRIBE_EXECUTIONS}{query}")
    assert (refused, reply.status, reply.headers["content-type"]) == (status, status, "application/problem+json")


async def test_whoever_may_not_read_executions_follows_none(served: Serving) -> None:
    reader = known_as(served, name="reads", role="viewer", scopes=["prompts:read"])
    async with following(reader, SUBSCRIBE_EXECUTIONS) as client:
        assert await client.refused() == 403
        assert await client.refused(Authorization="Bearer cw_wrong") == 401

    assert reader.ask("GET", SUBSCRIBE_EXECUTIONS).status == 403


async def test_a_key_that_is_revoked_hears_nothing_more(served: Serving) -> None:
    key = made(served, name="leaves", role="viewer")
    leaving = Serving(served.process, served.port, key["key"])
    async with (
        following(leaving, SUBSCRIBE_EXECUTIONS) as client,
        client.events() as events,
        client.socket() as socket,
    ):
        await events.message()
        await socket.message()
        served.ask("POST", f"/api/v1/keys/{key['id']}/revoke")
        await asyncio.to_thread(ran, served, "ours/echo")

        assert await events.next() == {}
        with pytest.raises(aiohttp.WSMessageTypeError):
            await socket.message()
        assert await client.refused() == 401
