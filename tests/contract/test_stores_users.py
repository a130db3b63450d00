"""Users on every database, the keys that are theirs, and the events that tell of both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from cuewire.model.actors import LOCAL, Actor, Role
from cuewire.model.api_keys import ApiKey
from cuewire.model.errors import Conflict, InvalidInput, StoreError, UserExists, UserNotFound
from cuewire.registry.api_keys import KeyRing
from cuewire.registry.recent import KNOWN_FOR_S
from cuewire.registry.sessions import SignIns
from cuewire.registry.users import Roster
from cuewire.stores.api_keys import SqlApiKeys
from cuewire.stores.events import SqlEventStore
from cuewire.stores.sessions import SqlSessions
from cuewire.stores.users import SqlUsers
from tests.support.stores import KINDS, NOON, HeldClock, Stores, opened

ADA = Actor(name="ada", role="admin")


class MovedClock(HeldClock):
    """A clock whose times move together."""

    def monotonic(self) -> float:
        return self.now().timestamp()


class House:
    """All that one database knows of who may come."""

    def __init__(self, stores: Stores) -> None:
        self.database = stores.database
        self.clock = MovedClock()
        self.store = SqlUsers(stores.database)
        self.users = Roster(self.store, clock=self.clock)
        keys = SqlApiKeys(stores.database)
        self.keys = KeyRing(keys, clock=self.clock)
        self.elsewhere = KeyRing(keys, clock=self.clock)
        self.sign_ins = SignIns(SqlSessions(stores.database), keys, clock=self.clock)

    async def key_of(self, user: str, role: Role | None = None) -> str:
        """Return the text of a new key of the user."""
        return (await self.keys.issue("laptop", by=LOCAL, user=user, role=role)).text

    async def does(self, statement: str) -> None:
        """Do something to the database that is none of ours."""
        await self.database.write(lambda connection: connection.execute(text(statement)).close())

    async def told(self) -> list[tuple[str, str, object]]:
        """Return what is told of users and keys: by whom, what, and of which."""
        found = await SqlEventStore(self.database).list(limit=100)
        return [(event.actor, event.action, event.data) for event in found]


@pytest.fixture(params=KINDS)
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    async with opened(request.param, tmp_path) as stores:
        yield House(stores)


async def test_users_are_listed_by_name_and_each_name_is_given_once(house: House) -> None:
    await house.users.add("bob", by=ADA)
    await house.users.add("ada@example.com", by=LOCAL, role="admin")

    with pytest.raises(UserExists):
        await house.users.add("bob", by=ADA, role="admin")

    assert [(user.name, user.role) for user in await house.users.list(by=ADA)] == [
        ("ada@example.com", "admin"),
        ("bob", "viewer"),
    ]


@pytest.mark.parametrize("name", ["", "Ada", "key:ada", "a b", "-a", "a" * 101, "a\x00", "\ud800"])
async def test_a_user_needs_a_name_that_no_key_could_be_taken_for(house: House, name: str) -> None:
    with pytest.raises(InvalidInput):
        await house.users.add(name, by=ADA)
    with pytest.raises(InvalidInput):
        await house.users.change(name, by=ADA, role="editor")
    with pytest.raises(InvalidInput):
        await house.keys.issue("laptop", by=ADA, user=name)


async def test_who_is_not_there_is_not_changed_and_gets_no_key(house: House) -> None:
    with pytest.raises(UserNotFound):
        await house.users.change("nobody", by=ADA, disabled=True)
    with pytest.raises(UserNotFound):
        await house.keys.issue("laptop", by=ADA, user="nobody")

    assert await house.told() == []

    assert await house.keys.list(by=ADA) == []


async def test_a_key_of_a_user_does_what_the_user_may_do_at_most(house: House) -> None:
    await house.users.add("bob", by=LOCAL, role="editor")
    whole, less = await house.key_of("bob"), await house.key_of("bob", role="viewer")

    found = [await house.keys.recognise(key) for key in (whole, less)]
    await house.users.change("bob", by=LOCAL, role="runner")
    house.clock.advance(seconds=KNOWN_FOR_S)
    lowered = [await house.elsewhere.recognise(key) for key in (whole, less)]

    assert [(one.actor.name, one.actor.role) for one in found if one] == [("bob", "editor"), ("bob", "viewer")]
    assert [one.actor.role for one in lowered if one] == ["runner", "viewer"]


async def test_the_keys_of_a_disabled_user_open_nothing_within_a_second(house: House) -> None:
    await house.users.add("bob", by=LOCAL, role="admin")
    await house.users.add("ada", by=LOCAL, role="admin")
    shown = await house.key_of("bob")
    bearer = await house.elsewhere.recognise(shown)
    assert bearer is not None
    session = await house.sign_ins.begin(await house.sign_ins.invite(bearer.key.id))
    link = await house.sign_ins.invite(bearer.key.id)
    assert session is not None
    assert await house.sign_ins.recognise(session) is not None

    await house.users.change("bob", by=ADA, disabled=True)
    house.clock.advance(seconds=KNOWN_FOR_S)

    for ring in (house.keys, house.elsewhere):
        assert await ring.recognise(shown) is None
    assert await house.sign_ins.recognise(session) is None
    assert await house.sign_ins.begin(link) is None
    await house.users.change("bob", by=ADA, disabled=False)
    assert await house.elsewhere.recognise(shown) is not None


async def test_a_key_that_is_over_opens_nothing(house: House) -> None:
    issued = await house.keys.issue("laptop", by=LOCAL, expires_at=NOON + timedelta(minutes=1))
    session = await house.sign_ins.begin(await house.sign_ins.invite(issued.key.id))
    assert session is not None
    assert await house.keys.recognise(issued.text) is not None

    house.clock.advance(minutes=1)

    assert await house.keys.recognise(issued.text) is None
    assert await house.sign_ins.recognise(session) is None


@pytest.mark.parametrize("role", [None, "viewer"])
@pytest.mark.parametrize("disabled", [None, True])
async def test_the_last_admin_stays_one(house: House, role: Role | None, disabled: bool | None) -> None:
    await house.users.add("ada", by=LOCAL, role="admin")
    await house.users.add("bob", by=LOCAL, role="admin")
    await house.users.change("bob", by=LOCAL, disabled=True)
    if role is None and disabled is None:
        with pytest.raises(InvalidInput):
            await house.users.change("ada", by=LOCAL)
        return

    with pytest.raises(Conflict):
        await house.users.change("ada", by=LOCAL, role=role, disabled=disabled)

    await house.users.change("bob", by=LOCAL, disabled=False)
    changed = await house.users.change("ada", by=LOCAL, role=role, disabled=disabled)
    assert (changed.role, changed.disabled_at) == (role or "admin", disabled and NOON)


async def test_of_two_admins_that_lower_each_other_one_stays(house: House) -> None:
    for name in ("ada", "bob"):
        await house.users.add(name, by=LOCAL, role="admin")

    lowered = await asyncio.gather(
        *(house.users.change(name, by=LOCAL, role="viewer") for name in ("ada", "bob")), return_exceptions=True
    )

    assert sum(isinstance(one, Conflict) for one in lowered) == 1
    assert sorted(user.role for user in await house.users.list(by=LOCAL)) == ["admin", "viewer"]


async def test_each_change_is_told_once_with_who_made_it(house: House) -> None:
    await house.users.add("bob", by=ADA, role="editor")
    issued = await house.keys.issue("ci", by=ADA, user="bob", scopes=["run"], prompts=["team/*"])
    for _ in range(2):
        await house.users.change("bob", by=LOCAL, role="runner", disabled=True)
        await house.keys.revoke(issued.key.id, by=LOCAL)
    await house.users.change("bob", by=LOCAL, disabled=False)

    told = await house.told()

    made = {"name": "ci", "user": "bob", "role": "admin", "scopes": ["run"], "prompts": ["team/*"], "expires_at": None}
    assert told == [
        ("ada", "user.added", {"user": "bob", "role": "editor"}),
        ("ada", "key.made", {"key": issued.key.id, **made}),
        ("local", "user.role_changed", {"user": "bob", "from": "editor", "to": "runner"}),
        ("local", "user.disabled", {"user": "bob"}),
        ("local", "key.revoked", {"key": issued.key.id, "name": "ci"}),
        ("local", "user.enabled", {"user": "bob"}),
    ]
    assert issued.key.secret_hash not in str(told)


async def test_what_cannot_be_told_is_not_done(house: House) -> None:
    await house.users.add("bob", by=ADA)
    issued = await house.keys.issue("ci", by=ADA)
    before = await house.told()
    await house.does("ALTER TABLE events RENAME TO gone")

    for change in (
        house.users.add("eve", by=ADA),
        house.users.change("bob", by=ADA, role="admin"),
        house.users.change("bob", by=ADA, disabled=True),
        house.keys.issue("other", by=ADA),
        house.keys.revoke(issued.key.id, by=ADA),
    ):
        with pytest.raises(StoreError):
            await change

    await house.does("ALTER TABLE gone RENAME TO events")
    keys: list[ApiKey] = [*await house.keys.list(by=ADA)]
    assert keys == [issued.key]
    assert [(user.name, user.role, user.disabled_at) for user in await house.users.list(by=ADA)] == [
        ("bob", "viewer", None)
    ]
    assert await house.told() == before
