"""Sessions of browsers, on every database: a link that one browser opens once, and what it may do then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from cuewire.model.actors import LOCAL
from cuewire.model.errors import ApiKeyNotFound
from cuewire.model.sessions import IDLE_FOR, LINK_FOR, SESSION_FOR
from cuewire.registry.api_keys import KeyRing
from cuewire.registry.sessions import SignIns
from cuewire.stores.api_keys import SqlApiKeys
from cuewire.stores.sessions import SqlSessions
from tests.support.stores import KINDS, HeldClock, Stores, opened

MINUTE = timedelta(minutes=1)


class MovedClock(HeldClock):
    """A clock whose times move together."""

    def monotonic(self) -> float:
        return self.now().timestamp()


class Desk:
    """Both rings over one database, and one key."""

    def __init__(self, stores: Stores) -> None:
        self.clock = MovedClock()
        self.store = SqlSessions(stores.database)
        keys = SqlApiKeys(stores.database)
        self.keys = KeyRing(keys, clock=self.clock)
        self.sign_ins = SignIns(self.store, keys, clock=self.clock)
        self.key_id = ""

    async def signed_in(self) -> str:
        """Sign a browser in, and return its session."""
        session = await self.sign_ins.begin(await self.sign_ins.invite(self.key_id))
        assert session is not None
        return session

    async def is_in(self, session: str) -> bool:
        """Tell whether the session stands for the key."""
        bearer = await self.sign_ins.recognise(session)
        return bearer is not None and bearer.key.id == self.key_id


@pytest.fixture(params=KINDS)
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(request.param, tmp_path) as stores:
        desk = Desk(stores)
        desk.key_id = (await desk.keys.issue("laptop", by=LOCAL)).key.id
        yield desk


async def test_a_link_begins_a_session_that_stands_for_its_key(desk: Desk) -> None:
    link = await desk.sign_ins.invite(desk.key_id)
    assert not await desk.is_in(link)

    session = await desk.sign_ins.begin(link)

    assert session is not None
    assert await desk.is_in(session)
    assert session.rpartition("_")[0] not in link
    assert not await desk.is_in(link)


async def test_a_link_is_opened_by_one(desk: Desk) -> None:
    link = await desk.sign_ins.invite(desk.key_id)

    begun = await asyncio.gather(*(desk.sign_ins.begin(link) for _ in range(10)))

    assert sum(session is not None for session in begun) == 1
    assert await desk.sign_ins.begin(link) is None


async def test_a_link_waits_for_a_while(desk: Desk) -> None:
    link = await desk.sign_ins.invite(desk.key_id)
    desk.clock.advance(minutes=LINK_FOR / MINUTE)

    assert await desk.sign_ins.begin(link) is None


@pytest.mark.parametrize("text", ["", "cwl_", "cwl_0000000000_" + "0" * 43 + "_000000", "x" * 300])
async def test_what_is_no_link_begins_nothing(desk: Desk, text: str) -> None:
    assert await desk.sign_ins.begin(text) is None
    assert await desk.sign_ins.recognise(text) is None


async def test_a_session_that_is_used_lasts_until_its_end(desk: Desk) -> None:
    session = await desk.signed_in()
    step = IDLE_FOR / 2

    for _ in range(int(SESSION_FOR / step) - 1):
        desk.clock.advance(minutes=step / MINUTE)
        assert await desk.is_in(session)
    desk.clock.advance(minutes=step / MINUTE)

    assert not await desk.is_in(session)


async def test_a_session_that_nobody_uses_ends_sooner(desk: Desk) -> None:
    session = await desk.signed_in()
    desk.clock.advance(minutes=IDLE_FOR / MINUTE)

    assert not await desk.is_in(session)


async def test_a_session_ends_when_its_browser_leaves(desk: Desk) -> None:
    stays, leaves = await desk.signed_in(), await desk.signed_in()

    await desk.sign_ins.end(leaves)
    await desk.sign_ins.end("nonsense")

    assert not await desk.is_in(leaves)
    assert await desk.is_in(stays)


async def test_with_its_key_a_session_and_its_links_are_revoked(desk: Desk) -> None:
    session, link = await desk.signed_in(), await desk.sign_ins.invite(desk.key_id)

    await desk.keys.revoke(desk.key_id, by=LOCAL)
    desk.clock.advance(minutes=1)

    assert not await desk.is_in(session)
    assert await desk.sign_ins.begin(link) is None
    with pytest.raises(ApiKeyNotFound):
        await desk.sign_ins.invite(desk.key_id)
    with pytest.raises(ApiKeyNotFound):
        await desk.sign_ins.invite("nobody")


async def test_what_has_ended_is_dropped_with_the_next_link(desk: Desk) -> None:
    old = await desk.sign_ins.invite(desk.key_id)
    desk.clock.advance(minutes=LINK_FOR / MINUTE)
    assert await desk.store.find(old.split("_")[1]) is not None

    await desk.sign_ins.invite(desk.key_id)

    assert await desk.store.find(old.split("_")[1]) is None
