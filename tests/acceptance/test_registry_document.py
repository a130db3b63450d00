"""The page about the registry names all that there is in Python, on the command line and over REST, and no more."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import typer.main

from cuewire.cli.__main__ import app
from cuewire.ports import App, EventsFace, PromptsFace, ReviewsFace, ScopesFace, TemplatesFace
from tests.support.command_line import CommandLine
from tests.support.serving import Serving, serving

PAGE = (Path(__file__).parents[2] / "docs/registry.md").read_text()
FACES: dict[str, type] = {
    "prompts": PromptsFace,
    "templates": TemplatesFace,
    "reviews": ReviewsFace,
    "strategies": ScopesFace,
    "events": EventsFace,
}
ELSEWHERE = {"pull", "push", "import", "export", "seed", "gallery"}
"""Commands about files and ready-made prompts, which have pages of their own."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(CommandLine(tmp_path_factory.mktemp("registry"))) as running:
        yield running


def rows() -> list[list[str]]:
    """Return the cells of the table of what there is, without their marks."""
    table = PAGE.partition("## The same in three ways")[2]
    lines = [line for line in table.splitlines() if line.startswith("| ")][1:]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


def methods(face: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(face, inspect.isfunction) if not name.startswith("_")}


def commands(*path: str) -> dict[str, Any]:
    found: Any = typer.main.get_command(app)
    for name in path:
        found = found.commands[name]
    return dict(found.commands)


def named(column: int) -> Sequence[str]:
    return [row[column] for row in rows() if row[column]]


def test_the_page_names_every_method_and_no_other() -> None:
    there = {f"app.{name}.{method}" for name, face in FACES.items() for method in methods(face)}

    assert {name.partition("(")[0] for name in named(1)} == there
    assert set(FACES) <= {name for name, _ in inspect.getmembers(App)}


def test_the_page_names_every_command_and_no_other() -> None:
    nouns = ("prompts", "reviews", "strategies", "types")
    there = {f"{noun} {verb}" for noun in nouns for verb in commands(noun) if verb not in ELSEWHERE} | {"events"}

    assert {re.sub(r" --.*", "", name) for name in named(2)} == there


@pytest.mark.contract("S3-134")
def test_every_request_that_the_page_names_is_there(server: Serving) -> None:
    paths = server.ask("GET", "/openapi.json").json["paths"]
    there = {f"{method.upper()} {path.removeprefix('/api/v1')}" for path, said in paths.items() for method in said}

    assert len(named(3)) > 30
    assert [name for name in named(3) if name not in there] == []
