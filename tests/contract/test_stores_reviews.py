"""What protects labels, reviews, strategies, configurations and types of templates, on every database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cuewire.model.errors import (
    InvalidInput,
    PromptArchived,
    ReviewDecided,
    ReviewNotFound,
    ReviewRequired,
    ScopeExists,
    ScopeNotFound,
    StillInUse,
    VersionNotFound,
)
from cuewire.model.reviews import Check, CheckResult, LabelRule, Review
from cuewire.model.scopes import ScopeKind
from tests.support.stores import KINDS, Stores, draft, opened

RULE = LabelRule(
    label="production",
    role="admin",
    needs_review=True,
    checks=(Check(name="greets", inputs={"name": "Ada"}, expected="Hello Ada", contains=("Hello",)),),
)


@pytest.fixture(params=KINDS)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with opened(request.param, tmp_path) as stores:
        yield stores


async def prompt_of(stores: Stores, versions: int = 2) -> int:
    made = [await stores.prompts.publish(draft("greet", text=f"text {number}")) for number in range(versions)]
    return made[0].prompt_id


async def test_a_rule_of_a_prompt_stands_in_the_place_of_that_of_all(stores: Stores) -> None:
    prompt_id = await prompt_of(stores)
    own = LabelRule(label="production", prompt_id=prompt_id, role="publisher")
    await stores.rules.set_rule(RULE, by="ada")
    await stores.rules.set_rule(LabelRule(label="canary"), by="ada")
    await stores.rules.set_rule(own, by="ada")

    assert {rule.label: rule for rule in await stores.rules.rules(prompt_id)} == {
        "production": own,
        "canary": LabelRule(label="canary"),
    }
    assert RULE in await stores.rules.rules()
    assert await stores.rules.drop_rule("production", prompt_id=prompt_id, by="ada")
    assert not await stores.rules.drop_rule("production", prompt_id=prompt_id, by="ada")
    assert RULE in await stores.rules.rules(prompt_id)


async def test_an_approved_review_moves_its_label(stores: Stores) -> None:
    prompt_id = await prompt_of(stores)
    asked = await stores.reviews.ask(prompt_id, "production", 2, by="ada", comment="better")
    same = await stores.reviews.ask(prompt_id, "production", 2, by="ben", comment="")
    results = (CheckResult(name="greets", passed=True, execution_id="x"),)
    await stores.reviews.check(asked.id, results)
    stores.clock.advance(minutes=1)

    decided = await stores.reviews.decide(asked.id, status="approved", by="ben", comment="fine")

    assert same == asked
    assert (asked.status, asked.asked_by, asked.comment, asked.decided_by) == ("pending", "ada", "better", None)
    assert (decided.status, decided.decided_by, decided.decided_at) == ("approved", "ben", stores.clock.wall)
    assert decided.checks == results
    assert (await stores.prompts.get("greet")).labels["production"] == 2
    events = await stores.events.list(limit=100, prompt_id=prompt_id)
    assert [event.action for event in events][-3:] == ["review.asked", "review.approved", "label.moved"]


@pytest.mark.parametrize("status", ["rejected", "withdrawn"])
async def test_a_review_that_is_refused_moves_nothing(stores: Stores, status: str) -> None:
    prompt_id = await prompt_of(stores)
    asked = await stores.reviews.ask(prompt_id, "production", 2, by="ada", comment="")

    await stores.reviews.decide(asked.id, status=status, by="ben", comment="no")  # type: ignore[arg-type]

    assert (await stores.prompts.get("greet")).labels["production"] == 1
    assert [review.status for review in await stores.reviews.list(prompt_id=prompt_id, limit=10)] == [status]
    assert await stores.reviews.list(status="pending", limit=10) == ()


async def test_what_is_refused_in_the_end_leaves_nothing(stores: Stores) -> None:
    prompt_id = await prompt_of(stores)
    asked = await stores.reviews.ask(prompt_id, "production", 2, by="ada", comment="")
    await stores.rules.set_rule(RULE, by="ada")
    own = LabelRule(label="production", prompt_id=prompt_id, needs_review=True)
    seen: list[LabelRule] = []

    def refuse(rule: LabelRule, review: Review) -> None:
        assert review.id == asked.id
        seen.append(rule)
        raise ReviewRequired("not yet")

    for _ in range(2):
        with pytest.raises(ReviewRequired):
            await stores.reviews.decide(asked.id, status="approved", by="ben", comment="", refuse=refuse)
        await stores.rules.set_rule(own, by="ada")
    for rule_of in (prompt_id, None):
        await stores.rules.drop_rule("production", prompt_id=rule_of, by="ada")
    with pytest.raises(ReviewRequired):
        await stores.reviews.decide(asked.id, status="approved", by="ben", comment="", refuse=refuse)

    assert seen == [RULE, own, LabelRule(label="production")]
    assert await stores.reviews.get(asked.id) == asked
    assert (await stores.prompts.get("greet")).labels["production"] == 1
    assert "review.approved" not in {event.action for event in await stores.events.list(limit=100)}


async def test_of_many_who_decide_one_does(stores: Stores) -> None:
    prompt_id = await prompt_of(stores)
    asked = await stores.reviews.ask(prompt_id, "production", 2, by="ada", comment="")

    decided = await asyncio.gather(
        *(stores.reviews.decide(asked.id, status="approved", by=f"by {number}", comment="") for number in range(6)),
        return_exceptions=True,
    )

    assert [type(one) for one in decided].count(ReviewDecided) == 5
    with pytest.raises(ReviewDecided, match="has been approved"):
        await stores.reviews.check(asked.id, ())


async def test_what_is_not_there_cannot_be_reviewed(stores: Stores) -> None:
    prompt_id = await prompt_of(stores)
    asked = await stores.reviews.ask(prompt_id, "production", 2, by="ada", comment="")

    with pytest.raises(VersionNotFound):
        await stores.reviews.ask(prompt_id, "production", 9, by="ada", comment="")
    with pytest.raises(ReviewNotFound):
        await stores.reviews.get(asked.id + 1)
    with pytest.raises(ReviewNotFound):
        await stores.reviews.decide(asked.id + 1, status="approved", by="ben", comment="")
    await stores.prompts.change("greet", status="archived")
    with pytest.raises(PromptArchived):
        await stores.reviews.decide(asked.id, status="approved", by="ben", comment="")
    assert (await stores.reviews.get(asked.id)).status == "pending"


@pytest.mark.parametrize("kind", ["strategy", "configuration"])
async def test_scopes_are_made_changed_listed_and_removed(stores: Stores, kind: ScopeKind) -> None:
    made = await stores.scopes.put(kind, "b", {"parameters": {"n": [1, None]}}, is_new=True, by="ada")
    await stores.scopes.put(kind, "a", {}, is_new=True, by="ada")
    stores.clock.advance(minutes=1)
    changed = await stores.scopes.put(kind, str(made.id), {"description": "x"}, is_new=False, by="ada")

    assert (changed.name, changed.description, changed.parameters) == ("b", "x", {"n": [1, None]})
    assert (changed.created_at, changed.updated_at) == (made.created_at, stores.clock.wall)
    assert [scope.name for scope in await stores.scopes.list(kind)] == ["a", "b"]
    with pytest.raises(ScopeExists):
        await stores.scopes.put(kind, "a", {}, is_new=True, by="ada")
    await stores.scopes.remove(kind, "b", by="ada")
    for absent in ("b", str(made.id), "0", "9" * 18):
        with pytest.raises(ScopeNotFound):
            await stores.scopes.get(kind, absent)


async def test_a_configuration_has_a_parent_and_one_is_the_default(stores: Stores) -> None:
    await stores.scopes.put("configuration", "base", {"is_default": True}, is_new=True, by="ada")
    child = await stores.scopes.put("configuration", "child", {"parent": "base"}, is_new=True, by="ada")
    await stores.scopes.put("configuration", "child", {"is_default": True}, is_new=False, by="ada")

    assert child.parent == "base"
    assert [scope.name for scope in await stores.scopes.list("configuration") if scope.is_default] == ["child"]
    with pytest.raises(InvalidInput, match="cannot be its own parent"):
        await stores.scopes.put("configuration", "base", {"parent": "child"}, is_new=False, by="ada")
    with pytest.raises(StillInUse, match="is in use"):
        await stores.scopes.remove("configuration", "base", by="ada")
    assert (await stores.scopes.get("configuration", "base")).parent is None


async def test_a_strategy_with_prompts_stays(stores: Stores) -> None:
    await stores.scopes.put("strategy", "momentum", {}, is_new=True, by="ada")
    await stores.prompts.publish(draft("signal"), strategy="momentum")

    with pytest.raises(StillInUse, match="is in use"):
        await stores.scopes.remove("strategy", "momentum", by="ada")
