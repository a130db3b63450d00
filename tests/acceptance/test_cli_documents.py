"""What the documents show works: the README's examples, the example files, and the reference of the command line.

After a change of the commands, write the reference anew: python -m tests.acceptance.test_cli_documents
"""

from __future__ import annotations

import ast
import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer.main

from cuewire.cli.__main__ import app
from cuewire.cli.errors import EXIT_CODES
from tests.support.command_line import DEADLINE_S, CommandLine
from tests.support.serving import serving

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs/cli.md"
README = (ROOT / "README.md").read_text()
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))

INTRODUCTION = """\
# The command line

`cuewire COMMAND --help` says the same as this page. These options may stand anywhere in a command: `--database URL`,
`--server URL`, `--config PATH`, `--json`, `--no-color` (or the variable `NO_COLOR`), `--verbose`, `--traceback`.

**Output.** On a terminal answers stream and tables fit its width. In a pipe stdout holds the answer and nothing else,
and tables are aligned text. With `--json` stdout holds one JSON document (one a line for `executions tail`), and an
error is one JSON object on stderr: `{"error": {"code", "message", "hint", "field", "execution_id"}}`. What is unknown
is a dash, in JSON null, never 0. Times are UTC.

**Settings.** A flag beats the environment (`CUEWIRE_DATABASE_URL`), which beats `cuewire.toml`, which beats the
default. `cuewire config show` lists all of them with where each came from.

**A server.** With `--server URL` or `CUEWIRE_SERVER`, and the API key in `CUEWIRE_TOKEN`, `run`, `prompts`, `reviews`,
`strategies`, `configurations`, `types`, `executions` and `events` work on a server as they do here. All other
commands are about this machine, and say so.

**Errors** are two lines on stderr: what happened, and what to do. The exit code says which kind:

| code | meaning |
|---|---|
"""


def reference() -> str:
    """Return the whole reference, made from the commands themselves."""
    rows = "".join(f"| {code} | {meaning} |\n" for code, meaning in EXIT_CODES.items())
    texts = [f"## {name}\n\n```\n{text}\n```\n" for name, text in helps(typer.main.get_command(app), "cuewire")]
    return INTRODUCTION + rows + "\n" + "\n".join(texts)


def helps(command: Any, name: str) -> Iterator[tuple[str, str]]:
    """Yield the name and the help of a command and of all below it."""
    subcommands = getattr(command, "commands", {})
    if name != "cuewire":
        context = command.make_context(name, [], resilient_parsing=True, terminal_width=110, max_content_width=110)
        yield name, "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    for subname, subcommand in subcommands.items():
        yield from helps(subcommand, f"{name} {subname}")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def run_python(code: str, folder: Path) -> str:
    environment = {"HOME": str(folder), "CUEWIRE_DATA_FOLDER": str(folder)}
    command = [sys.executable, "-W", "error", "-c", code]
    ended = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=DEADLINE_S, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


def test_the_reference_says_what_the_commands_say() -> None:
    assert REFERENCE.read_text() == reference(), __doc__


def test_the_readme_fits_two_screens() -> None:
    assert README.count("\n") <= 100


def test_the_readme_names_files_that_exist() -> None:
    links = re.findall(r"\]\(([^)]+)\)", README)

    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_python_of_the_readme_runs(tmp_path: Path) -> None:
    first, second = (run_python(code, tmp_path) for code in blocks("python")[:2])

    assert re.fullmatch(r"bug 0\.0 [0-9a-f-]{36}\n", first)
    assert second


async def test_the_commands_of_the_readme_run(tmp_path: Path) -> None:
    cue = CommandLine(tmp_path)
    console = blocks("console")[0]
    lines = [line.removeprefix("$ ") for line in console.splitlines()]
    script = "set -e\n" + "\n".join(lines).replace("cuewire ", f"{sys.executable} -m cuewire.cli ")

    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", script),
        cwd=tmp_path,
        env=cue.whole_environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(DEADLINE_S):
        out, err = await process.communicate()

    assert (process.returncode, err) == (0, b"")
    assert out.decode().startswith("triage@1 is candidate, latest, production\nbug\ntriage@1 is now ")


def test_the_requests_of_the_readme_reach_the_server(tmp_path: Path) -> None:
    with serving(CommandLine(tmp_path)) as server:
        server.publish("triage", "Bug or idea? {{ text }}", model="scripted/echo", output=["bug", "idea"])
        serve, curl = (line.removeprefix("$ ") for line in blocks("console")[1].splitlines())
        environment = {"PATH": os.environ["PATH"], "CUE": server.url, "KEY": server.key}
        ended = subprocess.run(["sh", "-c", f"{curl} -s"], env=environment, capture_output=True, timeout=DEADLINE_S)
        said = run_python(f"CUE, KEY = {server.url!r}, {server.key!r}\n{blocks('python')[2]}", tmp_path)

    assert serve.startswith("cuewire serve ")
    assert msgspec.json.decode(ended.stdout)["value"] == "bug"
    assert "content='bug'" in said


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_each_example_runs_and_says_first_what_you_learn(path: Path, tmp_path: Path) -> None:
    code = path.read_text()

    assert (ast.get_docstring(ast.parse(code)) or "").startswith("Learn ")
    assert run_python(code, tmp_path) != ""


if __name__ == "__main__":
    REFERENCE.write_text(reference())
