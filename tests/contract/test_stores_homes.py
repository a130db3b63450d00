"""Prompts of one name in several strategies and languages, and what is said of them, on every database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cuewire.model.errors import (
    InvalidInput,
    LabelMoved,
    LabelNotFound,
    Outdated,
    PromptArchived,
    PromptExists,
    PromptNotFound,
    ScopeNotFound,
    VersionNotFound,
)
from cuewire.model.prompts import Home, PromptFilter, PromptVersion
from cuewire.model.references import Reference
from tests.support.stores import KINDS, Stores, draft, opened


@pytest.fixture(params=KINDS)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with opened(request.param, tmp_path) as stores:
        for name in ("momentum", "value"):
            await stores.scopes.put("strategy", name, {}, is_new=True, by="ada")
        yield stores


async def found(stores: Stores, name: str, **home: Any) -> tuple[str | None, str]:
    version = await stores.prompts.resolve(Reference(name=name, **home))
    return version.strategy, version.language


async def listed(stores: Stores, limit: int = 100, **wanted: object) -> list[str]:
    page = await stores.prompts.list(PromptFilter(**wanted), limit=limit)  # type: ignore[arg-type]
    return [prompt.name for prompt in page.items]


@pytest.mark.contract("S3-035")
async def test_a_strategys_own_prompt_comes_before_the_global_one(stores: Stores) -> None:
    for home in ({}, {"strategy": "momentum"}):
        await stores.prompts.publish(draft("signal", text=str(home)), **home)  # type: ignore[arg-type]

    assert await found(stores, "signal") == (None, "en")
    assert await found(stores, "signal", strategy="momentum") == ("momentum", "en")
    assert await found(stores, "signal", strategy="value") == (None, "en")
    by_id = str((await stores.scopes.get("strategy", "momentum")).id)
    assert await found(stores, "signal", strategy=by_id) == ("momentum", "en")
    with pytest.raises(ScopeNotFound, match="there is no strategy 'absent'"):
        await found(stores, "signal", strategy="absent")


async def test_a_language_falls_back_to_a_nearer_one_then_to_english_then_to_any(stores: Stores) -> None:
    for language in ("fr", "de", "en"):
        await stores.prompts.publish(draft("greet", text=language), language=language)
    await stores.prompts.publish(draft("only", text="fr"), language="fr")
    await stores.prompts.publish(draft("only", text="de"), language="de")

    assert (await found(stores, "greet", language="de-AT"))[1] == "de"
    assert (await found(stores, "greet", language="it"))[1] == "en"
    assert (await found(stores, "greet"))[1] == "en"
    assert (await found(stores, "only"))[1] == "fr"
    assert (await found(stores, "only", language="de"))[1] == "de"


async def test_the_language_asked_for_wins_over_the_scope(stores: Stores) -> None:
    await stores.prompts.publish(draft("greet", text="hello"), strategy="momentum")
    await stores.prompts.publish(draft("greet", text="hallo"), language="de")

    assert await found(stores, "greet", strategy="momentum", language="de") == (None, "de")
    assert await found(stores, "greet", strategy="momentum", language="fr") == ("momentum", "en")


async def test_a_prompt_without_the_label_gives_way_to_the_next_but_numbers_are_its_own(stores: Stores) -> None:
    for text in ("one", "two"):
        await stores.prompts.publish(draft("signal", text=text))
    await stores.prompts.publish(draft("signal", text="new"), first=(), strategy="momentum")

    assert await found(stores, "signal", strategy="momentum") == (None, "en")
    assert await found(stores, "signal", strategy="momentum", label="latest") == ("momentum", "en")
    with pytest.raises(LabelNotFound):
        await found(stores, "signal", strategy="momentum", label="canary")
    with pytest.raises(VersionNotFound):
        await stores.prompts.resolve(Reference(name="signal", number=2, strategy="momentum"))


@pytest.mark.contract("S3-036")
async def test_an_inactive_prompt_does_not_run_until_it_is_activated(stores: Stores) -> None:
    await stores.prompts.publish(draft("signal", text="global"))
    await stores.prompts.publish(draft("signal", text="own"), strategy="momentum")
    await stores.prompts.change("signal", status="inactive", strategy="momentum")

    assert await found(stores, "signal", strategy="momentum") == (None, "en")
    await stores.prompts.change("signal", status="inactive")
    with pytest.raises(PromptNotFound, match="'signal' is inactive; activate it"):
        await found(stores, "signal", strategy="momentum")
    await stores.prompts.change("signal", status="active", strategy="momentum")
    assert await found(stores, "signal", strategy="momentum") == ("momentum", "en")


async def test_prompts_are_named_by_their_ids_too(stores: Stores) -> None:
    made = await stores.prompts.publish(draft("signal"), strategy="momentum", language="de")
    prompt_id = str(made.prompt_id)

    prompt = await stores.prompts.get(prompt_id)
    again = await stores.prompts.publish(draft(prompt_id, text="two"))
    moved = await stores.prompts.label(prompt_id, "production", 2)

    assert (prompt.name, prompt.strategy, prompt.language) == ("signal", "momentum", "de")
    assert (again.prompt_id, again.number, moved.number) == (made.prompt_id, 2, 2)
    assert (await stores.prompts.resolve(Reference(name=prompt_id))).number == 2
    for absent in ("0", str(2**63 - 1), "9" * 18):
        with pytest.raises(PromptNotFound):
            await stores.prompts.get(absent)


async def test_a_new_prompt_must_be_new_in_its_home(stores: Stores) -> None:
    homes: list[Home] = [{}, {"language": "de"}, {"strategy": "momentum"}, {"strategy": "value", "language": "de"}]
    for home in homes:
        await stores.prompts.publish(draft("signal"), is_new=True, **home)

    for home in homes:
        with pytest.raises(PromptExists, match="there is a prompt 'signal' already"):
            await stores.prompts.publish(draft("signal", text="other"), is_new=True, **home)
    assert (await stores.prompts.get("signal")).versions == 1


async def test_of_many_who_create_the_same_prompt_one_does(stores: Stores) -> None:
    made = await asyncio.gather(
        *(stores.prompts.publish(draft("new", text=str(number)), is_new=True) for number in range(8)),
        return_exceptions=True,
    )

    assert sorted(type(one).__name__ for one in made) == ["PromptExists"] * 7 + ["PromptVersion"]


async def test_a_name_is_free_again_once_its_prompt_is_archived(stores: Stores) -> None:
    old = await stores.prompts.publish(draft("signal"))
    await stores.prompts.change("signal", status="archived")

    with pytest.raises(PromptArchived, match="prompts restore signal"):
        await stores.prompts.publish(draft("signal", text="two"))
    new = await stores.prompts.publish(draft("signal", text="two"), is_new=True)
    with pytest.raises(PromptExists, match="another prompt 'signal' by now"):
        await stores.prompts.change(str(old.prompt_id), status="active")
    await stores.prompts.change(str(new.prompt_id), status="archived")
    await stores.prompts.change(str(old.prompt_id), status="active")

    assert (await stores.prompts.get("signal")).id == old.prompt_id
    assert (await stores.prompts.resolve(Reference(name="signal"))).id == old.id


@pytest.mark.contract("S3-002", "S3-003")
async def test_what_is_said_of_a_prompt_is_kept_and_changed_by_parts(stores: Stores) -> None:
    await stores.prompts.publish(
        draft("signal"), details={"description": "Reads a chart", "template_type": "analysis", "tags": ["b", "a"]}
    )
    stores.clock.advance(minutes=1)
    changed = await stores.prompts.change("signal", details={"category": "trading", "tags": ["c"]})
    same = await stores.prompts.change("signal", details={"category": "trading", "tags": ["c"]})

    assert (changed.description, changed.template_type) == ("Reads a chart", "analysis")
    assert (changed.category, changed.tags, changed.status) == ("trading", ("c",), "active")
    assert (changed.revision, changed.updated_at) == (2, stores.clock.wall)
    assert same == changed


async def test_who_read_an_older_state_is_told_so_and_changes_nothing(stores: Stores) -> None:
    await stores.prompts.publish(draft("signal"))
    await stores.prompts.change("signal", details={"description": "first"}, revision=1)

    with pytest.raises(Outdated, match="it is at revision 2, not 1"):
        await stores.prompts.change("signal", details={"description": "second"}, revision=1)
    with pytest.raises(Outdated):
        await stores.prompts.publish(draft("signal", text="two"), revision=1)
    prompt = await stores.prompts.get("signal")
    assert (prompt.description, prompt.versions) == ("first", 1)


async def test_of_two_who_move_a_label_from_the_same_place_one_does(stores: Stores) -> None:
    for text in ("one", "two", "three"):
        await stores.prompts.publish(draft("signal", text=text))

    moved = await asyncio.gather(
        *(stores.prompts.label("signal", "production", number, expected=1) for number in (2, 3)),
        return_exceptions=True,
    )

    assert [type(one) for one in moved if isinstance(one, Exception)] == [LabelMoved]
    (won,) = (one for one in moved if isinstance(one, PromptVersion))
    assert (await stores.prompts.get("signal")).labels["production"] == won.number
    assert (await stores.prompts.label("signal", "canary", 1, expected=0)).number == 1


async def test_lists_are_filtered_by_all_that_is_said(stores: Stores) -> None:
    await stores.prompts.publish(draft("a"), details={"template_type": "analysis", "tags": ["x", "y"]})
    await stores.prompts.publish(draft("b"), details={"category": "50% off", "tags": ["x"]}, language="de")
    await stores.prompts.publish(draft("c"), details={"description": "Looks AT charts"}, strategy="momentum")
    await stores.prompts.publish(draft("d_1"))
    await stores.prompts.change("d_1", status="inactive")

    assert await listed(stores) == ["a", "b", "c", "d_1"]
    assert await listed(stores, template_type="analysis") == ["a"]
    assert await listed(stores, language="de") == ["b"]
    assert await listed(stores, tag="x") == ["a", "b"]
    assert await listed(stores, status="inactive") == ["d_1"]
    assert await listed(stores, strategy="momentum") == ["c"]
    assert await listed(stores, strategy="momentum", with_global=True) == ["a", "b", "c", "d_1"]
    assert await listed(stores, is_global=False) == ["c"]
    assert await listed(stores, text="at chart") == ["c"]
    assert await listed(stores, text="50%") == ["b"]
    assert await listed(stores, text="_") == ["d_1"]
    assert await listed(stores, names=("a", "d*")) == ["a", "d_1"]
    assert await listed(stores, text="a", tag="x", status="active", language="en") == ["a"]
    assert await listed(stores, tag="' OR 1=1 --") == []


@pytest.mark.parametrize("sort", ["name", "created_at", "updated_at", "template_type", "language", "id"])
@pytest.mark.parametrize("descending", [False, True])
async def test_every_order_is_the_same_in_pages_and_after_cursors(stores: Stores, sort: str, descending: bool) -> None:
    for number, name in enumerate(["c", "a", "e", "b", "d"]):
        stores.clock.advance(minutes=number % 2)
        await stores.prompts.publish(
            draft(name), details={"template_type": "ab"[number % 2]}, language=("en", "de", "fr")[number % 3]
        )
    wanted = PromptFilter(sort=sort, descending=descending)  # type: ignore[arg-type]

    whole = await stores.prompts.list(wanted, limit=100)
    pages = [await stores.prompts.list(wanted, limit=2, page=number) for number in (1, 2, 3, 4)]
    after = [await stores.prompts.list(wanted, limit=2)]
    while after[-1].next:
        after.append(await stores.prompts.list(wanted, limit=2, after=after[-1].next))

    keys = [(getattr(prompt, sort), prompt.id) for prompt in whole.items]
    assert keys == sorted(keys, reverse=descending)
    assert [prompt for page in pages for prompt in page.items] == [*whole.items]
    assert [prompt for page in after for prompt in page.items] == [*whole.items]
    assert {page.total for page in (whole, *pages, *after)} == {5}
    assert await stores.prompts.first(wanted, limit=2) == whole.items[:2]


@pytest.mark.parametrize(("text", "found"), [("Ärger", 1), ("MIT", 1), ("100%", 1), ("1_0%", 0)])
async def test_a_search_finds_text_as_it_was_written_and_plain_letters_in_either_case(
    stores: Stores, text: str, found: int
) -> None:
    await stores.prompts.publish(draft("signal"), details={"description": "Ärger mit 100% Öl"})

    page = await stores.prompts.list(PromptFilter(text=text), limit=10)

    assert (len(page.items), page.total) == (found, found)


async def test_a_cursor_continues_its_own_list_only(stores: Stores) -> None:
    for name in ("a", "b", "c"):
        await stores.prompts.publish(draft(name))
    wanted = PromptFilter(sort="updated_at")
    cursor = (await stores.prompts.list(wanted, limit=1)).next

    for other in (replace(wanted, descending=True), replace(wanted, sort="name"), replace(wanted, text="a")):
        with pytest.raises(InvalidInput, match="not made for this list"):
            await stores.prompts.list(other, limit=1, after=cursor)


async def test_each_change_leaves_an_event_with_who_made_it(stores: Stores) -> None:
    version = await stores.prompts.publish(draft("signal"), by="ada")
    await stores.prompts.publish(draft("signal", text="two"), by="ben", details={"category": "x"})
    await stores.prompts.label("signal", "production", 2, by="ada")
    await stores.prompts.label("signal", "production", 2, by="ada")
    await stores.prompts.change("signal", status="archived", by="cleo")

    events = await stores.events.list(limit=100, prompt_id=version.prompt_id)

    assert [(event.actor, event.action) for event in events] == [
        ("ada", "prompt.created"),
        ("ada", "version.published"),
        ("ada", "label.moved"),
        ("ben", "prompt.changed"),
        ("ben", "version.published"),
        ("ada", "label.moved"),
        ("cleo", "prompt.archived"),
    ]
    assert events[5].data == {"label": "production", "from": 1, "to": 2}
    assert [event.id for event in events] == sorted(event.id for event in events)
    assert await stores.events.list(limit=2, after=events[4].id, prompt_id=version.prompt_id) == events[5:]
    assert await stores.events.last() == events[-1].id


async def test_what_is_told_beside_the_tables_is_an_event_of_no_prompt(stores: Stores) -> None:
    before = await stores.events.last()

    await stores.events.add("breaker.turned", {"model": "a/b", "to": "open"}, by="ada")

    (event,) = await stores.events.list(limit=10, after=before)
    assert (event.actor, event.action, event.prompt_id) == ("ada", "breaker.turned", None)
    assert (event.data, event.at) == ({"model": "a/b", "to": "open"}, stores.clock.now())


async def test_what_fails_leaves_no_event(stores: Stores) -> None:
    await stores.prompts.publish(draft("signal"))
    before = await stores.events.last()

    for attempt in (
        stores.prompts.label("signal", "production", 9),
        stores.prompts.change("signal", details={"category": "x"}, revision=9),
        stores.prompts.publish(draft("signal", text="two"), is_new=True),
    ):
        with pytest.raises((VersionNotFound, Outdated, PromptExists)):
            await attempt

    assert await stores.events.last() == before


async def test_the_id_of_a_strategy_that_was_removed_is_no_other_ones(stores: Stores) -> None:
    removed = await stores.scopes.get("strategy", "value")
    await stores.scopes.remove("strategy", "value", by="ada")

    anew = await stores.scopes.put("strategy", "value", {}, is_new=True, by="ada")

    assert anew.id > removed.id
