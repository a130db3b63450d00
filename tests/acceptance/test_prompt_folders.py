"""A folder of prompts carries a registry into another, whatever includes what, and past what does not run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import cuewire
from cuewire.config import load
from cuewire.model.errors import InvalidInput, LabelNotFound
from cuewire.registry.files import pull, push
from cuewire.wiring import prompt_folder

NAMES = ["letter", "tone", "words", "layout"]
"""None of them comes after all that it includes, where they go by name."""


@pytest.fixture
async def origin(tmp_path: Path) -> AsyncIterator[cuewire.App]:
    """Open a registry here, with prompts that take each other in."""
    settings = load(environment={"CUEWIRE_DATA_FOLDER": str(tmp_path)}, folder=tmp_path)
    async with cuewire.open(f"sqlite:///{tmp_path}/origin.db", settings=settings) as opened:
        await opened.prompts.publish("words", "Say {{ greeting }}.", variables={"greeting": {"type": "string"}})
        await opened.prompts.publish("tone", 'Be kind. {{ prompt(name="words") }}')
        await opened.prompts.publish("layout", "{% block body %}{% endblock %} {{ place }}")
        letter = '{% extends "layout" %}{% block body %}{% include "tone" %} {{ text }}{% endblock %}'
        await opened.prompts.publish("letter", letter, variables={"text": {"type": "string", "default": "Hi"}})
        yield opened


class Counting:
    """Passes everything on, and counts how often variables are asked for."""

    def __init__(self, prompts: Any) -> None:
        self._prompts = prompts
        self.asked = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._prompts, name)

    async def variables(self, content: Any) -> Any:
        self.asked += 1
        return await self._prompts.variables(content)


async def changes(steps: AsyncIterator[Any]) -> dict[str, tuple[str, int]]:
    return {each.title: (each.change, each.number) async for each in steps}


async def test_files_that_take_each_other_in_go_into_a_fresh_registry(
    origin: cuewire.App, app: cuewire.App, tmp_path: Path
) -> None:
    folder = prompt_folder(tmp_path / "prompts")
    await changes(pull(origin.prompts, folder))

    foreseen = await changes(push(app.prompts, folder, dry=True))
    first = await changes(push(app.prompts, folder))
    second = await changes(push(app.prompts, folder))
    back = await changes(pull(app.prompts, folder, names=NAMES))

    assert foreseen == dict.fromkeys(NAMES, ("new", 0))
    assert first == dict.fromkeys(NAMES, ("new", 1))
    assert second == back == dict.fromkeys(NAMES, ("unchanged", 1))
    for name in NAMES:
        here, there = await app.prompts.get(name), await origin.prompts.get(name)
        assert (here.content_hash, here.includes) == (there.content_hash, there.includes)


async def test_what_an_included_file_changes_is_known_to_those_that_take_it_in(
    origin: cuewire.App, app: cuewire.App, tmp_path: Path
) -> None:
    folder = prompt_folder(tmp_path / "prompts")
    await changes(pull(origin.prompts, folder))
    await changes(push(app.prompts, folder))
    words = tmp_path / "prompts" / "words.prompt"
    words.write_text(words.read_text().replace("Say", "Cry"))

    pushed = await changes(push(app.prompts, folder, release=True))
    again = await changes(push(app.prompts, folder, release=True))

    assert pushed["words"] == ("changed", 2)
    assert (await app.prompts.get("tone")).includes.pins == {"words": "words@2"}
    assert {change for change, _ in again.values()} == {"unchanged"}


async def test_files_in_a_circle_and_what_is_nowhere_are_refused_before_any_is_published(
    app: cuewire.App, tmp_path: Path
) -> None:
    texts = {"a": "fine", "b": '{% include "c" %}', "c": '{% include "b" %}', "d": '{% include "nowhere" %}'}
    (tmp_path / "prompts").mkdir()
    for name, text in texts.items():
        (tmp_path / "prompts" / f"{name}.prompt").write_text(f"---\n---\n{text}\n")

    with pytest.raises(InvalidInput) as refused:
        await changes(push(app.prompts, prompt_folder(tmp_path / "prompts")))

    assert {name for name, _ in refused.value.problems} == {"c", "d"}
    assert [prompt.name for prompt in (await app.prompts.list()).items] == ["triage"]


async def test_a_prompt_that_does_not_run_is_pulled_and_pushed_as_all_others(app: cuewire.App, tmp_path: Path) -> None:
    folder = prompt_folder(tmp_path / "prompts")
    await app.prompts.publish("asleep", "Good {{ night }}")
    await app.prompts.publish("asleep", "Good {{ day }}")
    await app.prompts.edit("asleep", status="inactive")

    pulled = await changes(pull(app.prompts, folder))
    stored = (tmp_path / "prompts" / "asleep.prompt").read_text()
    newer = await changes(pull(app.prompts, folder, names=["asleep"], label="latest"))
    pushed = await changes(push(app.prompts, folder))

    assert pulled == {"asleep": ("changed", 1), "triage": ("changed", 1)}
    assert "Good {{ night }}" in stored
    assert newer == {"asleep": ("changed", 2)}
    assert pushed == {"asleep": ("unchanged", 2), "triage": ("unchanged", 1)}
    with pytest.raises(LabelNotFound, match="'asleep' has no version labelled 'beta'"):
        await changes(pull(app.prompts, folder, names=["asleep"], label="beta"))


async def test_a_prompt_is_pulled_though_what_it_takes_in_has_gone(origin: cuewire.App, tmp_path: Path) -> None:
    await origin.prompts.archive("words")

    pulled = await changes(pull(origin.prompts, prompt_folder(tmp_path / "prompts")))

    assert pulled == dict.fromkeys(["layout", "letter", "tone"], ("changed", 1))
    assert "greeting: {}" in (tmp_path / "prompts" / "tone.prompt").read_text()


async def test_the_registry_is_asked_once_what_a_file_reads(origin: cuewire.App, tmp_path: Path) -> None:
    folder = prompt_folder(tmp_path / "prompts")
    await changes(pull(origin.prompts, folder))
    counting = Counting(origin.prompts)

    pushed = await changes(push(counting, folder, dry=True))

    assert len(pushed) == counting.asked == len(NAMES)


async def test_a_policy_goes_with_its_prompt_and_judges_are_published_first(
    origin: cuewire.App, app: cuewire.App, tmp_path: Path
) -> None:
    await origin.prompts.publish("zz/judge", "{{ candidates }}", lenient=True)
    policy = {"selection": {"method": "judge", "prompt": "zz/judge"}, "parallel": {"mode": "static_count", "count": 2}}
    await origin.prompts.publish("answer", "{{ text }}", policy=policy)
    folder = prompt_folder(tmp_path / "prompts")
    await changes(pull(origin.prompts, folder, names=["answer", "zz/judge"]))

    first = await changes(push(app.prompts, folder))
    second = await changes(push(app.prompts, folder))
    file = tmp_path / "prompts" / "answer.prompt"
    file.write_text(file.read_text().replace("count: 2", "count: 3"))
    third = await changes(push(app.prompts, folder))

    assert first == {"zz/judge": ("new", 1), "answer": ("new", 1)}
    assert second == {"zz/judge": ("unchanged", 1), "answer": ("unchanged", 1)}
    assert third == {"zz/judge": ("unchanged", 1), "answer": ("changed", 2)}
    here, there = await app.prompts.get("answer"), await origin.prompts.get("answer")
    assert (here.policy, here.content_hash) == (there.policy, there.content_hash)


async def test_a_judge_that_is_nowhere_is_told_before_anything_is_published(app: cuewire.App, tmp_path: Path) -> None:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "a.prompt").write_text("---\n---\nfine\n")
    judged = "---\npolicy: {selection: {method: judge, prompt: nobody}}\n---\n{{ text }}\n"
    (tmp_path / "prompts" / "b.prompt").write_text(judged)

    with pytest.raises(InvalidInput, match="b: there is no prompt 'nobody'"):
        await changes(push(app.prompts, prompt_folder(tmp_path / "prompts")))

    assert [prompt.name for prompt in (await app.prompts.list()).items] == ["triage"]


async def test_outputs_come_back_from_a_folder_as_their_authors_wrote_them(app: cuewire.App, tmp_path: Path) -> None:
    outputs: dict[str, Any] = {
        "due": "date",
        "bug": {"example": {"title": "It crashes", "due?:date": None, "tags:[1+]": ["a: b"], "more*": {"no": 1.0}}},
    }
    folder = prompt_folder(tmp_path / "prompts")
    for name, output in outputs.items():
        await app.prompts.publish(name, "Which?", output=output)

    await changes(pull(app.prompts, folder, names=[*outputs]))
    pushed = await changes(push(app.prompts, folder))

    assert {file.prompt: file.output for file in folder.read()} == outputs
    assert pushed == {"due": ("unchanged", 1), "bug": ("unchanged", 1)}
    written = (tmp_path / "prompts" / "bug.prompt").read_text()
    assert "  example:\n    title: It crashes\n    due?:date: null\n" in written
