"""Ready-made prompts are published once, run with their own examples, and leave alone what somebody made of them."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import cuewire
from cuewire.config import load
from cuewire.files.gallery import Gallery
from cuewire.providers.scripted import Scripted
from cuewire.registry.files import add
from tests.support.command_line import CommandLine

SEEDS = {
    "default_analysis": "analysis",
    "default_consolidation": "consolidation",
    "default_system_message": "system_message",
    "nlu_extraction_gemini_25": "general",
}


async def changes(cue: CommandLine, *arguments: str) -> dict[str, tuple[str, int]]:
    """Run a command that publishes, and return what it did to each prompt."""
    ended = await cue("prompts", *arguments, "--json")
    assert ended.code == 0, ended.err
    return {item["prompt"]: (item["change"], item["number"]) for item in ended.json["items"]}


async def listed(cue: CommandLine) -> dict[str, Any]:
    return {item["name"]: item for item in (await cue("prompts", "list", "--json")).json["items"]}


async def labels(cue: CommandLine, name: str) -> Any:
    return (await listed(cue))[name]["labels"]


@pytest.mark.contract("S3-142")
async def test_the_gallery_is_listed_and_shown_and_what_it_shows_can_be_pushed(
    cue: CommandLine, tmp_path: Path
) -> None:
    listed = await cue("prompts", "gallery", "--json")
    table = await cue("prompts", "gallery")
    shown = await cue("prompts", "gallery", "show", "sentiment")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "sentiment.prompt").write_text(shown.out)

    assert len(listed.json["items"]) >= 24
    assert "sentiment" in table.out
    assert "classification" in table.out
    assert await changes(cue, "push", "mine") == {"sentiment": ("new", 1)}
    assert await changes(cue, "gallery", "add", "sentiment") == {"sentiment": ("unchanged", 1)}


async def test_a_second_time_adds_nothing_and_what_somebody_made_of_it_stays_in_production(cue: CommandLine) -> None:
    assert await changes(cue, "gallery", "add", "support-triage") == {"support-triage": ("new", 1)}
    assert await changes(cue, "gallery", "add", "support-triage") == {"support-triage": ("unchanged", 1)}

    edited = await cue("prompts", "publish", "support-triage", "-", "--publish", stdin=b"Bug or idea? {{ text }}")
    again = await changes(cue, "gallery", "add", "support-triage", "--label", "ready-made")

    assert edited.code == 0
    assert again == {"support-triage": ("unchanged", 1)}
    assert await labels(cue, "support-triage") == {"latest": 2, "production": 2, "ready-made": 1}


@pytest.mark.contract("S3-031", "S1-27")
async def test_the_seeds_of_each_type_are_published_once(cue: CommandLine) -> None:
    first = await changes(cue, "seed")
    again = await changes(cue, "seed")

    assert first == dict.fromkeys(SEEDS, ("new", 1))
    assert again == dict.fromkeys(SEEDS, ("unchanged", 1))
    assert {name: prompt["template_type"] for name, prompt in (await listed(cue)).items()} == SEEDS
    assert await labels(cue, "nlu_extraction_gemini_25") == {"latest": 1, "production": 1}


async def test_one_can_be_taken_under_another_name_and_as_a_later_version(cue: CommandLine) -> None:
    await cue("prompts", "publish", "mood", "-", stdin=b"Good or bad? {{ text }}")

    added = await changes(cue, "gallery", "add", "sentiment", "--as", "mood", "--label", "candidate")

    assert added == {"mood": ("changed", 2)}
    assert await labels(cue, "mood") == {"candidate": 2, "latest": 2, "production": 1}


async def test_what_cannot_be_meant_is_refused(cue: CommandLine) -> None:
    absent = await cue("prompts", "gallery", "add", "nobody")
    nothing = await cue("prompts", "gallery", "add")
    both = await cue("prompts", "gallery", "add", "sentiment", "--all")
    one_name_for_two = await cue("prompts", "gallery", "add", "sentiment", "faq", "--as", "mood")
    unusable = await cue("prompts", "gallery", "add", "sentiment", "--as", "Mood")

    assert [ended.code for ended in (absent, nothing, both, one_name_for_two, unusable)] == [3, 2, 2, 2, 4]
    assert "see what it has with: cuewire prompts gallery" in absent.err
    assert await listed(cue) == {}


@pytest.mark.contract("S3-142")
async def test_each_is_sent_with_its_own_examples_and_with_the_least_that_it_needs(tmp_path: Path) -> None:
    files = [*Gallery().prompts(), *Gallery().seeds()]
    settings = load(environment={"CUEWIRE_DATA_FOLDER": str(tmp_path)}, folder=tmp_path)
    echo = Scripted()
    async with cuewire.open(f"sqlite:///{tmp_path}/cue.db", settings=settings, providers={"scripted": echo}) as app:
        added = [change.change async for change in add(app.prompts, files)]
        again = [change.change async for change in add(app.prompts, files)]
        for file in files:
            whole = {name: schema["examples"][0] for name, schema in file.variables.items()}
            variables = (await app.prompts.get(file.prompt)).variables
            least = {name: example for name, example in whole.items() if variables[name].required}
            for inputs in (whole, least):
                with suppress(cuewire.OutputError):  # an echo is seldom what was asked for
                    await app.run(file.prompt, inputs, model="scripted/echo")

    assert (set(added), set(again)) == ({"new"}, {"unchanged"})
    assert len(echo.requests) == 2 * len(files)
