"""The list of prompts is followed from a program: in this process on a file or on PostgreSQL, and on a server."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Callable, Sequence

import pytest

import cuewire
from cuewire.model.errors import InvalidInput, ScopeNotFound
from cuewire.model.live import LiveChange, Snapshot, Update
from cuewire.model.prompts import Prompt, PromptFilter
from tests.acceptance.conftest import SettingsMaker

SOON_S = 10.0
SEEN_S = 1.0
SLACK = 3


async def said(changes: AsyncIterator[LiveChange[Prompt]]) -> LiveChange[Prompt]:
    async with asyncio.timeout(SOON_S):
        return await anext(changes)


async def until(
    changes: AsyncIterator[LiveChange[Prompt]], prompts: Sequence[Prompt], names: Sequence[str]
) -> tuple[Prompt, ...]:
    """Follow the list until it shows these names."""
    shown = tuple(prompts)
    while names_of(shown) != [*names]:
        shown = (await said(changes)).applied(shown)
    return shown


def names_of(prompts: Sequence[Prompt]) -> list[str]:
    return [prompt.name for prompt in prompts]


@pytest.mark.contract("S0-24")
async def test_a_callback_is_told_the_newest_prompts_at_each_change(app: cuewire.App) -> None:
    told: asyncio.Queue[list[str]] = asyncio.Queue()
    await app.prompts.publish("first", "{{ a }}")
    subscription = app.prompts.subscribe(limit=2, on_change=lambda prompts: told.put_nowait(names_of(prompts)))

    async with asyncio.timeout(SOON_S):
        assert await told.get() == ["first", "triage"]
        await app.prompts.publish("second", "{{ a }}")
        assert await told.get() == ["second", "first"]
        await app.prompts.edit("first", description="looked at")
        assert await told.get() == ["first", "second"]
        await app.prompts.archive("second")
        assert await told.get() == ["first", "triage"]
    subscription.unsubscribe()


@pytest.mark.contract("S0-26")
async def test_who_unsubscribes_is_told_nothing_more(app: cuewire.App) -> None:
    told: asyncio.Queue[list[str]] = asyncio.Queue()
    cancelled = app.prompts.subscribe(on_change=lambda prompts: told.put_nowait(names_of(prompts)))
    other = aiter(app.prompts.subscribe())
    async with asyncio.timeout(SOON_S):
        await told.get()
    await said(other)

    cancelled.unsubscribe()
    cancelled.unsubscribe()
    await app.prompts.publish("unheard", "{{ a }}")
    await said(other)

    assert told.empty()
    assert [change async for change in cancelled] == []


async def test_the_list_comes_whole_and_then_in_steps(app: cuewire.App) -> None:
    changes = aiter(app.prompts.subscribe(limit=10))

    first = await said(changes)
    await app.prompts.publish("new", "{{ a }}")
    second = await said(changes)

    assert isinstance(first, Snapshot)
    assert names_of(first.items) == ["triage"]
    assert isinstance(second, Update)
    assert second.applied(first.items) == (await app.prompts.list(wanted=NEWEST_FIRST)).items


NEWEST_FIRST = PromptFilter(sort="updated_at", descending=True)


async def test_only_what_is_wanted_is_told(app: cuewire.App) -> None:
    await app.prompts.publish("urgent", "{{ a }}", tags=["now"])
    changes = aiter(app.prompts.subscribe(wanted=PromptFilter(tag="now")))
    first = await said(changes)

    await app.prompts.publish("other", "{{ a }}")
    await app.prompts.edit("triage", tags=["now"])
    both = await until(changes, first.applied(()), ["triage", "urgent"])
    await app.prompts.edit("urgent", tags=[])

    assert names_of(await until(changes, both, ["triage"])) == ["triage"]


async def test_who_comes_back_hears_only_what_changed(app: cuewire.App) -> None:
    subscription = app.prompts.subscribe(limit=3)
    before = await said(aiter(subscription))
    subscription.unsubscribe()
    await app.prompts.publish("later", "{{ a }}")

    after = await said(aiter(app.prompts.subscribe(limit=3, after=before.id)))
    stranger = await said(aiter(app.prompts.subscribe(limit=3, after="1-of-another-list")))

    assert isinstance(after, Update)
    assert [each.item.name for each in after.changed] == ["later"]
    assert names_of(after.applied(before.applied(()))) == ["later", "triage"]
    assert isinstance(stranger, Snapshot)


async def test_what_cannot_be_followed_is_refused(app: cuewire.App) -> None:
    with pytest.raises(InvalidInput):
        await said(aiter(app.prompts.subscribe(limit=0)))
    with pytest.raises(InvalidInput):
        app.prompts.subscribe(after="1-x", on_change=lambda _: None)
    with pytest.raises(ScopeNotFound):
        await said(aiter(app.prompts.subscribe(wanted=PromptFilter(strategy="absent"))))


@pytest.mark.parametrize(
    "wanted", [PromptFilter(text="\ud800"), PromptFilter(names=("a\0",)), PromptFilter(strategy="No Name")], ids=str
)
async def test_a_filter_that_no_list_takes_cannot_be_followed_either(app: cuewire.App, wanted: PromptFilter) -> None:
    with pytest.raises(InvalidInput):
        await app.prompts.list(wanted=wanted)
    with pytest.raises(InvalidInput):
        await said(aiter(app.prompts.subscribe(wanted=wanted)))


async def test_who_wants_none_of_all_names_gets_none(app: cuewire.App) -> None:
    wanted = PromptFilter(names=())

    page = await app.prompts.list(wanted=wanted)
    first = await said(aiter(app.prompts.subscribe(wanted=wanted)))

    assert (page.items, page.next, page.total) == ((), None, 0)
    assert isinstance(first, Snapshot)
    assert first.items == ()


async def test_closing_the_app_ends_what_is_followed(make_settings: SettingsMaker) -> None:
    async with cuewire.open(settings=make_settings()) as app:
        changes = aiter(app.prompts.subscribe())
        await said(changes)
        waiting = asyncio.create_task(anext(changes, None))
        await asyncio.sleep(0)

    async with asyncio.timeout(SOON_S):
        assert await waiting is None


async def test_what_another_process_moves_is_seen_within_a_second(
    app: cuewire.App, make_local_settings: SettingsMaker, way: str
) -> None:
    changes = aiter(app.prompts.subscribe())
    first = await said(changes)
    async with cuewire.open(settings=make_local_settings()) as other:
        version = await other.prompts.publish("triage", "Bug, idea or praise? {{ text }}")
        shown = await until_version(changes, first.applied(()), version.number)

        await other.prompts.label("triage", "production", version.number)
        async with asyncio.timeout(SEEN_S * SLACK):
            while shown[0].labels["production"] != version.number:
                shown = (await anext(changes)).applied(shown)

    assert names_of(shown) == ["triage"], way


async def until_version(
    changes: AsyncIterator[LiveChange[Prompt]], prompts: Sequence[Prompt], number: int
) -> tuple[Prompt, ...]:
    shown = tuple(prompts)
    while shown[0].versions != number:
        shown = (await said(changes)).applied(shown)
    return shown


def test_a_program_without_a_loop_follows_too(make_settings: SettingsMaker) -> None:
    told: queue.Queue[list[str]] = queue.Queue()
    with cuewire.open(settings=make_settings()) as app:

        def on_change(prompts: Sequence[Prompt]) -> None:
            told.put(names_of(prompts) + [each.prompt for each in map(current(app), prompts)])

        subscription = app.prompts.subscribe(on_change=on_change)
        assert told.get(timeout=SOON_S) == []
        app.prompts.publish("new", "{{ a }}")
        assert told.get(timeout=SOON_S) == ["new", "new"], "the callback may use the App"
        subscription.unsubscribe()
        app.prompts.publish("unheard", "{{ a }}")

        first = next(iter(app.prompts.subscribe(limit=1)))
        assert names_of(first.applied(())) == ["unheard"]
    assert told.empty()


def current(app: cuewire.BlockingApp) -> Callable[[Prompt], cuewire.PromptVersion]:
    return lambda prompt: app.prompts.get(prompt.name)


def test_closing_the_app_ends_its_callbacks_first(make_settings: SettingsMaker) -> None:
    told, leaving, counted = threading.Event(), threading.Event(), list[int]()

    def on_change(_: Sequence[Prompt]) -> None:
        told.set()
        leaving.wait(SOON_S)
        counted.extend(app.prompts.stats().prompts for _ in range(10))

    with cuewire.open(settings=make_settings()) as app:
        subscription = app.prompts.subscribe(on_change=on_change)
        other = app.executions.subscribe()
        assert told.wait(SOON_S)
        leaving.set()

    assert counted == [0] * 10
    assert [thread.name for thread in threading.enumerate() if thread.name == "cuewire-live"] == []
    subscription.unsubscribe()
    assert [*subscription, *other] == []


def test_a_callback_may_end_its_own_subscription(make_settings: SettingsMaker) -> None:
    told: queue.Queue[list[str]] = queue.Queue()
    begun = threading.Event()

    def on_change(prompts: Sequence[Prompt]) -> None:
        begun.wait(SOON_S)
        subscription.unsubscribe()
        told.put(names_of(prompts))

    with cuewire.open(settings=make_settings()) as app:
        subscription = app.prompts.subscribe(on_change=on_change)
        begun.set()
        assert told.get(timeout=SOON_S) == []
        subscription.unsubscribe()
        app.prompts.publish("unheard", "{{ a }}")

    assert told.empty()


def test_a_list_that_a_callback_is_told_is_read_by_nobody_else(make_settings: SettingsMaker) -> None:
    told: queue.Queue[list[str]] = queue.Queue()
    with cuewire.open(settings=make_settings()) as app:
        subscription = app.prompts.subscribe(on_change=lambda prompts: told.put(names_of(prompts)))
        assert told.get(timeout=SOON_S) == []

        with pytest.raises(InvalidInput, match="somebody else reads"):
            next(iter(subscription))
        app.prompts.publish("heard", "{{ a }}")

        assert told.get(timeout=SOON_S) == ["heard"]
