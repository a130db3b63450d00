"""`cuewire events`: what happened to the whole registry, here and on a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command_line import CommandLine
from tests.support.serving import serving


@pytest.fixture(autouse=True)
def template(tmp_path: Path) -> None:
    (tmp_path / "greet.j2").write_text("Hi {{ who }}")


async def test_what_happened_is_told_of_everything_oldest_first(cue: CommandLine) -> None:
    await cue("strategies", "add", "swing", "--description", "days")
    await cue("prompts", "publish", "greet", "greet.j2")
    await cue("prompts", "protect", "--all", "canary", "--review")

    listed = (await cue("events")).out.splitlines()
    as_json = (await cue("events", "--json")).json["items"]
    last = as_json[-1]["id"]
    rest = (await cue("events", "--json", "--limit", "1", "--after", str(as_json[0]["id"]))).json["items"]
    nothing = await cue("events", "--after", str(last))

    assert listed[0].split() == ["when", "(UTC)", "who", "what"]
    assert [line.split("  ")[-1] for line in listed[-5:]] == [
        "added strategy swing",
        "prompt 1: created it",
        "prompt 1: published version 1",
        "prompt 1: moved production to 1",
        "set rule canary",
    ]
    assert rest == as_json[1:2]
    assert (nothing.code, nothing.out, nothing.err) == (0, "", "nothing more happened\n")


async def test_who_came_and_went_is_told_by_name(tmp_path: Path) -> None:
    cue = CommandLine(tmp_path)
    key = (await cue("--json", "keys", "create", "laptop")).json["id"]
    await cue("keys", "revoke", key)
    await cue("users", "add", "ada")
    await cue("users", "role", "ada", "editor")
    await cue("users", "disable", "ada")

    listed = (await cue("events")).out.splitlines()

    assert [line.split("  ")[-1] for line in listed[1:]] == [
        "made key laptop",
        "revoked key laptop",
        "added user ada",
        "made user ada editor, from viewer",
        "disabled user ada",
    ]


async def test_with_json_it_says_what_the_server_says(tmp_path: Path) -> None:
    cue = CommandLine(tmp_path)
    await cue("prompts", "publish", "greet", "greet.j2")
    with serving(cue) as server:
        said = server.ask("GET", "/api/v1/events").json
        there = CommandLine(tmp_path, {"CUEWIRE_SERVER": server.url, "CUEWIRE_TOKEN": server.key})

        assert (await cue("events", "--json")).json == said
        assert (await there("events", "--json")).json == said
