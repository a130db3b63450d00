"""Prompts may bear the names that paths of the server mean something else by, and a client reaches them."""

from __future__ import annotations

from pathlib import Path

import cuewire
from cuewire.wire.prompts import TAKEN_NAMES
from tests.support.access import operations
from tests.support.command_line import CommandLine

PROMPTS = "/api/v1/prompts/"


def test_the_names_are_those_of_the_routes() -> None:
    below = {operation.path.removeprefix(PROMPTS) for operation in operations() if operation.path.startswith(PROMPTS)}

    assert {first for first in (path.partition("/")[0] for path in below) if first and "{" not in first} == TAKEN_NAMES


async def test_a_prompt_with_such_a_name_is_as_any_other(app: cuewire.App) -> None:
    for name in sorted(TAKEN_NAMES):
        published = await app.prompts.publish(name, "Hi {{ who }}")
        await app.prompts.draft(name, 1, "Ho {{ who }}")
        await app.prompts.label(name, "canary", 2)
        edited = await app.prompts.edit(name, description=name)

        assert (published.prompt, edited.description) == (name, name)
        assert await app.prompts.find(name) == edited
        assert (await app.prompts.get(f"{name}@canary")).text == "Ho {{ who }}"
        assert [version.number for version in await app.prompts.versions(name)] == [2, 1]
        assert (await app.prompts.diff(name, 1, 2)).messages
        assert [event.prompt_id for event in await app.prompts.history(name, limit=1)] == [edited.id]
        assert (await app.prompts.clone(name, f"{name}-2")).number == 1
        assert (await app.prompts.archive(name)).status == "archived"
        assert (await app.prompts.restore(name)).status == "active"


async def test_a_file_with_such_a_name_is_pushed(cue: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / "prompts"
    folder.mkdir()
    (folder / "stats.prompt").write_text("---\nmodel: scripted/echo\n---\nHi {{ who }}\n")

    pushed = await cue("prompts", "push", "prompts", "--json")
    again = await cue("prompts", "push", "prompts", "--json")

    assert [(item["prompt"], item["change"]) for item in pushed.json["items"]] == [("stats", "new")]
    assert [(item["prompt"], item["change"]) for item in again.json["items"]] == [("stats", "unchanged")]
