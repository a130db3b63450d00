"""Circuit breakers of a server: seen by whoever reads its figures, turned by publishers, told to Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import cuewire
from cuewire.config import load
from cuewire.model.errors import InvalidInput
from tests.support.access import known_as
from tests.support.command_line import CommandLine
from tests.support.serving import Serving, serving

PATH = "/api/v1/breakers"
EVENTS = "/api/v1/events"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Serve a prompt that echoes."""
    with serving(CommandLine(tmp_path_factory.mktemp("breakers"))) as running:
        assert running.publish("echo", "{{ text }}", model="scripted/echo").status == 200
        yield running


def turn(server: Serving, status: str, model: str = "scripted/echo") -> str:
    reply = server.ask("PUT", PATH, {"model": model, "status": status})
    assert reply.status == 200
    found: str = reply.json["status"]
    return found


def figures(server: Serving) -> list[str]:
    text = server.ask("GET", "/metrics").body.decode()
    return [line for line in text.split("\n") if line.startswith("cuewire_breaker")]


def test_an_opened_one_stops_runs_until_it_is_reset(server: Serving) -> None:
    assert turn(server, "open") == "open"
    refused = server.run("echo", {"text": "x"})
    (seen,) = server.ask("GET", PATH).json["items"]
    told = figures(server)

    assert turn(server, "reset") == "closed"
    assert (refused.status, refused.json["code"]) == (503, "provider_unavailable")
    assert "stopped by hand" in refused.json["detail"]
    assert (seen["model"], seen["status"], seen["is_forced"]) == ("scripted/echo", "open", True)
    assert (seen["refused"], seen["tries_again_in_s"]) == (1, None)
    assert told == [
        'cuewire_breaker_open{model="scripted/echo"} 1',
        'cuewire_breaker_refused_total{model="scripted/echo"} 1',
    ]
    assert server.run("echo", {"text": "x"}).status == 200
    assert server.run("echo", {"text": "x"}, model="scripted/made-up").status == 200
    assert [line for line in figures(server) if "made-up" in line] == []
    assert figures(server)[0] == 'cuewire_breaker_open{model="scripted/echo"} 0'
    assert turn(server, "closed") == "closed"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "/model"),
        ({"model": "scripted/echo"}, "/status"),
        ({"model": "scripted/echo", "status": "half_open"}, "/status"),
        ({"model": "echo", "status": "open"}, "/model"),
        ({"model": "scripted/echo", "status": "open", "for_s": 9}, "/for_s"),
    ],
)
def test_what_cannot_be_turned_is_refused(server: Serving, body: dict[str, object], field: str) -> None:
    reply = server.ask("PUT", PATH, body)

    assert (reply.status, reply.json["code"]) == (422, "invalid_input")
    assert field.removeprefix("/") in reply.body.decode()


def test_a_viewer_sees_them_and_who_is_limited_to_some_prompts_turns_none(server: Serving) -> None:
    viewer = known_as(server, role="viewer")
    limited = known_as(server, role="publisher", prompts=["ours/*"])
    body = {"model": "scripted/echo", "status": "open"}

    assert viewer.ask("GET", PATH).status == 200
    assert viewer.ask("PUT", PATH, body).status == 403
    assert limited.ask("PUT", PATH, body).status == 403
    assert known_as(server, role="publisher").ask("PUT", PATH, body | {"status": "reset"}).status == 200


def turns(server: Serving) -> list[tuple[str, dict[str, Any]]]:
    """Return who turned what, as the history has it."""
    items = server.ask("GET", f"{EVENTS}?limit=1000").json["items"]
    return [(item["actor"], item["data"]) for item in items if item["action"] == "breaker.turned"]


def test_turning_one_by_hand_stands_in_the_history_and_what_is_refused_does_not(server: Serving) -> None:
    before = turns(server)
    body = {"model": "scripted/echo", "status": "open"}

    assert known_as(server, name="ada", role="publisher").ask("PUT", PATH, body).status == 200
    assert known_as(server, role="viewer").ask("PUT", PATH, body).status == 403
    assert server.ask("PUT", PATH, body | {"status": "half_open"}).status == 422
    assert known_as(server, name="ben", role="publisher").ask("PUT", PATH, body | {"status": "reset"}).status == 200

    assert turns(server)[len(before) :] == [
        ("key:ada", {"model": "scripted/echo", "to": "open"}),
        ("key:ben", {"model": "scripted/echo", "to": "reset"}),
    ]


async def test_the_command_leaves_the_same_event(server: Serving, tmp_path: Path) -> None:
    command = CommandLine(tmp_path, {"CUEWIRE_SERVER": server.url, "CUEWIRE_TOKEN": server.key})
    before = turns(server)

    opened = await command("breakers", "open", "scripted/echo")
    reset = await command("breakers", "reset", "scripted/echo")

    assert (opened.code, reset.code) == (0, 0)
    assert [data["to"] for _, data in turns(server)[len(before) :]] == ["open", "reset"]


async def test_the_library_leaves_the_same_event_under_its_author(tmp_path: Path) -> None:
    own = {"CUEWIRE_DATA_FOLDER": str(tmp_path), "CUEWIRE_AUTHOR": "cleo"}
    async with cuewire.open(settings=load(environment=own, folder=tmp_path)) as app:
        await app.breakers.turn("scripted/echo", "closed")
        events = await app.events.list(limit=1_000)

    told = [(event.actor, event.prompt_id, event.data) for event in events if event.action == "breaker.turned"]
    assert told == [("cleo", None, {"model": "scripted/echo", "to": "closed"})]


@pytest.mark.parametrize(("model", "status"), [("gpt-4o", "open"), ("openai/gpt-4o", "half_open")])
async def test_what_cannot_be_turned_makes_neither_a_breaker_nor_an_event(
    tmp_path: Path, model: str, status: Any
) -> None:
    own = {"CUEWIRE_DATA_FOLDER": str(tmp_path)}
    async with cuewire.open(settings=load(environment=own, folder=tmp_path)) as app:
        with pytest.raises(InvalidInput):
            await app.breakers.turn(model, status)

        assert (await app.breakers.list(), await app.events.list()) == ((), ())
