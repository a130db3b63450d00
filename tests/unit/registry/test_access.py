"""Who may do what: the whole table, and what narrows it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
import pytest

from cuewire.model.actors import LOCAL, NOBODY, ROLES, Actor, Role, any_fits, check_patterns
from cuewire.model.api_keys import ApiKey
from cuewire.model.errors import ApiKeyNotFound, Forbidden, InvalidInput, PromptNotFound
from cuewire.registry.access import LEAST, OF_ALL_PROMPTS, SCOPES, allowed, authorize, authorize_all, beyond, may
from cuewire.registry.api_keys import KeyRing
from tests.support.stores import NOON, HeldClock

NEW_IN: Mapping[Role, set[str]] = {
    "viewer": {"prompts:read", "executions:read", "metrics:read"},
    "runner": {"run", "executions:body", "outcomes:write"},
    "editor": {"prompts:write"},
    "publisher": {"prompts:publish", "reviews:decide", "scopes:write", "types:write", "events:read"},
    "admin": {"rules:write", "users:admin", "keys:admin"},
}
"""What each role may do that the one before it may not."""
TEAM = ("greet", "team/*")


def actor(role: Role = "admin", scopes: set[str] | None = None, prompts: tuple[str, ...] | None = None) -> Actor:
    return Actor(name="ada", role=role, scopes=None if scopes is None else frozenset(scopes), prompts=prompts)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_do_what_is_new_in_it_and_in_all_below_it_and_nothing_else(role: Role) -> None:
    expected: set[str] = set()
    for lower in ROLES[: ROLES.index(role) + 1]:
        expected |= NEW_IN[lower]

    assert set(allowed(actor(role))) == expected
    for action in LEAST.keys() - expected:
        with pytest.raises(Forbidden) as caught:
            authorize(actor(role), action)
        assert f"it takes the role {LEAST[action]}; ada has the role {role}" in str(caught.value)


def test_who_is_not_known_may_do_nothing() -> None:
    assert allowed(NOBODY) == ()
    for action in LEAST:
        with pytest.raises(Forbidden):
            authorize(NOBODY, action)


def test_who_is_at_the_database_may_do_everything() -> None:
    assert set(allowed(LOCAL)) == set(LEAST)
    for action in LEAST:
        authorize_all(LOCAL, action)


def test_who_is_limited_to_some_prompts_is_allowed_nothing_that_touches_all() -> None:
    limited = actor(prompts=TEAM)

    assert set(allowed(limited)) == LEAST.keys() - OF_ALL_PROMPTS
    for action in OF_ALL_PROMPTS:
        with pytest.raises(Forbidden, match="to all prompts"):
            authorize(limited, action)


def test_an_action_that_is_in_no_table_is_for_nobody() -> None:
    assert not may(LOCAL, "prompts:burn")
    assert not may(actor(scopes={"prompts:*"}), "prompts:burn")
    with pytest.raises(KeyError):
        authorize(LOCAL, "prompts:burn")


@pytest.mark.parametrize(
    ("scopes", "role", "expected"),
    [
        ({"run"}, "admin", {"run"}),
        ({"run", "outcomes:write"}, "runner", {"run", "outcomes:write"}),
        ({"prompts:*"}, "admin", {"prompts:read", "prompts:write", "prompts:publish"}),
        ({"prompts:*"}, "editor", {"prompts:read", "prompts:write"}),
        ({"executions:*"}, "viewer", {"executions:read"}),
        ({"keys:admin"}, "publisher", set()),
        (set(), "admin", set()),
    ],
)
def test_scopes_narrow_what_the_role_allows_and_widen_nothing(scopes: set[str], role: Role, expected: set[str]) -> None:
    assert set(allowed(actor(role, scopes))) == expected


def test_a_refusal_says_what_the_key_is_for() -> None:
    with pytest.raises(Forbidden) as caught:
        authorize(actor(scopes={"run", "prompts:*"}), "keys:admin")

    assert str(caught.value) == "'ada' may not do 'keys:admin'; this API key is for prompts:*, run only"


@pytest.mark.parametrize("name", ["greet", "team/", "team/a", "team/a/b"])
def test_what_is_among_the_prompts_is_there(name: str) -> None:
    authorize(actor(prompts=TEAM), "prompts:read", name)

    assert actor(prompts=TEAM).sees(name)


@pytest.mark.parametrize("name", ["greeting", "gree", "team", "teams/a", "my/team/a", "", "*", "team/*"[:-2], "17"])
@pytest.mark.parametrize("action", sorted(LEAST.keys() - OF_ALL_PROMPTS))
def test_what_is_not_among_the_prompts_is_not_there_whatever_is_done(name: str, action: str) -> None:
    with pytest.raises(PromptNotFound) as caught:
        authorize(actor(prompts=TEAM), action, name)

    assert caught.value.field == "/prompt"


def test_a_number_is_an_id_that_no_pattern_fits() -> None:
    assert not any_fits(("1*", "17"), "17")
    assert any_fits(("1*",), "1-first")


@pytest.mark.parametrize("action", sorted(OF_ALL_PROMPTS))
def test_what_touches_all_prompts_is_not_for_who_is_limited_to_some(action: str) -> None:
    authorize(actor(), action)

    with pytest.raises(Forbidden):
        authorize(actor(prompts=TEAM), action)
    with pytest.raises(Forbidden):
        authorize_all(actor(prompts=TEAM), "rules:write")


def test_a_role_that_is_missing_is_told_before_a_prompt_that_is_not_there() -> None:
    with pytest.raises(Forbidden):
        authorize(actor("viewer", prompts=TEAM), "prompts:write", "other")


@pytest.mark.parametrize(
    ("patterns", "wrong"),
    [
        ([], []),
        (["Team/*"], ["/prompts/0"]),
        (["a", "*", "a*b", "", "a" * 129], ["/prompts/1", "/prompts/2", "/prompts/3", "/prompts/4"]),
        (["a"] * 101, []),
    ],
)
def test_patterns_that_are_none_are_refused_all_at_once(patterns: list[str], wrong: list[str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_patterns(patterns)

    assert [place for place, _ in caught.value.problems] == wrong


LESS: list[Actor] = [
    actor("runner"),
    actor("runner", {"run"}),
    actor("runner", {"run"}, ("team/a",)),
    actor("runner", {"run"}, ("team/a*", "greet")),
]
MINTER = actor("publisher", {"prompts:*", "run", "keys:admin"}, TEAM)


@pytest.mark.parametrize(
    ("other", "more"),
    [
        (actor("publisher", {"run"}, TEAM), []),
        (actor("viewer", {"prompts:read", "run"}, ("team/x", "greet")), []),
        (actor("publisher", {"prompts:*"}, ("team/x*",)), []),
        (actor("admin", {"run"}, TEAM), ["the role admin"]),
        (actor("runner", {"run", "executions:read"}, TEAM), ["executions:read"]),
        (actor("runner", {"run", "executions:*"}, TEAM), ["executions:*"]),
        (actor("runner", {"run"}, ("tea*",)), ["prompts other than greet, team/*"]),
        (actor("runner", {"run"}, ("team/a", "other")), ["prompts other than greet, team/*"]),
        (actor("runner", {"run"}), ["prompts other than greet, team/*"]),
    ],
)
def test_what_an_actor_has_beyond_another_is_named(other: Actor, more: list[str]) -> None:
    assert beyond(MINTER, other) == more
    assert beyond(LOCAL, other) == []


def test_who_is_limited_by_nothing_is_beyond_all_limits() -> None:
    assert set(beyond(MINTER, LOCAL)) >= {"the role admin", "executions:*", "users:admin"}
    assert beyond(actor(scopes={"prompts:read", "prompts:write", "prompts:publish"}), actor(scopes={"prompts:*"}))


class KeptKeys:
    """Keys in memory."""

    def __init__(self) -> None:
        self.keys: list[ApiKey] = []

    async def add(self, key: ApiKey, *, user: str | None = None) -> ApiKey:
        """Keep a key."""
        assert user is None
        self.keys.append(key)
        return key

    async def list(self) -> list[ApiKey]:
        """Return what was kept."""
        return self.keys

    async def find(self, key_id: str) -> ApiKey | None:
        """Return one of them."""
        return next((key for key in self.keys if key.id == key_id), None)


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing(KeptKeys(), clock=HeldClock())  # type: ignore[arg-type]  # as far as it is used here


ADMIN = actor(scopes={"prompts:*", "run", "keys:admin"}, prompts=TEAM)
SHORT = msgspec.structs.replace(ADMIN, expires_at=NOON + timedelta(hours=1))


@pytest.mark.parametrize(
    ("by", "asked"),
    [
        (ADMIN, {"scopes": ["users:admin"]}),
        (ADMIN, {"scopes": ["run", "executions:*"]}),
        (ADMIN, {"prompts": ["other"]}),
        (ADMIN, {"prompts": ["t*"]}),
        (SHORT, {"expires_at": NOON + timedelta(hours=1, microseconds=1)}),
        (actor("publisher"), {}),
        (actor("publisher", {"keys:admin"}), {"role": "viewer"}),
        (actor("admin", {"users:admin"}), {}),
    ],
)
async def test_a_key_that_may_more_than_its_maker_is_not_made(
    ring: KeyRing, by: Actor, asked: dict[str, object]
) -> None:
    with pytest.raises(Forbidden):
        await ring.issue("more", by=by, **asked)  # type: ignore[arg-type]

    assert await ring.list(by=LOCAL) == []


async def test_what_is_not_said_of_a_key_is_as_its_makers(ring: KeyRing) -> None:
    same = (await ring.issue("same", by=SHORT)).key
    less = (await ring.issue("less", by=SHORT, role="viewer", scopes=["prompts:read"], prompts=["team/a"])).key

    assert msgspec.structs.replace(same.actor, name="ada") == SHORT
    assert (less.role, less.scopes, less.prompts, less.expires_at) == (
        *("viewer", ("prompts:read",), ("team/a",)),
        SHORT.expires_at,
    )


@pytest.mark.parametrize(
    "asked",
    [
        {"role": "owner"},
        {"scopes": []},
        {"scopes": ["prompts:burn"]},
        {"scopes": ["*"]},
        {"prompts": []},
        {"prompts": ["*"]},
        {"expires_at": NOON},
        {"expires_at": datetime(2099, 1, 1)},  # noqa: DTZ001  # it has no zone
        {"user": "key:x"},
    ],
)
async def test_what_says_nothing_usable_of_a_key_is_refused(ring: KeyRing, asked: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        await ring.issue("odd", by=LOCAL, **asked)  # type: ignore[arg-type]


async def test_who_is_limited_sees_and_revokes_only_keys_that_are_limited_alike(ring: KeyRing) -> None:
    whole = (await ring.issue("whole", by=LOCAL)).key
    own = (await ring.issue("own", by=ADMIN)).key

    assert list(await ring.list(by=LOCAL)) == [whole, own]
    assert list(await ring.list(by=ADMIN)) == [own]
    with pytest.raises(ApiKeyNotFound):
        await ring.revoke(whole.id, by=ADMIN)


def test_scopes_are_the_actions_and_their_families() -> None:
    assert SCOPES - LEAST.keys() == {
        *("prompts:*", "executions:*", "metrics:*", "outcomes:*", "reviews:*"),
        *("scopes:*", "types:*", "events:*", "rules:*", "users:*", "keys:*"),
    }


def test_asking_costs_next_to_nothing() -> None:
    limited = actor("runner", {"run", "outcomes:write"}, TEAM)

    best = min(_seconds_of(10_000, limited) for _ in range(5)) / 10_000

    assert best < 3e-6  # promised is 1 us


def _seconds_of(times: int, limited: Actor) -> float:
    begun = time.perf_counter()
    for _ in range(times):
        authorize(limited, "run", "team/a")
    return time.perf_counter() - begun
