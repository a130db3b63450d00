"""`--server` and CUEWIRE_SERVER: which commands go to a server, and what is said of those that do not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cuewire.model.errors import PromptNotFound
from tests.support.command_line import CommandLine
from tests.support.model_server import Hang, ModelServer, Reset, plain
from tests.support.scripted_cuewire import ID, TOKEN, events, pieces, problem, result, version


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer() as running:
        yield running


@pytest.fixture
def cue(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path, {"CUEWIRE_TOKEN": TOKEN})


@pytest.mark.parametrize("at", ["front", "end", "environment"])
async def test_a_run_goes_to_the_server_that_is_named(cue: CommandLine, server: ModelServer, at: str) -> None:
    server.script(plain(result()))
    arguments = ["run", "triage", "-v", "text=x"]
    flag = ["--server", server.origin]
    if at == "environment":
        cue.environment["CUEWIRE_SERVER"] = server.origin

    ended = await cue(*{"front": [*flag, *arguments], "end": [*arguments, *flag]}.get(at, arguments))

    assert (ended.code, ended.out, ended.err) == (0, "a bug\n", "")
    assert server.received[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert [*cue.folder.glob("*.db*")] == []


async def test_a_run_on_a_server_loads_no_database(cue: CommandLine, server: ModelServer) -> None:
    server.script(plain(result()))
    process = await cue.start("run", "triage", "--server", server.origin, python=("-X", "importtime"))

    _, err = await process.communicate()

    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in err.decode().splitlines()}
    assert "httptools" in loaded
    ours = {"sqlalchemy", "asyncpg", "aiohttp", "fastapi", "rich", "genai_prices", "yaml", "jinja2"}
    assert loaded & (ours if "coverage" in loaded else ours | {"sqlite3"}) == set()


async def test_errors_of_a_server_have_the_exit_codes_that_they_have_here(
    cue: CommandLine, server: ModelServer
) -> None:
    missing = PromptNotFound("no prompt 'absent'", hint="publish it", field="/prompt")
    server.script(problem(missing), plain(b"", 401), [Reset()])
    asked = ("run", "absent", "--json", "--server", server.origin)

    absent, refused, gone = await cue(*asked), await cue(*asked), await cue(*asked)

    assert (absent.code, absent.error["code"], absent.error["field"]) == (3, "prompt_not_found", "/prompt")
    assert (refused.code, refused.error["code"]) == (8, "access_denied")
    assert (gone.code, gone.error["code"]) == (8, "server_unavailable")
    assert TOKEN not in absent.err + refused.err + gone.err


async def test_ctrl_c_cancels_the_execution_on_the_server(cue: CommandLine, server: ModelServer) -> None:
    server.script(events(*pieces("It is "), Hang()), plain(b"{}"))

    seen = await cue.on_terminal("run", "triage", "-v", "text=x", "--server", server.origin, interrupt_after="It is ")

    assert (seen.code, seen.out.startswith("It is \n")) == (130, True)
    assert server.received[1].path == f"/api/v1/executions/{ID}/cancel"


async def test_a_stale_version_is_told_on_stderr(cue: CommandLine, server: ModelServer) -> None:
    server.script(plain(version(2)), [Reset()])
    asked = ("prompts", "show", "triage@production", "--server", server.origin)

    fresh, stale = await cue(*asked), await cue(*asked)

    assert (stale.code, stale.out) == (0, fresh.out)
    assert fresh.err == ""
    assert "prompts.stale reference=triage@production version=2" in stale.err


@pytest.mark.parametrize("command", ["serve", "keys", "doctor", "db", "models", "providers", "demo", "init"])
async def test_a_command_about_this_machine_refuses_a_server(cue: CommandLine, command: str) -> None:
    ended = await cue(command, "--server", "https://cue.example")

    assert ended.code == 2
    assert f"'{command}' is about this machine, and no server answers it" in ended.err


async def test_a_command_about_this_machine_says_so_where_a_server_is_set(cue: CommandLine) -> None:
    cue.environment["CUEWIRE_SERVER"] = "https://cue.example"

    ended = await cue("db", "upgrade")
    named = await cue("db", "upgrade", "--database", "sqlite:///other.db")

    assert (ended.code, named.code) == (0, 0)
    assert ended.err.startswith("note: 'db' is about this machine; the server of the settings is not asked\n")
    assert named.err == ""


async def test_the_settings_show_the_server_and_never_the_key(cue: CommandLine) -> None:
    shown = (await cue("config", "show", "--server", "https://cue.example", "--json")).json

    assert shown["server"] == {"value": "https://cue.example", "origin": "--server"}
    assert shown["token"] == {"value": "****", "origin": "CUEWIRE_TOKEN"}
    assert shown["allow_plain_http"] == {"value": "false", "origin": "default"}
