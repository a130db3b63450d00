"""Prompts are followed over HTTP: as events and over a WebSocket, by whoever may, and of what they may see."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from time import monotonic
from urllib.parse import quote

import aiohttp
import msgspec
import pytest

from cuewire.server.guard import SESSION_PATH
from cuewire.server.routes.live import SUBSCRIBE
from tests.support import postgres
from tests.support.access import known_as, made
from tests.support.command_line import CommandLine
from tests.support.live_client import Events, Socket, following
from tests.support.served_databases import serving_on
from tests.support.serving import Serving, serving
from tests.support.stores import KINDS

SEEN_S = 1.0
ENDED_S = 1.0
SLACK = 3
SLOW = 20
QUICK = 80


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(CommandLine(tmp_path_factory.mktemp("live"))) as running:
        yield running


def publish(server: Serving, name: str, text: str = "{{ a }}") -> None:
    assert server.publish(quote(name, safe=""), text).status == 200


@pytest.mark.contract("S0-24")
@pytest.mark.parametrize("kind", KINDS)
async def test_events_and_messages_say_the_same_in_the_same_words(kind: str, tmp_path: Path) -> None:
    with serving_on(kind, tmp_path) as server:
        publish(server, "first")
        async with (
            following(server) as client,
            client.events("?limit=2") as events,
            client.socket("?limit=2") as socket,
        ):
            first = await events.next()
            assert await socket.text() == first["data"]
            publish(server, "second")
            second = await events.next()
            assert await socket.text() == second["data"]

    assert (first["event"], second["event"]) == ("snapshot", "update")
    data = msgspec.json.decode(second["data"])
    assert (data["kind"], data["id"]) == ("update", second["id"])
    assert [(each["place"], each["prompt"]["name"]) for each in data["changed"]] == [(0, "second")]


async def test_a_client_comes_back_with_the_last_id_that_it_has(server: Serving) -> None:
    publish(server, "again")
    async with following(server) as client:
        async with client.events() as events:
            last = (await events.next())["id"]
        publish(server, "missed")

        async with client.events(Last_Event_ID=last) as events:
            by_header = await events.message()
        async with client.socket(f"?after={last}") as socket:
            by_query = await socket.message()
        async with client.events(Last_Event_ID="0-nothing") as events:
            stranger = await events.message()

    assert [each["prompt"]["name"] for each in by_header["changed"]] == ["missed"]
    assert by_query == by_header
    assert stranger["kind"] == "snapshot"


@pytest.mark.parametrize(
    ("query", "status"), [("?limit=0", 422), ("?limit=1&page=2", 422), ("?strategy=absent", 404), ("?language=!", 422)]
)
async def test_both_refuse_what_cannot_be_followed(server: Serving, query: str, status: int) -> None:
    async with following(server) as client:
        refused = await client.refused(query)

    reply = server.ask("GET", f"/api/v1/prompts/subscribe{query}")
    assert (refused, reply.status, reply.headers["content-type"]) == (status, status, "application/problem+json")


async def test_a_socket_opens_only_where_there_is_one(server: Serving) -> None:
    async with following(server) as client:
        assert await client.refused(path="/api/v1/prompts") == 404
        assert await client.refused(path="/api/v1/executions") == 404
        assert await client.refused(path="/healthz") == 404


async def test_a_socket_needs_a_key_or_the_session_of_a_page_of_ours(server: Serving) -> None:
    signed = server.ask("POST", SESSION_PATH, {"key": server.key}, Authorization=None, Origin=server.url)
    cookie = signed.headers["set-cookie"].partition(";")[0]
    async with following(server) as client:
        assert await client.refused(Authorization="Bearer cw_wrong") == 401
        assert await client.refused(Authorization="") == 401
        assert await client.refused(Origin="https://evil.example") == 403
        assert await client.refused(Host="evil.example") == 421
        assert await client.refused(Cookie=cookie) == 403, "which page it comes from is not said"
        assert await client.refused(Cookie=cookie, Origin="https://evil.example") == 403
        assert await client.refused(Cookie="cuewire_session=cws_wrong", Origin=server.url) == 401

        async with client.socket(Cookie=cookie, Origin=server.url) as socket:
            assert (await socket.message())["kind"] == "snapshot"


async def test_whoever_is_limited_to_some_prompts_hears_of_no_others(server: Serving) -> None:
    publish(server, "ours/one")
    publish(server, "secret/one")
    limited = known_as(server, name="ours", role="viewer", prompts=["ours/*"])
    async with following(limited) as client:
        async with client.socket() as socket:
            first = await socket.message()
            publish(server, "secret/two")
            publish(server, "ours/two")
            second = await socket.message()
        publish(server, "secret/three")
        server.ask("DELETE", "/api/v1/prompts/secret%2Fone")
        async with client.events(Last_Event_ID=second["id"]) as events:
            back = await events.message()
        async with client.events("?name=secret/*") as events:
            asked = await events.message()

    assert [item["name"] for item in first["items"]] == ["ours/one"]
    assert [each["prompt"]["name"] for each in second["changed"]] == ["ours/two"]
    assert (back["changed"], back["left"], back["size"]) == ([], [], 2)
    assert asked["items"] == []


async def test_both_may_name_several_prompts(server: Serving) -> None:
    for name in ("several/one", "several/two", "several/other"):
        publish(server, name)
    query = "?name=several/one&name=several/two"
    async with following(server) as client, client.events(query) as events, client.socket(query) as socket:
        first = await events.message()
        assert await socket.message() == first

    assert [item["name"] for item in first["items"]] == ["several/two", "several/one"]


async def test_whoever_may_not_read_prompts_follows_none(server: Serving) -> None:
    runner = known_as(server, name="runs", role="runner", scopes=["run"])
    async with following(runner) as client:
        assert await client.refused() == 403

    assert runner.ask("GET", "/api/v1/prompts/subscribe").status == 403


async def test_a_key_that_is_revoked_hears_nothing_more(server: Serving) -> None:
    key = made(server, name="leaves", role="viewer")
    leaving = Serving(server.process, server.port, key["key"])
    async with following(leaving) as client, client.events() as events, client.socket() as socket:
        await events.message()
        await socket.message()
        server.ask("POST", f"/api/v1/keys/{key['id']}/revoke")
        publish(server, "unheard")

        assert await events.next() == {}
        with pytest.raises(aiohttp.WSMessageTypeError):
            await socket.message()
        assert await client.refused() == 401


async def test_the_end_of_the_server_ends_what_is_followed_and_waits_for_nobody(tmp_path: Path) -> None:
    with serving(CommandLine(tmp_path)) as server:
        async with following(server) as client, client.events() as events, client.socket() as socket:
            await events.message()
            await socket.message()
            began = monotonic()
            code = await asyncio.to_thread(server.end)

            assert await events.next() == {}
            assert (await socket.socket.receive()).data in (1_001, None)  # None: it hung up before that was sent
    assert code == 0
    assert monotonic() - began < SLACK * ENDED_S + 5.0


async def test_two_servers_tell_of_each_others_changes_within_a_second(tmp_path: Path) -> None:
    async with postgres.database() as url:
        said = {"CUEWIRE_DATABASE_URL": url}
        folders = [tmp_path / "one", tmp_path / "other"]
        for folder in folders:
            folder.mkdir()
        with serving(CommandLine(folders[0], said)) as one, serving(CommandLine(folders[1], said)) as other:
            other.key = one.key
            publish(one, "shared")
            publish(one, "shared", "{{ a }}!")
            async with following(other) as client, client.socket() as socket:
                await socket.message()
                one.ask("POST", "/api/v1/prompts/shared/labels", {"label": "candidate", "number": 1})
                async with asyncio.timeout(SEEN_S * SLACK):
                    seen = await socket.message()

    assert seen["changed"][0]["prompt"]["labels"]["candidate"] == 1


async def test_a_hundred_follow_and_those_who_do_not_listen_hold_up_nobody(server: Serving) -> None:
    publish(server, "loud")
    with ExitStack() as stack:
        for _ in range(SLOW):
            stack.enter_context(server.connect()).sendall(server.head("GET", SUBSCRIBE))
        async with following(server) as client, AsyncExitStack() as opened:
            half = [await opened.enter_async_context(client.events()) for _ in range(QUICK // 2)]
            other = [await opened.enter_async_context(client.socket()) for _ in range(QUICK // 2)]
            quick: list[Events | Socket] = [*half, *other]
            await asyncio.gather(*(each.message() for each in quick))
            publish(server, "louder")
            async with asyncio.timeout(SEEN_S * SLACK):
                seen = await asyncio.gather(*(each.message() for each in quick))

    assert {tuple(each["prompt"]["name"] for each in said["changed"]) for said in seen} == {("louder",)}
