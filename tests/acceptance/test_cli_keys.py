"""`cuewire keys` and the options of `cuewire serve`."""

from __future__ import annotations

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
