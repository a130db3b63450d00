"""API keys, on every database, and the ring of them that a server asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from cuewire.model.actors import LOCAL
from cuewire.model.api_keys import ApiKey, Bearer
from cuewire.model.errors import ApiKeyNotFound, InvalidInput, StoreUnavailable
from cuewire.registry.api_keys import KeyRing
from cuewire.registry.recent import KNOWN_FOR_S
from cuewire.stores.api_keys import SqlApiKeys
from tests.support.stores import KINDS, NOON, HeldClock, Stores, opened

KEY = ApiKey(id="abcdefghij", name="laptop \N{SNOWMAN}", secret_hash="a" * 64, created_at=NOON, created_by="ada")


class MovedClock(HeldClock):
    """A clock whose monotonic time moves by hand too."""

    at: float = 0.0

    def monotonic(self) -> float:
        return self.at


class CountedKeys(SqlApiKeys):
    """Counts how often a key was looked for, in a database that may be away."""

    def __init__(self, keys: SqlApiKeys) -> None:
        self._keys = keys
        self.finds = 0
        self.is_away = False

    async def find(self, key_id: str) -> ApiKey | None:
        """Return the key of this id."""
        self.finds += 1
        if self.is_away:
            raise StoreUnavailable("the database is away")
        return await self._keys.find(key_id)

    async def add(self, key: ApiKey, *, user: str | None = None) -> ApiKey:
        """Store a new key."""
        return await self._keys.add(key, user=user)


@pytest.fixture(params=KINDS)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with opened(request.param, tmp_path) as stores:
        yield stores


@pytest.fixture
def keys(stores: Stores) -> SqlApiKeys:
    return SqlApiKeys(stores.database)


async def test_a_key_is_found_by_its_id(keys: SqlApiKeys) -> None:
    await keys.add(KEY)

    assert await keys.find(KEY.id) == KEY
    assert await keys.find("nobody") is None
    assert list(await keys.list()) == [KEY]


async def test_a_revoked_key_stays_revoked_since_the_first_time(keys: SqlApiKeys) -> None:
    await keys.add(KEY)
    clock = HeldClock()

    first = await keys.revoke(KEY.id, at=clock.now(), by="ada")
    clock.advance(hours=1)
    second = await keys.revoke(KEY.id, at=clock.now(), by="ada")

    assert first == second == msgspec.structs.replace(KEY, revoked_at=NOON)
    with pytest.raises(ApiKeyNotFound):
        await keys.revoke("nobody", at=NOON, by="ada")


async def test_a_ring_recognises_what_it_issued_until_it_is_revoked(keys: SqlApiKeys) -> None:
    ring = KeyRing(keys, clock=HeldClock())

    issued = await ring.issue(" laptop ", by=LOCAL)

    assert (await ring.recognise(issued.text)) == Bearer(key=issued.key, actor=issued.key.actor)
    assert issued.key.name == "laptop"
    assert await ring.recognise("cw_nonsense") is None
    await ring.revoke(issued.key.id, by=LOCAL)
    assert await ring.recognise(issued.text) is None


async def test_another_ring_hears_of_a_revocation_in_time(keys: SqlApiKeys) -> None:
    clock = MovedClock()
    here, there = KeyRing(keys, clock=clock), KeyRing(keys, clock=clock)
    issued = await here.issue("laptop", by=LOCAL)
    assert await there.recognise(issued.text)

    await here.revoke(issued.key.id, by=LOCAL)
    clock.at += KNOWN_FOR_S

    assert await there.recognise(issued.text) is None


async def test_of_many_that_come_with_a_key_one_looks_it_up(keys: SqlApiKeys) -> None:
    clock, counted = MovedClock(), CountedKeys(keys)
    ring = KeyRing(counted, clock=clock)
    issued = await ring.issue("laptop", by=LOCAL)
    assert ring.is_new(issued.text)
    assert not ring.is_new("cw_nonsense")
    assert await ring.recognise(issued.text)
    assert not ring.is_new(issued.text)

    clock.at += KNOWN_FOR_S
    found = await asyncio.gather(*(ring.recognise(issued.text) for _ in range(20)))

    assert [bearer and bearer.key for bearer in found] == [issued.key] * 20
    assert counted.finds == 2


async def test_a_key_that_could_not_be_looked_up_is_not_taken_as_found(keys: SqlApiKeys) -> None:
    clock, counted = MovedClock(), CountedKeys(keys)
    ring = KeyRing(counted, clock=clock)
    issued = await ring.issue("laptop", by=LOCAL)
    assert await ring.recognise(issued.text)
    clock.at += KNOWN_FOR_S
    counted.is_away = True

    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await ring.recognise(issued.text)


@pytest.mark.parametrize("name", ["", "  ", "a" * 101, "a\x00"])
async def test_a_key_needs_a_usable_name(keys: SqlApiKeys, name: str) -> None:
    with pytest.raises(InvalidInput):
        await KeyRing(keys, clock=HeldClock()).issue(name, by=LOCAL)
