"""Prompts, versions and labels, on every database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, update

from cuewire.model.errors import (
    InvalidInput,
    LabelNotFound,
    PromptArchived,
    PromptNotFound,
    StoreError,
    VersionNotFound,
)
from cuewire.model.includes import IncludedText, Includes
from cuewire.model.outputs import ChoiceOutput, JsonOutput
from cuewire.model.pages import Page
from cuewire.model.prompts import Image, Message, Placeholder, Prompt, PromptFilter, Variable, VersionDraft
from cuewire.model.references import Reference
from cuewire.stores.schema import versions
from tests.support.stores import KINDS, Stores, draft, opened


@pytest.fixture(params=KINDS)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with opened(request.param, tmp_path) as stores:
        yield stores


async def page(stores: Stores, limit: int = 100, after: str | None = None, archived: bool = False) -> Page[Prompt]:
    wanted = PromptFilter(status="archived" if archived else None)
    return await stores.prompts.list(wanted, limit=limit, after=after)


@pytest.mark.contract("S1-18")
async def test_a_version_comes_back_as_it_was_published(stores: Stores) -> None:
    whole = VersionDraft(
        prompt="a/b.c-d",
        messages=(
            Message("system", "Be {{ tone }} – äöü 日本 😀"),
            Placeholder("history"),
            Message("user", ("See:", Image("picture"))),
        ),
        variables={
            "tone": Variable(json_schema={"type": "string"}, required=False, default="kind"),
            "history": Variable(kind="messages"),
            "picture": Variable(kind="image"),
        },
        model="openai/gpt-4o-mini",
        parameters={"temperature": 0.5, "max_tokens": 2**40},
        includes=Includes(pins={"style": "style@7"}, texts={"style@7": IncludedText(text="Be brief.")}),
        lenient=True,
        parent=3,
        output=JsonOutput(json_schema={"type": "object", "properties": {"x": {"enum": [1, None]}}}),
        content_hash="c" * 64,
        note="why",
    )

    made = await stores.prompts.publish(whole)
    found = await stores.prompts.resolve(Reference(name="a/b.c-d"))

    assert found == made
    assert {name: getattr(found, name) for name in whole.__struct_fields__} == {
        name: getattr(whole, name) for name in whole.__struct_fields__
    }
    assert (found.number, found.labels, found.created_at) == (1, ("latest", "production"), stores.clock.wall)


async def test_the_first_version_gets_production_and_later_ones_only_latest(stores: Stores) -> None:
    await stores.prompts.publish(draft(text="one"))
    second = await stores.prompts.publish(draft(text="two"))

    prompt = await stores.prompts.get("greet")

    assert (second.number, second.labels) == (2, ("latest",))
    assert (prompt.labels, prompt.versions) == ({"latest": 2, "production": 1}, 2)


async def test_labels_given_to_publish_move_to_the_new_version(stores: Stores) -> None:
    await stores.prompts.publish(draft(text="one"), labels=["candidate"])
    second = await stores.prompts.publish(draft(text="two"), labels=["candidate", "production"])

    assert second.labels == ("candidate", "latest", "production")
    assert (await stores.prompts.resolve(Reference(name="greet", number=1))).labels == ()


async def test_equal_content_adds_no_version_but_moves_labels(stores: Stores) -> None:
    first = await stores.prompts.publish(draft())
    stores.clock.advance(minutes=1)
    again = await stores.prompts.publish(draft(), labels=["candidate"])

    assert (again.id, again.number) == (first.id, 1)
    assert again.labels == ("candidate", "latest", "production")
    assert (await stores.prompts.get("greet")).updated_at == stores.clock.wall


async def test_publishing_the_same_again_changes_nothing(stores: Stores) -> None:
    await stores.prompts.publish(draft())
    before = await stores.prompts.get("greet")
    stores.clock.advance(minutes=1)

    await stores.prompts.publish(draft())

    assert await stores.prompts.get("greet") == before


async def test_old_content_published_after_other_content_is_a_new_version(stores: Stores) -> None:
    for text in ("one", "two", "one"):
        await stores.prompts.publish(draft(text=text))

    assert [version.number for version in await stores.prompts.versions("greet")] == [3, 2, 1]


async def test_a_label_moves_to_a_version_and_back(stores: Stores) -> None:
    for text in ("one", "two"):
        await stores.prompts.publish(draft(text=text))

    forth = await stores.prompts.label("greet", "production", 2)
    seen = await stores.prompts.resolve(Reference(name="greet"))
    back = await stores.prompts.label("greet", "production", 1)

    assert (forth.number, seen.number, back.number) == (2, 2, 1)
    assert forth.labels == ("latest", "production")


async def test_what_does_not_exist_is_named_precisely(stores: Stores) -> None:
    await stores.prompts.publish(draft())

    with pytest.raises(PromptNotFound, match="there is no prompt 'absent'"):
        await stores.prompts.resolve(Reference(name="absent"))
    with pytest.raises(LabelNotFound, match="'greet' has no version labelled 'canary'; label one with: cuewire "):
        await stores.prompts.resolve(Reference(name="greet", label="canary"))
    for number in (2, 2**62):
        with pytest.raises(VersionNotFound, match=f"'greet' has no version {number}"):
            await stores.prompts.resolve(Reference(name="greet", number=number))
    with pytest.raises(VersionNotFound):
        await stores.prompts.label("greet", "production", 2)
    for question in (stores.prompts.get, stores.prompts.versions, stores.prompts.change):
        with pytest.raises(PromptNotFound):
            await question("absent")
    with pytest.raises(PromptNotFound):
        await stores.prompts.label("absent", "production", 1)


async def test_an_archived_prompt_keeps_its_history_and_takes_no_more(stores: Stores) -> None:
    await stores.prompts.publish(draft())
    stores.clock.advance(minutes=1)

    archived = await stores.prompts.change("greet", status="archived")
    again = await stores.prompts.change("greet", status="archived")

    assert archived.archived
    assert archived.updated_at == stores.clock.wall
    assert again == archived
    assert await stores.prompts.get("greet") == archived
    assert len(await stores.prompts.versions("greet")) == 1
    with pytest.raises(PromptNotFound, match="is archived"):
        await stores.prompts.resolve(Reference(name="greet"))
    with pytest.raises(PromptArchived):
        await stores.prompts.publish(draft(text="two"))
    with pytest.raises(PromptArchived):
        await stores.prompts.label("greet", "production", 1)


async def test_prompts_are_listed_by_name_in_pages_and_by_shelf(stores: Stores) -> None:
    for name in ("b", "a", "d", "c", "e"):
        await stores.prompts.publish(draft(name))
    await stores.prompts.change("c", status="archived")

    first = await page(stores, limit=2)
    second = await page(stores, limit=2, after=first.next)
    shelf = await page(stores, archived=True)

    assert [prompt.name for prompt in first.items + second.items] == ["a", "b", "d", "e"]
    assert second.next is None
    assert [prompt.name for prompt in shelf.items] == ["c"]
    assert first.items[0].labels == {"latest": 1, "production": 1}


async def test_names_are_ordered_by_code_point(stores: Stores) -> None:
    names = ["a-b", "a.b", "a/b", "a1", "a_b", "ab"]
    for name in reversed(names):
        await stores.prompts.publish(draft(name))

    assert [prompt.name for prompt in (await page(stores)).items] == names


async def test_a_cursor_of_the_other_shelf_and_a_wrong_limit_are_refused(stores: Stores) -> None:
    for name in ("a", "b"):
        await stores.prompts.publish(draft(name))
    cursor = (await page(stores, limit=1)).next

    with pytest.raises(InvalidInput, match="not made for this list"):
        await page(stores, after=cursor, archived=True)
    for limit in (0, -1, 1_001, 10**12):
        with pytest.raises(InvalidInput, match="limit must be 1 to 1,000"):
            await page(stores, limit=limit)


async def test_versions_can_neither_be_changed_nor_deleted(stores: Stores) -> None:
    await stores.prompts.publish(draft())

    def change(connection: Connection) -> None:
        connection.execute(update(versions).values(note="other"))

    def remove(connection: Connection) -> None:
        connection.execute(delete(versions))

    for attack in (change, remove):
        with pytest.raises(StoreError, match="versions are immutable"):
            await stores.database.write(attack)
    assert (await stores.prompts.resolve(Reference(name="greet"))).note == ""


async def test_concurrent_publishing_gives_numbers_without_gaps(stores: Stores) -> None:
    drafts = [draft(text=f"text {number}") for number in range(20)]

    made = await asyncio.gather(*(stores.prompts.publish(one) for one in drafts))

    assert sorted(version.number for version in made) == list(range(1, 21))


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b"])
async def test_text_that_cannot_be_stored_is_refused_with_its_place(stores: Stores, text: str) -> None:
    with pytest.raises(InvalidInput) as in_message:
        await stores.prompts.publish(draft(text=text))
    with pytest.raises(InvalidInput) as in_choice:
        await stores.prompts.publish(draft(output=ChoiceOutput(choices=("a", text))))

    assert in_message.value.field == "/messages/0/content"
    assert in_choice.value.field == "/output/choices/1"
    assert (await page(stores)).items == ()


@pytest.mark.parametrize("text", ["\x85\x9f", "\u202eabc\u2066", "a" + "\u0301" * 32_768, "\ufeffx", "e\u0301", "😀"])
async def test_odd_but_legal_text_comes_back_unchanged(stores: Stores, text: str) -> None:
    await stores.prompts.publish(draft(text=text))

    assert (await stores.prompts.resolve(Reference(name="greet"))).text == text


async def test_a_number_beyond_64_bits_is_refused(stores: Stores) -> None:
    await stores.prompts.publish(draft())

    with pytest.raises(InvalidInput, match="64 bits"):
        await stores.prompts.resolve(Reference(name="greet", number=2**63))
    with pytest.raises(InvalidInput, match="64 bits"):
        await stores.prompts.label("greet", "production", 2**70)
