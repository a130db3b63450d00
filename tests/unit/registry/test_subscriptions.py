"""Lists that are followed: told whole, then in steps; one look for all who follow the same, and none for nobody."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from logging.handlers import QueueHandler

import pytest

from cuewire.clock import SystemClock
from cuewire.model.errors import InvalidInput, ScopeNotFound, StoreUnavailable
from cuewire.model.live import LiveChange, Snapshot, Update
from cuewire.model.prompts import EVERY_PROMPT, Prompt, PromptFilter
from cuewire.registry.live import MAX_MISSED, Live
from cuewire.registry.news import News
from cuewire.registry.subscriptions import Reader, Subscription, subscription
from tests.support.live import Shelf, ShelfEvents, ShelfPrompts

SOON_S = 5.0
SEEN_S = 1.0
SLACK = 3


@dataclass
class Following:
    """A live list over a shelf."""

    shelf: Shelf
    news: News
    live: Live

    def change(self, prompt_id: int, **changes: object) -> None:
        """Change a prompt as this process does."""
        self.shelf.change(prompt_id, **changes)
        self.news.tell()

    def reader(
        self, *, limit: int = 10, wanted: PromptFilter = EVERY_PROMPT, after: str | None = None
    ) -> Reader[Prompt]:
        return self.live.follow(wanted, limit=limit, after=after)


@pytest.fixture
async def following() -> AsyncIterator[Following]:
    shelf = Shelf()
    news = News(shelf, clock=SystemClock())
    live = Live(ShelfPrompts(shelf), ShelfEvents(shelf), news=news)  # type: ignore[arg-type]  # only what is asked
    yield Following(shelf, news, live)
    await live.close()


async def said(reader: Reader[Prompt], *, within_s: float = SOON_S) -> LiveChange[Prompt]:
    async with asyncio.timeout(within_s):
        change = await reader.next()
    assert change is not None
    return change


def ids(prompts: Sequence[Prompt]) -> list[int]:
    return [prompt.id for prompt in prompts]


async def quiet(reader: Reader[Prompt]) -> bool:
    """Tell whether there is nothing more, for now."""
    try:
        async with asyncio.timeout(0.1):
            await reader.next()
    except TimeoutError:
        return True
    return False


async def test_the_list_comes_whole_and_then_what_changes_newest_first(following: Following) -> None:
    for number in (1, 2, 3):
        following.change(number)
    reader = following.reader(limit=2)

    first = await said(reader)
    following.change(1, category="red")
    second = await said(reader)

    assert isinstance(first, Snapshot)
    assert ids(first.items) == [3, 2]
    assert isinstance(second, Update)
    assert [(each.place, each.item.id, each.item.category) for each in second.changed] == [(0, 1, "red")]
    assert (second.left, second.size) == ((2,), 2)
    assert ids(second.applied(first.items)) == [1, 3]


async def test_what_another_process_changes_is_seen_within_a_second(following: Following) -> None:
    reader = following.reader()
    await said(reader)

    following.shelf.change(1)
    following.shelf.is_changed = True

    change = await said(reader, within_s=SEEN_S * SLACK)
    assert ids(change.applied(())) == [1]


async def test_all_who_follow_the_same_list_share_its_looks(following: Following) -> None:
    readers = [following.reader() for _ in range(100)]
    await asyncio.gather(*map(said, readers))

    following.change(1)
    changes = await asyncio.gather(*map(said, readers))

    assert following.shelf.lists == 2
    assert len({id(change) for change in changes}) == 1, "told in the same words, which are written once"


async def test_lists_that_did_not_change_are_told_nothing(following: Following) -> None:
    following.change(1, category="red")
    reader = following.reader(wanted=PromptFilter(category="red"))
    await said(reader)

    following.change(2, category="blue")

    assert await quiet(reader)
    following.change(1, description="now")
    assert ids((await said(reader)).applied(())) == [1]


async def test_who_is_slow_gets_all_that_changed_as_one_update(following: Following) -> None:
    quick, slow = following.reader(limit=3), following.reader(limit=3)
    first = await said(slow)
    await said(quick)

    for number in range(1, 301):
        following.change(number)
        if number % 100 == 0:
            await said(quick)
    update = await said(slow)

    assert isinstance(update, Update)
    assert ids(update.applied(first.applied(()))) == [300, 299, 298]
    assert await quiet(slow)


async def test_who_comes_back_gets_only_what_changed_since(following: Following) -> None:
    for number in range(1, 6):
        following.change(number)
    before = await said(following.reader(limit=4))
    following.change(9)
    following.change(4, status="archived")

    after = await said(following.reader(limit=4, after=before.id))

    assert isinstance(after, Update)
    assert ids([each.item for each in after.changed]) == [9, 2]
    assert after.left == (4,)
    assert ids(after.applied(before.applied(()))) == [9, 5, 3, 2]


async def test_who_missed_nothing_hears_so_at_once(following: Following) -> None:
    following.change(1)
    before = await said(following.reader())

    after = await said(following.reader(after=before.id))

    assert after == Update(id=before.id, changed=(), left=(), size=1)


@pytest.mark.parametrize(
    "after", ["", "7", "999-{mark}", "1-0123456789ab", "x-{mark}", "9" * 40 + "-{mark}", "-1-{mark}"]
)
async def test_an_id_that_means_nothing_here_brings_the_whole_list(following: Following, after: str) -> None:
    following.change(1)
    mark = (await said(following.reader())).id.partition("-")[2]

    first = await said(following.reader(after=after.format(mark=mark)))

    assert isinstance(first, Snapshot)


async def test_an_id_of_another_list_brings_the_whole_list(following: Following) -> None:
    following.change(1)
    before = await said(following.reader(limit=10))

    first = await said(following.reader(limit=11, after=before.id))

    assert isinstance(first, Snapshot)


async def test_an_id_that_is_too_old_brings_the_whole_list(following: Following) -> None:
    following.change(1)
    before = await said(following.reader())
    for _ in range(MAX_MISSED + 1):
        following.shelf.change(2)

    assert isinstance(await said(following.reader(after=before.id)), Snapshot)


async def test_who_comes_back_hears_nothing_of_prompts_of_other_names(following: Following) -> None:
    following.change(1, name="team/a")
    wanted = PromptFilter(names=("team/*",))
    before = await said(following.reader(wanted=wanted))
    following.change(2, name="secret")
    following.change(2, status="archived")

    after = await said(following.reader(wanted=wanted, after=before.id))

    assert after == Update(id=after.id, changed=(), left=(), size=1)


async def test_a_database_that_was_away_is_looked_at_again(
    following: Following, caplog: pytest.LogCaptureFixture
) -> None:
    reader = following.reader()
    await said(reader)
    following.shelf.error = StoreUnavailable("away")

    with caplog.at_level(logging.WARNING):
        following.change(1)
        assert await quiet(reader)
        following.shelf.error = None
        change = await said(reader)

    assert ids(change.applied(())) == [1]
    assert "live.behind" in caplog.text


async def test_a_list_that_can_no_longer_be_made_ends_with_the_reason(following: Following) -> None:
    reader = following.reader()
    await said(reader)
    following.shelf.error = ScopeNotFound("there is no strategy 'gone'")

    following.change(1)

    with pytest.raises(ScopeNotFound):
        await said(reader)


async def test_nobody_is_asked_when_nobody_follows(following: Following) -> None:
    readers = [following.reader(), following.reader(limit=3)]
    await asyncio.gather(*map(said, readers))

    for reader in readers:
        reader.close()
        reader.close()
    lists = following.shelf.lists
    following.change(1)

    assert await readers[0].next() is None
    assert await quiet_shelf(following, lists)
    assert ids((await said(following.reader())).applied(())) == [1]


async def quiet_shelf(following: Following, lists: int) -> bool:
    await asyncio.sleep(0.1)
    return following.shelf.lists == lists


async def test_a_reader_that_waits_hears_that_it_is_closed(following: Following) -> None:
    reader = following.reader()
    await said(reader)
    waiting = asyncio.create_task(reader.next())
    await asyncio.sleep(0)

    await following.live.close()

    assert await waiting is None


async def test_a_callback_is_told_whole_lists_until_it_is_cancelled(following: Following) -> None:
    told: asyncio.Queue[list[int]] = asyncio.Queue()
    following.change(1)
    subscribed = subscription(following.reader(limit=2), on_change=lambda prompts: told.put_nowait(ids(prompts)))

    async with asyncio.timeout(SOON_S):
        lists = [await told.get()]
        following.change(2)
        lists.append(await told.get())
        following.change(3)
        lists.append(await told.get())
    subscribed.unsubscribe()
    following.change(4)
    await asyncio.sleep(0.1)

    assert lists == [[1], [2, 1], [3, 2]]
    assert told.empty()


async def test_a_callback_that_fails_is_told_the_next_list_too(
    following: Following, caplog: pytest.LogCaptureFixture
) -> None:
    told: asyncio.Queue[list[int]] = asyncio.Queue()

    def on_change(prompts: Sequence[Prompt]) -> None:
        told.put_nowait(ids(prompts))
        raise RuntimeError("the page is gone")

    subscribed = Subscription(following.reader(), on_change=on_change)
    async with asyncio.timeout(SOON_S):
        await told.get()
        following.change(1)
        assert await told.get() == [1]
    subscribed.unsubscribe()

    assert "the page is gone" in caplog.text


async def test_an_iteration_ends_when_somebody_unsubscribes(following: Following) -> None:
    subscribed = Subscription(following.reader())
    changes = aiter(subscribed)
    await anext(changes)
    waiting = asyncio.create_task(anext(changes, None))
    await asyncio.sleep(0)

    subscribed.unsubscribe()

    assert await waiting is None
    assert [change async for change in subscribed] == []


async def test_a_wait_that_is_given_up_loses_nothing(following: Following) -> None:
    changes = aiter(Subscription(following.reader()))
    await anext(changes)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await anext(changes)
    following.change(1)

    async with asyncio.timeout(SOON_S):
        assert ids((await anext(changes)).applied(())) == [1]


async def test_who_reads_what_somebody_else_waits_for_is_refused_and_the_first_misses_nothing(
    following: Following,
) -> None:
    subscribed = Subscription(following.reader())
    changes = aiter(subscribed)
    shown = (await anext(changes)).applied(())
    waiting = asyncio.create_task(anext(changes))
    await asyncio.sleep(0)

    with pytest.raises(InvalidInput, match="somebody else reads"):
        await anext(aiter(subscribed))
    following.change(1)

    async with asyncio.timeout(SOON_S):
        shown = (await waiting).applied(shown)
        following.change(2)
        assert ids((await anext(aiter(subscribed))).applied(shown)) == [2, 1]


async def test_nobody_iterates_while_a_callback_is_told(following: Following) -> None:
    told: asyncio.Queue[list[int]] = asyncio.Queue()
    subscribed = Subscription(following.reader(), on_change=lambda prompts: told.put_nowait(ids(prompts)))
    async with asyncio.timeout(SOON_S):
        await told.get()

        with pytest.raises(InvalidInput, match="somebody else reads"):
            await anext(aiter(subscribed))
        for number in (1, 2):
            following.change(number)
            assert (await told.get())[0] == number

    subscribed.unsubscribe()
    assert [change async for change in subscribed] == []


async def test_why_a_callback_is_told_nothing_more_is_logged(following: Following) -> None:
    heard: asyncio.Queue[logging.LogRecord] = asyncio.Queue()
    handler = QueueHandler(heard)
    following.shelf.error = ScopeNotFound("there is no strategy 'gone'")

    logging.getLogger("cuewire.live").addHandler(handler)
    try:
        subscribed = Subscription(following.reader(), on_change=lambda _: None)
        async with asyncio.timeout(SOON_S):
            record = await heard.get()
    finally:
        logging.getLogger("cuewire.live").removeHandler(handler)

    assert record.getMessage() == "live.ended reason=scope_not_found: there is no strategy 'gone'"
    assert [change async for change in subscribed] == []
