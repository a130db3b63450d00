"""What goes wrong beside a run that looks for similar questions costs it no more than that."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import cuewire
from cuewire.model.errors import StoreError
from tests.support.meanings import EMBEDDING, MeaningDesk
from tests.support.policy_models import opened, said

MODEL, VERIFIER = "openai/gpt-4o-mini", "openai/gpt-4o"


@pytest.fixture
async def desk() -> AsyncIterator[MeaningDesk]:
    desk = MeaningDesk(lambda _: said("card"))
    async with desk:
        yield desk


@pytest.fixture
async def app(desk: MeaningDesk, tmp_path: Path) -> AsyncIterator[cuewire.App]:
    async with opened(desk, tmp_path) as running:
        yield running


async def publish(app: cuewire.App, name: str = "topic", **semantic: Any) -> None:
    policy = {"cache": {"semantic": {"on": ["x"], "model": f"openai/{EMBEDDING}", **semantic}}}
    await app.prompts.publish(name, "Topic? {{ x }}", model=MODEL, policy=policy, publish=True)


async def verifying(app: cuewire.App, **more: Any) -> None:
    text = "Same? {{ question }} / {{ earlier }} / {{ answer }}"
    await app.prompts.publish("same", text, model=VERIFIER, publish=True, **more)


def drop(folder: Path, table: str) -> None:
    """Take a table away under a running Cuewire."""
    with closing(sqlite3.connect(folder / "cue.db")) as connection:
        connection.execute(f"DROP TABLE {table}")


async def test_a_verifier_that_fails_agrees_to_nothing_and_is_logged(
    app: cuewire.App, desk: MeaningDesk, caplog: pytest.LogCaptureFixture
) -> None:
    await verifying(app)
    await publish(app, verifier="same", threshold=0.1)
    await app.run("topic", {"x": "Block my card"})
    desk.reply = lambda asked: said("down", status=500) if asked["model"] == "gpt-4o" else said("loan")

    with caplog.at_level(logging.WARNING):
        result = await app.run("topic", {"x": "Freeze my card"})

    assert (result.value, result.cached_from) == ("loan", None)
    assert f"cache.not_verified execution={result.id} reason=provider_fault" in caplog.text
    assert (await app.cache.matches("topic")).items == ()


async def test_a_verifier_that_has_several_candidates_by_now_is_not_asked(app: cuewire.App, desk: MeaningDesk) -> None:
    await verifying(app)
    await publish(app, verifier="same", threshold=0.1)
    await verifying(app, policy={"parallel": {"mode": "static_count", "count": 2}})
    await app.run("topic", {"x": "Block my card"})

    await app.run("topic", {"x": "Freeze my card"})

    assert desk.asked("gpt-4o") == []
    assert (await app.cache.matches("topic")).items == ()


async def test_a_verifier_is_asked_of_the_nearest_question_that_its_words_do_not_rule_out(
    app: cuewire.App, desk: MeaningDesk
) -> None:
    await verifying(app)
    await publish(app, verifier="same", threshold=0.1)
    for earlier in ("Block my card in 2024", "Block this card in 2025 please"):
        await app.run("topic", {"x": earlier})
    desk.reply = lambda asked: said("yes" if asked["model"] == "gpt-4o" else "card")

    await app.run("topic", {"x": "Block that card in 2025"})
    (match,) = (await app.cache.matches("topic")).items
    ((message,),) = [asked["messages"] for asked in desk.asked("gpt-4o")]

    assert match.matched_text == "Block this card in 2025 please"
    assert message["content"] == "Same? Block that card in 2025 / Block this card in 2025 please / card"


async def test_two_prompts_that_verify_each_other_come_to_an_end(app: cuewire.App, desk: MeaningDesk) -> None:
    semantic = {"on": ["question"], "model": f"openai/{EMBEDDING}", "threshold": 0}
    for name, verifier in (("one", None), ("other", "one"), ("one", "other")):
        policy = {"cache": {"semantic": {**semantic, "verifier": verifier}}}
        await app.prompts.publish(name, "Same? {{ question }}", model=MODEL, policy=policy, publish=True)
    desk.reply = lambda _: said("yes")

    async with asyncio.timeout(10):
        for word in ("Block", "Freeze", "Stop", "Halt", "End"):
            await app.run("one", {"question": f"{word} it"})
    purposes = Counter(each.purpose for each in (await app.executions.list()).items)

    assert purposes == {"app": 5, "judge": 4}


async def test_a_match_that_cannot_be_noted_is_logged_and_the_answer_is_there(
    app: cuewire.App, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await publish(app)
    await app.run("topic", {"x": "How do I block my card"})
    drop(tmp_path, "cache_matches")

    with caplog.at_level(logging.WARNING):
        result = await app.run("topic", {"x": "How can I block my card?"})

    assert (result.value, (await app.executions.get(result.id)).status) == ("card", "succeeded")
    assert f"cache.match_not_kept execution={result.id} reason=store" in caplog.text


async def test_a_database_that_fails_under_a_verifier_fails_the_run(
    app: cuewire.App, desk: MeaningDesk, tmp_path: Path
) -> None:
    await verifying(app)
    await publish(app, verifier="same", threshold=0.1)
    await app.run("topic", {"x": "Block my card"})
    drop(tmp_path, "labels")

    with pytest.raises(StoreError):
        await app.run("topic", {"x": "Freeze my card"})

    assert desk.answered == 1


async def test_questions_that_cannot_be_read_fail_the_run_and_leave_nobody_waiting(
    app: cuewire.App, tmp_path: Path
) -> None:
    await publish(app)
    drop(tmp_path, "cache_questions")

    for _ in range(2):
        with pytest.raises(StoreError) as failed:
            await app.run("topic", {"x": "How do I block my card"})
        assert (await app.executions.get(str(failed.value.execution_id))).status == "failed"


async def test_a_text_that_its_embedding_found_too_long_is_not_compared(app: cuewire.App, desk: MeaningDesk) -> None:
    await publish(app)
    desk.tokens = 131
    await app.run("topic", {"x": "How do I block my card"})
    await app.run("topic", {"x": "How can I block my card"})
    long = await app.cache.matches("topic")
    desk.tokens = 130
    await app.run("topic", {"x": "How do I block my card?"})
    await app.run("topic", {"x": "How can I block my card?"})

    assert long.items == ()
    assert len((await app.cache.matches("topic")).items) == 1
