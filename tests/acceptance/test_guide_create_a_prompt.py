"""The guide "create a prompt" works as it stands: its commands, its Python and its requests all lead to the same."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent
from typing import Any

import msgspec
import pytest

import cuewire
from tests.support.command_line import DEADLINE_S, CommandLine
from tests.support.serving import serving

GUIDE = (Path(__file__).parents[2] / "docs/guide-create-a-prompt.md").read_text()
STEPS = 10


def blocks(*languages: str) -> list[tuple[str, str]]:
    """Return the language and the text of each block in one of the languages, in order."""
    found = re.findall(r"^```([a-z]*)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    return [(language, text) for language, text in found if language in languages]


def commands(console: str) -> Iterator[tuple[str, str]]:
    """Yield each command of a block with what it prints, empty if that is not shown."""
    for part in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def database(folder: Path) -> str:
    return f"sqlite:///{folder}/cue.db"


def command_line(folder: Path) -> CommandLine:
    return CommandLine(folder, {"CUEWIRE_DATABASE_URL": database(folder)})


def shell(script: str, cue: CommandLine, **environment: str) -> str:
    ended = subprocess.run(
        ["sh", "-c", f"set -e\n{script}"],
        cwd=cue.folder,
        env=cue.whole_environment() | environment,
        capture_output=True,
        text=True,
        timeout=3 * DEADLINE_S,
        check=False,
    )
    assert ended.returncode == 0, (script, ended.stdout, ended.stderr)
    return ended.stdout


def state(folder: Path) -> Any:
    """Return all that there is of `triage` in a database, without times."""
    with cuewire.open(database(folder)) as app:
        found = app.prompts.list(wanted=cuewire.PromptFilter(names=("triage",))).items
        told = [(prompt, app.prompts.versions(str(prompt.id)), app.reviews.rules(str(prompt.id))) for prompt in found]
    plain = msgspec.json.decode(msgspec.json.encode(sorted(told, key=lambda each: each[0].id)))
    return _without(plain, {"created_at", "updated_at"})


def _without(value: Any, names: set[str]) -> Any:
    if isinstance(value, dict):
        return {name: _without(part, names) for name, part in value.items() if name not in names}
    return [_without(part, names) for part in value] if isinstance(value, list) else value


def by_commands(folder: Path) -> None:
    cue = command_line(folder)
    for language, text in blocks("console", "prompt"):
        if language == "prompt":
            (folder / "triage.prompt").write_text(text)
            continue
        for command, output in commands(text):
            said = shell(command.replace("cuewire ", f"{sys.executable} -m cuewire.cli ", 1), cue)
            assert said == (output or said)


def by_library(folder: Path) -> str:
    code = "".join(text for _, text in blocks("python"))
    program = f"import cuewire\n\nwith cuewire.open() as app:\n{indent(code, '    ')}"
    (folder / "guide.py").write_text(program)
    return shell(f"{sys.executable} -W error guide.py", command_line(folder))


def by_requests(folder: Path) -> str:
    cue = command_line(folder)
    with serving(cue) as server:
        script = "\n".join(text for _, text in blocks("sh"))
        return shell(script, cue, CUE=server.url, KEY=server.key)


@pytest.mark.contract("S3-130")
def test_the_guide_leads_to_the_same_by_commands_by_library_and_over_rest(tmp_path: Path) -> None:
    for form in ("commands", "library", "rest"):
        (tmp_path / form).mkdir()

    by_commands(tmp_path / "commands")
    printed = by_library(tmp_path / "library")
    by_requests(tmp_path / "rest")

    reached = state(tmp_path / "commands")
    assert printed.endswith("It crashes on save\nbug\nparameters {} {'temperature': 0}\n")
    assert [(each["language"], each["strategy"], each["labels"]) for each, _, _ in reached] == [
        ("en", None, {"candidate": 2, "latest": 2, "production": 1}),
        ("de", None, {"latest": 1, "production": 1}),
        ("en", "enterprise", {"latest": 1, "production": 1}),
    ]
    assert [rule["role"] for rule in reached[0][2]] == ["publisher"]
    assert nameless(state(tmp_path / "library")) == nameless(reached)
    assert nameless(state(tmp_path / "rest")) == nameless(reached)


def nameless(reached: Any) -> Any:
    """Return a state without who made it: a key does over REST what the database's owner does elsewhere."""
    return _without(reached, {"author"})


@pytest.mark.contract("S3-130")
def test_each_step_stands_there_in_three_forms() -> None:
    sections = re.split(r"^## (?=\d)", GUIDE, flags=re.MULTILINE)[1:]

    assert [section.partition(".")[0] for section in sections] == [str(number) for number in range(1, STEPS + 1)]
    for section in sections[1:]:
        assert [form for form in ("console", "python", "sh") if f"```{form}\n" not in section] == []
