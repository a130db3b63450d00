"""`cuewire keys`, `cuewire users` and the options of `cuewire serve`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine
from tests.support.serving import serving


@pytest.fixture
def cue(tmp_path: Path) -> CommandLine:
    """Run commands in a folder of their own."""
    return CommandLine(tmp_path)


async def test_a_key_opens_the_server_until_it_is_revoked(cue: CommandLine) -> None:
    made = (await cue("--json", "keys", "create", "laptop")).json
    with serving(cue) as server:
        server.key = made["key"]
        assert server.ask("GET", "/api/v1/prompts").status == 200

        revoked = await cue("keys", "revoke", made["id"])

        assert revoked.out == f"{made['id']} (laptop) opens nothing any more\n"
        while server.ask("GET", "/api/v1/prompts").status == 200:  # for a second at most
            pass
    listed = (await cue("--json", "keys", "list")).json["items"]
    assert [(key["name"], key["revoked_at"] is None) for key in listed] == [("laptop", False)]
    assert made["key"] not in (await cue("keys", "list")).out


async def test_a_key_may_do_less_for_less_and_for_some_time(cue: CommandLine) -> None:
    await cue("users", "add", "ada", "--role", "editor")
    narrow = (
        "--role",
        "runner",
        "--scope",
        "run",
        "--scope",
        "outcomes:write",
        "--prompt",
        "triage",
        "--prompt",
        "t/*",
    )

    made = await cue("--json", "keys", "create", "app", *narrow, "--user", "ada", "--expires", "30d")
    listed = await cue("keys", "list")

    (key,) = (await cue("--json", "keys", "list")).json["items"]
    assert made.json == {**key, "key": made.json["key"]}
    assert (key["role"], key["user"], key["created_by"]) == ("runner", "ada", "local")
    assert (key["scopes"], key["prompts"]) == (["outcomes:write", "run"], ["t/*", "triage"])
    lasts = datetime.fromisoformat(key["expires_at"]) - datetime.fromisoformat(key["created_at"])
    assert abs(lasts - timedelta(days=30)) < timedelta(minutes=1)
    assert "app  ada  runner  outcomes:write run t/* triage" in re.sub(" {2,}", "  ", listed.out)
    assert made.json["key"] not in listed.out


@pytest.mark.parametrize(
    "wrong",
    [
        ("--role", "owner"),
        ("--scope", "prompts:burn"),
        ("--prompt", "*"),
        ("--expires", "soon"),
        ("--expires", "0d"),
        ("--user", "Ada"),
    ],
)
async def test_what_says_nothing_usable_of_a_key_is_refused(cue: CommandLine, wrong: tuple[str, str]) -> None:
    refused = await cue("--json", "keys", "create", "app", *wrong)

    assert (refused.code, refused.error["code"]) == (4, "invalid_input")
    assert (await cue("--json", "keys", "list")).json["items"] == []


async def test_users_are_added_given_roles_disabled_and_enabled(cue: CommandLine) -> None:
    told = [
        await cue("users", *arguments)
        for arguments in (
            ("add", "ada", "--role", "admin"),
            ("add", "bob"),
            ("role", "bob", "editor"),
            ("disable", "bob"),
            ("enable", "bob"),
        )
    ]
    refused = await cue("--json", "users", "disable", "ada")
    again = await cue("--json", "users", "add", "bob")
    nobody = await cue("--json", "users", "role", "eve", "admin")

    assert [one.out for one in told] == [
        "ada is an admin\n",
        "bob is a viewer\n",
        "bob is an editor\n",
        "the keys of bob open nothing any more\n",
        "bob is an editor again\n",
    ]
    assert [one.error["code"] for one in (refused, again, nobody)] == ["conflict", "user_exists", "user_not_found"]
    users = (await cue("--json", "users", "list")).json["items"]
    assert [(user["name"], user["role"], user["disabled_at"]) for user in users] == [
        ("ada", "admin", None),
        ("bob", "editor", None),
    ]


async def test_who_does_something_at_the_database_may_say_who_they_are(tmp_path: Path) -> None:
    cue = CommandLine(tmp_path, {"CUEWIRE_AUTHOR": "ada@laptop"})

    made = (await cue("--json", "keys", "create", "app")).json
    refused = await CommandLine(tmp_path, {"CUEWIRE_AUTHOR": "a\nb"})("--json", "keys", "create", "app")

    assert made["created_by"] == "ada@laptop"
    assert (refused.code, refused.error["field"]) == (7, "author")


async def test_a_key_that_does_not_exist_cannot_be_revoked(cue: CommandLine) -> None:
    ended = await cue("--json", "keys", "revoke", "nobody")

    assert (ended.code, ended.error["code"]) == (3, "api_key_not_found")


async def test_other_machines_are_served_only_under_a_name_that_was_allowed(cue: CommandLine) -> None:
    refused = await cue("serve", "--host", "0.0.0.0", "--port", "0")

    assert refused.code == 7
    assert "--allow-host" in refused.err
    with serving(cue, "--host", "0.0.0.0", "--allow-host", "Cue.Internal") as server:
        assert server.ask("GET", "/healthz", Host="cue.internal:8470").status == 200
        assert server.ask("GET", "/healthz", Host="evil.example").status == 421


async def test_a_port_that_is_taken_is_refused(cue: CommandLine, tmp_path: Path) -> None:
    with serving(cue) as server:
        other = CommandLine(tmp_path / "other")
        other.folder.mkdir()

        refused = await other("serve", "--port", str(server.port))

    assert refused.code == 7
    assert f"port {server.port}" in refused.err


async def test_keys_of_a_server_elsewhere_are_not_made_here(tmp_path: Path) -> None:
    cue = CommandLine(tmp_path, {"CUEWIRE_SERVER": "https://cue.example.com"})

    ended = await cue("--json", "keys", "create", "laptop")

    assert (ended.code, ended.error["field"]) == (7, "server")


@pytest.mark.parametrize("command", [("keys", "list"), ("users", "list")], ids=" ".join)
async def test_what_is_said_of_a_server_elsewhere_is_one_thing_and_shows_no_password(
    tmp_path: Path, command: tuple[str, str]
) -> None:
    cue = CommandLine(tmp_path, {"CUEWIRE_SERVER": "https://ada:hunter2@cue.example.com"})

    ended = await cue(*command)

    assert (ended.code, ended.out) == (7, "")
    assert ended.err.startswith("error: the settings name a server")
    assert "hunter2" not in ended.err
