"""What holds the model calls of a server up: in its list, on the command line, and in its figures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.access import known_as
from tests.support.command_line import CommandLine
from tests.support.serving import Serving, serving

PATH = "/api/v1/limits"
SETTINGS = {
    "CUEWIRE_PROVIDERS__SCRIPTED__KIND": "scripted",
    "CUEWIRE_PROVIDERS__SCRIPTED__REQUESTS_PER_MINUTE": "6",
    "CUEWIRE_PROVIDERS__OPENAI__MAX_CONCURRENCY": "3",
    "CUEWIRE_MAX_CALLS_AT_ONCE": "20",
    "CUEWIRE_LIMITS__MAX_WAIT_S": "0.2",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Serve a prompt that echoes, six times a minute."""
    with serving(CommandLine(tmp_path_factory.mktemp("limits"), SETTINGS)) as running:
        assert running.publish("echo", "{{ text }}", model="scripted/echo").status == 200
        yield running


async def test_a_call_beyond_a_limit_is_refused_and_told_and_counted_everywhere(server: Serving) -> None:
    first = server.run("echo", {"text": "x"})
    refused = server.run("echo", {"text": "x"})
    listed = {item["name"]: item for item in server.ask("GET", PATH).json["items"]}
    told = server.ask("GET", "/metrics").body.decode()

    assert first.status == 200
    assert (refused.status, refused.json["code"]) == (429, "limit_reached")
    assert "the limit of 6 requests a minute at 'scripted' has no room for " in refused.json["detail"]
    assert "raise providers.scripted.requests_per_minute" in refused.json["hint"]
    assert 5 < refused.json["retry_after_s"] <= 10
    assert [*listed] == ["all", "openai", "scripted"]
    assert (listed["scripted"]["refused"], listed["scripted"]["requests_per_minute"]) == (1, 6)
    assert (listed["openai"]["max_concurrency"], listed["openai"]["running"]) == (3, 0)
    assert (listed["all"]["at_once"], listed["all"]["hold"], listed["all"]["counted"]) == (20, "none", "here")
    assert 'cuewire_limit_refused_total{limit="scripted"} 1' in told
    assert 'cuewire_limit_held{limit="openai"} 0' in told


async def test_the_command_lists_them(server: Serving, tmp_path: Path) -> None:
    cue = CommandLine(tmp_path)
    alone = await cue("limits", "list")
    cue.environment |= {"CUEWIRE_SERVER": server.url, "CUEWIRE_TOKEN": server.key}
    listed = await cue("limits", "list")
    as_json = await cue("limits", "list", "--json")

    assert (alone.code, "limits are a running server's" in alone.err) == (2, True)
    lines = [line.split() for line in listed.out.splitlines()]
    assert listed.code == 0
    assert lines[0][:4] == ["limit", "of", "calls", "are"]
    assert [line[0] for line in lines[1:]] == ["all", "openai", "scripted"]
    assert [item["name"] for item in as_json.json["items"]] == ["all", "openai", "scripted"]


def test_whoever_may_see_figures_sees_them(server: Serving) -> None:
    assert known_as(server, role="viewer").ask("GET", PATH).status == 200
    assert known_as(server, role="runner", scopes=["run"]).ask("GET", PATH).status == 403
