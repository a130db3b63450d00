"""Imports into a real registry: a second one adds nothing, and `production` stays where somebody put it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import cuewire
from cuewire.config import load
from cuewire.files.formats import read, write
from cuewire.model.bundles import Bundle, Loss
from cuewire.model.errors import InvalidInput
from cuewire.ports import App
from cuewire.registry.imports import export_prompts, import_prompts

DATA = Path(__file__).parents[1] / "data" / "imports"


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    async with registry(tmp_path, "here") as opened:
        yield opened


def registry(folder: Path, name: str) -> Any:
    settings = load(environment={"CUEWIRE_DATA_FOLDER": str(folder)}, folder=folder)
    return cuewire.open(f"sqlite:///{folder}/{name}.db", settings=settings)


async def imported(app: App, bundle: Bundle, **options: Any) -> tuple[dict[str, tuple[str, int]], list[Loss]]:
    """Return what came of each prompt, and what was lost."""
    told = [each async for each in import_prompts(app.prompts, bundle, **options)]
    losses = [each for each in told if isinstance(each, Loss)]
    return {each.title: (each.change, each.number) for each in told if not isinstance(each, Loss)}, losses


async def labels(app: App, name: str) -> dict[str, int]:
    return (await app.prompts.find(name)).labels


def langfuse(*texts: str, name: str = "greet", released: int | None = None) -> Bundle:
    items = [
        {"name": name, "version": number, "prompt": text, "labels": ["production"] if number == released else []}
        for number, text in enumerate(texts, 1)
    ]
    return read(msgspec.json.encode(items))


async def fill(app: App) -> None:
    """Publish prompts of all kinds."""
    await app.prompts.publish("house-style", "Be kind.")
    await app.prompts.publish("house-style", "Be brief.", publish=True)
    await app.prompts.publish(
        "triage",
        'Bug or idea? {% include "house-style" %} {{ text }} {{ tone | default("") }}',
        model="openai/gpt-4o-mini",
        output=["bug", "idea"],
        parameters={"temperature": 0},
        variables={"text": {"type": "string", "description": "what they wrote"}, "tone": {"default": None}},
        labels=["beta"],
        note="first",
        description="Sorts",
        tags=["support"],
        category="support",
        template_type="analysis",
    )
    chat: list[Any] = [
        {"role": "system", "content": "Be {{ tone }}."},
        {"type": "messages", "input": "history"},
        {"role": "user", "content": [{"type": "image", "input": "photo"}]},
    ]
    await app.prompts.publish("triage", chat, output="json", lenient=True)
    await app.prompts.publish("triage", "Fehler?", language="de-AT", output={"example": {"due?:date": None}})


@pytest.mark.contract("S3-148")
async def test_a_bundle_carries_a_registry_into_another_and_back(app: App, tmp_path: Path) -> None:
    await fill(app)
    bundle = write(await export_prompts(app.prompts))

    async with registry(tmp_path, "there") as there:
        first = await imported(there, read(bundle.data))
        second = await imported(there, read(bundle.data))
        exported = await export_prompts(there.prompts)
        triage = await there.prompts.get("triage@beta")
        found = await there.prompts.find("triage")

    assert first == ({"house-style": ("new", 2), "triage": ("new", 2), "triage (de-AT)": ("new", 1)}, [])
    assert {change for change, _ in second[0].values()} == {"unchanged"}
    assert [each.file for each in exported] == [each.file for each in await export_prompts(app.prompts)]
    assert [each.labels for each in exported] == [each.labels for each in await export_prompts(app.prompts)]
    assert triage.includes == (await app.prompts.get("triage@beta")).includes
    assert triage.content_hash == (await app.prompts.get("triage@beta")).content_hash
    assert (found.labels["production"], found.tags, found.category) == (1, ("support",), "support")


@pytest.mark.contract("S3-148")
async def test_importing_twice_adds_nothing_and_never_moves_production(app: App) -> None:
    first = await imported(app, langfuse("Hi {{name}}", "Hello {{name}}", "Hi {{name}}", released=2))
    after_first = await labels(app, "greet")
    again = await imported(app, langfuse("Hi {{name}}", "Hello {{name}}", "Hi {{name}}", released=3))
    more = await imported(app, langfuse("Hello {{name}}", "Good day {{name}}", released=2))

    assert first[0] == {"greet": ("new", 3)}
    assert again[0] == {"greet": ("unchanged", 3)}
    assert more[0] == {"greet": ("changed", 4)}
    assert after_first == {"latest": 3, "production": 2}
    assert await labels(app, "greet") == {"latest": 4, "production": 2}


async def test_a_new_prompt_of_which_nothing_is_released_gets_its_newest_version(app: App) -> None:
    await imported(app, langfuse("one", "two"))

    assert await labels(app, "greet") == {"latest": 2, "production": 2}


async def test_what_somebody_made_of_a_prompt_stays(app: App) -> None:
    await imported(app, langfuse("Hi {{name}}"))
    await app.prompts.publish("greet", "Ho {{ name }}", publish=True, variables={"name": {"type": "string"}})
    await app.prompts.edit("greet", description="ours")

    again = await imported(app, langfuse("Hi {{name}}", released=1))

    assert again[0] == {"greet": ("unchanged", 1)}
    assert await labels(app, "greet") == {"latest": 2, "production": 2}
    assert (await app.prompts.find("greet")).description == "ours"


async def test_a_label_that_is_asked_for_moves_and_production_is_not_one_of_them(app: App) -> None:
    await imported(app, langfuse("Hi"))
    await imported(app, langfuse("Hi", "Ho"), labels=["candidate"])
    await imported(app, langfuse("Hi"), labels=["candidate"])

    assert await labels(app, "greet") == {"candidate": 1, "latest": 2, "production": 1}
    for label in ("production", "latest"):
        with pytest.raises(InvalidInput, match="an import moves no label"):
            await imported(app, langfuse("Hi"), labels=[label])


async def test_what_is_included_comes_first_and_another_text_of_that_name_is_told(app: App, tmp_path: Path) -> None:
    await fill(app)
    versions = [each for each in await export_prompts(app.prompts) if each.file.language == "en"]

    async with registry(tmp_path, "there") as there:
        reversed_order = Bundle(versions=tuple(versions[2:] + versions[:2]))
        fresh = await imported(there, reversed_order)
    async with registry(tmp_path, "third") as third:
        await third.prompts.publish("house-style", "Shout.")
        other = await imported(third, Bundle(versions=tuple(versions)))

    assert list(fresh[0]) == ["house-style", "triage"]
    assert fresh[1] == []
    assert [(loss.place, loss.what) for loss in other[1]] == [("triage", "house-style@2, included as house-style")]


async def test_with_one_version_that_cannot_be_none_is_published(app: App) -> None:
    for broken in (
        b'{"name": "b", "prompt": "x", "config": {"response_format": {"type": "json_schema", "schema": {"type": 1}}}}',
        b'{"name": "b", "prompt": "@@@langfusePrompt:name=gone|label=production@@@"}',
    ):
        with pytest.raises(InvalidInput, match="b: "):
            await imported(app, read(b'[{"name": "a", "prompt": "x"}, ' + broken + b"]"))

    assert (await app.prompts.list()).items == ()


async def test_dry_it_tells_and_stores_nothing(app: App) -> None:
    await imported(app, langfuse("Hi"))
    bundle = Bundle(versions=langfuse("Hi", "Ho").versions + langfuse("x", name="other").versions)

    foreseen = await imported(app, bundle, dry=True)

    assert foreseen[0] == {"greet": ("changed", 1), "other": ("new", 0)}
    assert await labels(app, "greet") == {"latest": 1, "production": 1}
    assert [prompt.name for prompt in (await app.prompts.list()).items] == ["greet"]


async def test_each_format_runs_as_it_came(app: App) -> None:
    partial = langfuse("{{name}}, {{team}}", name="signature")
    documents = [("invoice.prompty", None), ("letters.prompty", None), ("langfuse.json", None)]
    await imported(app, partial)
    for name, format in documents:
        changes, losses = await imported(app, read((DATA / name).read_bytes(), format=format))
        again, _ = await imported(app, read((DATA / name).read_bytes(), format=format))
        assert {change for change, _ in changes.values()} == {"new"}
        assert {change for change, _ in again.values()} == {"unchanged"}
        assert losses or name == "letters.prompty"

    variables = (await app.prompts.get("invoice-reader")).variables
    assert {name for name, variable in variables.items() if not variable.required} == {"currency"}
    assert variables["earlier"].kind == "messages"


async def test_the_built_in_prompts_are_nobodys_to_import(app: App) -> None:
    changes, losses = await imported(app, langfuse("x", name="adhoc"))

    assert changes == {}
    assert [loss.place for loss in losses] == ["adhoc"]
