"""Questions that mean the same: first only noted, then answered from the cache, and nothing else ever."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import cuewire
from cuewire.model.errors import CuewireError, InvalidInput, ModelNotFound, NotFound
from tests.support.meanings import EMBEDDING, MeaningDesk
from tests.support.policy_models import opened, said

MODEL = "openai/gpt-4o-mini"
ASKED = "How do I reset my passcode?"
ALIKE = "how can I reset my passcode"
ENOUGH = 299
"""Matches, all right, with which at most one in a hundred is wrong, with 95 % confidence."""


@pytest.fixture
async def desk() -> AsyncIterator[MeaningDesk]:
    desk = MeaningDesk(lambda _: said("card"))
    async with desk:
        yield desk


@pytest.fixture
async def app(desk: MeaningDesk, tmp_path: Path) -> AsyncIterator[cuewire.App]:
    async with opened(desk, tmp_path) as running:
        yield running


async def publish(app: cuewire.App, text: str = "Topic? {{ x }}", **more: Any) -> None:
    semantic = {"on": ["x"], "model": f"openai/{EMBEDDING}", "mode": "serve", **more.pop("semantic", {})}
    policy = {"cache": {"semantic": semantic, **more.pop("cache", {})}}
    options = {"model": MODEL, "policy": policy, "publish": True, "output": ["card", "loan"], **more}
    await app.prompts.publish("topic", text, **options)


async def trusted(app: cuewire.App, **inputs: Any) -> None:
    """Ask alike questions until their answers are given."""
    await app.run("topic", {"x": "how do I block my card", **inputs})
    for number in range(ENOUGH):
        pauses = f"{number:09b}".translate({48: ".", 49: "!"})
        await app.run("topic", {"x": f"how to block my card{pauses}", **inputs})


@pytest.mark.contract("S4-18", "S4-25", "S4-38")
async def test_a_question_that_means_the_same_is_answered_from_the_cache_once_that_has_proved_right(
    app: cuewire.App, desk: MeaningDesk
) -> None:
    await publish(app)
    await trusted(app)
    first = await app.run("topic", {"x": ASKED})
    calls = desk.answered

    again = await app.run("topic", {"x": ALIKE}, idempotency_key="once")
    record = await app.executions.get(again.id)
    stored = await app.run("topic", {"x": ALIKE}, idempotency_key="once")

    assert desk.answered == calls == ENOUGH + 2
    assert (stored.id, stored.similarity, stored.matched_text) == (again.id, again.similarity, again.matched_text)
    assert record.without_bodies().matched_text is None
    assert (again.value, again.cached_from, again.matched_text) == ("card", first.id, ASKED)
    assert again.similarity is not None
    assert 0.95 <= again.similarity <= 1
    assert (again.saved_usd, record.similarity, record.matched_text) == (first.cost_usd, again.similarity, ASKED)
    assert [(call.purpose, call.model) for call in record.calls] == [("embedding", f"openai/{EMBEDDING}")]
    assert again.cost_usd == pytest.approx(record.calls[0].cost_usd)
    assert (first.similarity, first.matched_text) == (None, None)


@pytest.mark.contract("S4-38")
async def test_what_would_have_been_given_is_noted_beside_the_answer_that_was_got(
    app: cuewire.App, desk: MeaningDesk
) -> None:
    await publish(app)
    first = await app.run("topic", {"x": ASKED})
    desk.reply = lambda _: said("loan")

    again = await app.run("topic", {"x": ALIKE})
    (match,) = (await app.cache.matches("topic")).items
    trust = await app.cache.trust("topic")

    assert (again.value, again.cached_from, desk.answered) == ("loan", None, 2)
    assert (match.execution_id, match.source_id, match.prompt, match.version) == (again.id, first.id, "topic", 1)
    assert (match.text, match.matched_text, match.answer, match.matched_answer) == (ALIKE, ASKED, "loan", "card")
    assert (match.verdict, match.decided_by) == ("wrong", "value")
    assert (trust.right, trust.wrong, trust.undecided, trust.suffices) == (0, 1, 0, False)


async def test_in_shadow_mode_nothing_is_given_however_right_it_is(app: cuewire.App, desk: MeaningDesk) -> None:
    await publish(app, semantic={"mode": "shadow"})
    await trusted(app)
    await app.run("topic", {"x": ASKED})

    again = await app.run("topic", {"x": ALIKE})

    assert (await app.cache.trust("topic")).suffices
    assert (again.cached_from, desk.answered) == (None, ENOUGH + 3)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Send 100 euros to Ada", "Send 200 euros to Ada"),
        ("Swap euros for dollars", "Swap dollars for euros"),
        ("Is my card blocked", "Is my card not blocked"),
        ("Delete all old letters", "Delete old letters"),
        ("Block my card", "Freeze my card"),
    ],
)
async def test_what_differs_in_more_than_politeness_is_another_question(app: cuewire.App, one: str, other: str) -> None:
    await publish(app, semantic={"threshold": 0})
    await app.run("topic", {"x": one})

    await app.run("topic", {"x": other})

    assert (await app.cache.matches("topic")).items == ()


async def test_all_that_is_not_compared_by_its_meaning_must_be_equal(app: cuewire.App) -> None:
    await publish(app, text="Topic in {{ country }}? {{ x }}", cache={"must_match": ["agent"]})
    await app.run("topic", {"x": ASKED, "country": "US"})

    await app.run("topic", {"x": ALIKE, "country": "CA"})
    await app.run("topic", {"x": ALIKE + "!", "country": "US"}, metadata={"agent": "scout"})
    await app.run("topic", {"x": ALIKE + ".", "country": "US"}, parameters={"max_tokens": 9})
    none = await app.cache.matches("topic")
    await app.run("topic", {"x": ALIKE, "country": "US"})

    assert none.items == ()
    assert len((await app.cache.matches("topic")).items) == 1


async def test_texts_are_decided_by_who_reads_them(app: cuewire.App) -> None:
    await publish(app, output="text")
    await app.run("topic", {"x": ASKED})
    again = await app.run("topic", {"x": ALIKE})

    (waiting,) = (await app.cache.matches("topic", undecided=True)).items
    decided = await app.cache.decide(again.id, "right")
    trust = await app.cache.trust("topic")

    assert (waiting.execution_id, waiting.verdict) == (again.id, None)
    assert (decided.verdict, decided.decided_by) == ("right", "local")
    assert (trust.right, trust.undecided) == (1, 0)
    assert (await app.cache.matches("topic", undecided=True)).items == ()
    with pytest.raises(InvalidInput) as refused:
        await app.cache.decide(again.id, "perhaps")
    assert refused.value.field == "/verdict"
    with pytest.raises(NotFound):
        await app.cache.decide((await app.run("topic", {"x": "Something else"})).id, "right")


async def test_a_verifier_has_the_last_word_and_allows_other_words(app: cuewire.App, desk: MeaningDesk) -> None:
    await app.prompts.publish("same", "Same? {{ question }} / {{ earlier }} / {{ answer }}", model="openai/gpt-4o")
    await publish(app, semantic={"verifier": "same", "threshold": 0.1})
    await app.run("topic", {"x": "Block my card"})
    replies = iter(["no", "yes"])
    desk.reply = lambda asked: said(next(replies) if asked["model"] == "gpt-4o" else "card")

    refused = await app.run("topic", {"x": "Freeze my card"})
    agreed = await app.run("topic", {"x": "Stop my card"})
    matches = (await app.cache.matches("topic")).items
    judges = (await app.executions.list(prompt="same")).items

    assert [match.execution_id for match in matches] == [agreed.id]
    assert {judge.parent_id for judge in judges} == {refused.id, agreed.id}
    assert {judge.purpose for judge in judges} == {"judge"}


async def test_an_embedding_that_fails_leaves_the_run_as_it_would_have_been(
    app: cuewire.App, desk: MeaningDesk
) -> None:
    await publish(app)
    desk.refuses = True

    result = await app.run("topic", {"x": ASKED})
    calls = (await app.executions.get(result.id)).calls

    assert result.value == "card"
    assert [(call.purpose, call.status) for call in calls] == [("embedding", "failed"), ("first", "ok")]


async def test_what_an_encoder_would_cut_off_is_not_compared(app: cuewire.App) -> None:
    await publish(app)

    result = await app.run("topic", {"x": "word " * 129})

    assert [call.purpose for call in (await app.executions.get(result.id)).calls] == ["first"]


async def test_what_was_cleared_is_found_no_more(app: cuewire.App) -> None:
    await publish(app)
    await app.run("topic", {"x": ASKED})
    assert await app.cache.clear("topic") == 1

    await app.run("topic", {"x": ALIKE})

    assert (await app.cache.matches("topic")).items == ()


@pytest.mark.parametrize(
    ("semantic", "field"),
    [
        ({"on": []}, "/policy/cache/semantic/on"),
        ({"on": ["y"]}, "/policy/cache/semantic/on/0"),
        ({"model": "minilm"}, "/policy/cache/semantic/model"),
        ({"threshold": 1.1}, "/policy/cache/semantic/threshold"),
        ({"threshold": -0.1}, "/policy/cache/semantic/threshold"),
        ({"verifier": "topic"}, "/policy/cache/semantic/verifier"),
        ({"verifier": "absent"}, "/policy/cache/semantic/verifier"),
        ({"mode": "always"}, "/policy/cache/semantic/mode"),
    ],
)
async def test_what_cannot_be_meant_is_refused_when_it_is_published(
    app: cuewire.App, semantic: dict[str, Any], field: str
) -> None:
    with pytest.raises(CuewireError) as refused:
        await publish(app, semantic=semantic)

    assert refused.value.field == field
    assert (await app.prompts.list()).items == ()


async def test_an_embedding_model_that_is_not_there_is_told_before_any_call(
    app: cuewire.App, desk: MeaningDesk
) -> None:
    await publish(app, semantic={"model": "nobody/mini"})

    with pytest.raises(ModelNotFound) as refused:
        await app.run("topic", {"x": ASKED})

    assert (refused.value.field, desk.received) == ("/policy/cache/semantic/model", [])
