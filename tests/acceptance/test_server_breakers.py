"""Circuit breakers of a server: seen by whoever reads its figures, turned by publishers, told to Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.access import known_as
from tests.support.command_line import CommandLine
from tests.support.serving import Serving, serving

PATH = "/api/v1/breakers"


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
