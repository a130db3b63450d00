"""API keys, on every database, and the ring of them that a server asks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from cuewire.model.api_keys import ApiKey
from cuewire.model.errors import ApiKeyNotFound, InvalidInput
from cuewire.registry.api_keys import KNOWN_FOR_S, KeyRing
from cuewire.stores.api_keys import SqlApiKeys
from tests.support.stores import KINDS, NOON, HeldClock, Stores, opened

KEY = ApiKey(id="abcdefghij", name="laptop \N{SNOWMAN}", secret_hash="a" * 64, created_at=NOON)


class MovedClock(HeldClock):
    """A clock whose monotonic time moves by hand too."""

    at: float = 0.0

    def monotonic(self) -> float:
        return self.at


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

    first = await keys.revoke(KEY.id, at=clock.now())
    clock.advance(hours=1)
    second = await keys.revoke(KEY.id, at=clock.now())

    assert first == second == msgspec.structs.replace(KEY, revoked_at=NOON)
    with pytest.raises(ApiKeyNotFound):
        await keys.revoke("nobody", at=NOON)


async def test_a_ring_recognises_what_it_issued_until_it_is_revoked(keys: SqlApiKeys) -> None:
    ring = KeyRing(keys, clock=HeldClock())

    issued = await ring.issue(" laptop ")

    assert (await ring.recognise(issued.text)) == issued.key
    assert issued.key.name == "laptop"
    assert await ring.recognise("cw_nonsense") is None
    await ring.revoke(issued.key.id)
    assert await ring.recognise(issued.text) is None


async def test_another_ring_hears_of_a_revocation_in_time(keys: SqlApiKeys) -> None:
    clock = MovedClock()
    here, there = KeyRing(keys, clock=clock), KeyRing(keys, clock=clock)
    issued = await here.issue("laptop")
    assert await there.recognise(issued.text)

    await here.revoke(issued.key.id)
    clock.at += KNOWN_FOR_S

    assert await there.recognise(issued.text) is None


@pytest.mark.parametrize("name", ["", "  ", "a" * 101, "a\x00"])
async def test_a_key_needs_a_usable_name(keys: SqlApiKeys, name: str) -> None:
    with pytest.raises(InvalidInput):
        await KeyRing(keys, clock=HeldClock()).issue(name)
