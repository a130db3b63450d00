"""What goes wrong is told in two lines, what happened and what to do, and by the exit code."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import cuewire
from cuewire.cli.errors import EXIT_CODES
from tests.support.command_line import CommandLine

WRONG: dict[str, tuple[list[str], int, str]] = {
    "no such command": (["bogus"], 2, "no such command 'bogus'"),
    "no such option": (["run", "greet", "--bogus"], 2, "no such option: --bogus"),
    "missing argument": (["run"], 2, "missing argument 'prompt'"),
    "no equals sign": (["run", "greet", "-v", "name"], 2, "'name' is not name=value"),
    "given twice": (["run", "greet", "-v", "name=a", "-v", "name=b"], 2, "'name' is given twice"),
    "no such prompt": (["run", "absent"], 3, "'absent'"),
    "no such label": (["run", "greet@beta"], 3, "beta"),
    "no such version": (["prompts", "show", "greet@9"], 3, "9"),
    "no such provider": (["run", "greet", "-v", "name=a", "--model", "nowhere/x"], 3, "'nowhere'"),
    "no such execution": (["executions", "show", "0"], 3, "'0'"),
    "missing variable": (["run", "greet"], 4, "'name' is missing"),
    "surplus variable": (["run", "greet", "-v", "name=a", "-v", "nmae=b"], 4, "nmae"),
    "bad JSON": (["run", "greet", "-v", "name:={"], 4, "the value of 'name' is not JSON"),
    "deep JSON": (["run", "greet", "--inputs", "deep.json"], 4, "nested too deeply"),
    "not a number": (["run", "greet", "-v", "name:=NaN"], 4, "is not JSON"),
    "no object": (["run", "greet", "--inputs", "list.json"], 4, "must be a JSON object"),
    "no such file": (["run", "greet", "-v", "name=@absent.txt"], 4, "'absent.txt' cannot be read"),
    "not UTF-8": (["run", "greet", "-v", "name=@latin.txt"], 4, "'latin.txt' is not UTF-8 text: byte 1"),
    "a NUL": (["run", "greet", "-v", "name=@nul.txt"], 4, "NUL"),
    "a lone surrogate": (["run", "greet", "-v", 'name:="\\ud800"'], 4, "name"),
    "not a model": (["run", "greet", "--model", "gpt"], 4, "'gpt' is not a model"),
    "bad template": (["prompts", "publish", "bad", "bad.j2"], 4, "line 2"),
    "bad output": (["prompts", "publish", "bad", "greet.j2", "--output", "colour"], 4, "unknown output kind"),
    "reserved label": (["prompts", "label", "greet", "latest", "1"], 4, "'latest'"),
    "another database": (["prompts", "list", "--database", "sqlite:///greet.j2"], 6, "greet.j2"),
    "unknown database": (["prompts", "list", "--database", "mongodb://x"], 7, "'mongodb'"),
    "no such settings": (["prompts", "list", "--config", "absent.toml"], 7, "'absent.toml'"),
    "no key": (["run", "greet", "-v", "name=a", "--model", "openai/x"], 7, "provider 'openai' has no key"),
}


@pytest.fixture(scope="module")
def cue(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    folder = tmp_path_factory.mktemp("errors")
    files = {
        "greet.j2": b"Hello {{ name }}",
        "bad.j2": b"first\n{% for %}",
        "deep.json": b"[" * 100_000,
        "list.json": b"[]",
        "latin.txt": b"a\xe9",
        "nul.txt": b"a\x00b",
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    cue = CommandLine(folder)
    assert asyncio.run(cue("prompts", "publish", "greet", "greet.j2", "--model", "scripted/echo")).code == 0
    return cue


@pytest.mark.contract("S3-128")
@pytest.mark.parametrize("case", WRONG)
async def test_an_error_says_what_happened_and_what_to_do(cue: CommandLine, case: str) -> None:
    arguments, code, what = WRONG[case]

    ended = await cue(*arguments)

    first, second = ended.err.splitlines()
    assert (ended.code, ended.out) == (code, "")
    assert first.startswith("error: ")
    assert what in first
    assert second.startswith("       ")
    assert len(second.strip()) > 8


async def test_an_error_as_json_has_code_message_hint_and_place(cue: CommandLine) -> None:
    ended = await cue("--json", "run", "greet", "-v", "nmae=b", "-v", "name=a")

    assert ended.error["code"] == "invalid_input"
    assert ended.error["field"] == "/inputs/nmae"
    assert ended.error["hint"]
    assert ended.error["execution_id"]


async def test_the_json_option_counts_before_the_command_is_understood(cue: CommandLine) -> None:
    assert (await cue("bogus", "--json")).error["code"] == "usage"


async def test_only_traceback_shows_where_in_the_code_an_error_arose(cue: CommandLine) -> None:
    without, with_it = await cue("run", "absent"), await cue("run", "absent", "--traceback")

    assert "Traceback" not in without.err
    assert "Traceback" in with_it.err
    assert with_it.err.endswith(without.err)


async def test_version_and_help_go_to_stdout(cue: CommandLine) -> None:
    version, help_text = await cue("--version"), await cue("--help")

    assert (version.code, version.out) == (0, f"{cuewire.__version__}\n")
    assert "Exit codes:" in help_text.out
    assert all(f"{code:>5}  {meaning}" in help_text.out for code, meaning in EXIT_CODES.items())


async def test_a_group_without_a_command_shows_its_help(cue: CommandLine) -> None:
    ended = await cue("prompts")

    assert ended.code == 2
    assert "Usage: cuewire prompts" in ended.err
    assert "publish" in ended.err


@pytest.mark.contract("S2-44")
@pytest.mark.parametrize(
    ("name", "value", "what", "advice"),
    [
        ("CUEWIRE_DATABSE_URL", "sqlite:///x.db", "'CUEWIRE_DATABSE_URL' is not a setting", "CUEWIRE_DATABASE_URL"),
        ("CUEWIRE_MAX_CONNECTIONS", "many", "max_connections: ", "cuewire config show"),
        ("CUEWIRE_TIMEOUTS__TOTAL_S", "soon", "timeouts.total_s: ", "cuewire config show"),
        ("CUEWIRE_CONFIG", "absent.toml", "CUEWIRE_CONFIG names 'absent.toml'", "mend"),
        ("OPENAI_BASE_URL", "ftp://x", "base URL of provider 'openai'", "https://host/path"),
    ],
)
async def test_a_wrong_environment_variable_is_named_with_what_to_do(
    tmp_path: Path, name: str, value: str, what: str, advice: str
) -> None:
    cue = CommandLine(tmp_path, {name: value})

    ended = await cue("prompts", "list")

    first, second = ended.err.splitlines()
    assert ended.code == 7
    assert what in first
    assert advice in second


@pytest.mark.contract("S2-44")
async def test_a_missing_key_is_named_by_its_variable(cue: CommandLine) -> None:
    ended = await cue("run", "greet", "-v", "name=a", "--model", "openrouter/x/y")

    assert "OPENROUTER_API_KEY" in ended.err
