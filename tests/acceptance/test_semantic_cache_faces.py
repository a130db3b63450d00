"""Matches, verdicts and trust: in the library on each database, without await, over a server, on the command line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import cuewire
from cuewire.config import load
from cuewire.engine.nearby import LOOK_S
from cuewire.model.cache import Trust
from cuewire.model.errors import InvalidInput, NotFound, PromptNotFound, VersionNotFound
from tests.acceptance.conftest import KEY, SettingsMaker, surroundings
from tests.support import postgres
from tests.support.command_line import CommandLine
from tests.support.meanings import EMBEDDING, MeaningDesk
from tests.support.policy_models import opened, said
from tests.support.stores import execution_id

QUESTIONS = ("How do I block my card?", "How can I block my card", "how to block my card")


@pytest.fixture
async def server() -> AsyncIterator[MeaningDesk]:
    """Run a model server that answers, and makes vectors, in place of the scripted one."""
    desk = MeaningDesk(lambda _: said(f"answer {desk.answered}"))
    async with desk:
        yield desk


def policy(**semantic: Any) -> dict[str, Any]:
    return {"cache": {"semantic": {"on": ["x"], "model": f"openai/{EMBEDDING}", **semantic}}}


async def ask(app: cuewire.App) -> list[str]:
    """Publish two prompts, ask each three alike questions, and return the ids of the first one's executions."""
    for name in ("ours", "theirs"):
        await app.prompts.publish(name, "{{ x }}", model="openai/gpt-4o-mini", policy=policy())
    ran = {name: [(await app.run(name, {"x": said})).id for said in QUESTIONS] for name in ("ours", "theirs")}
    return ran["ours"]


async def test_matches_are_listed_decided_and_counted(app: cuewire.App) -> None:
    first, second, third = await ask(app)

    page = await app.cache.matches("ours", limit=1)
    rest = await app.cache.matches("ours", limit=1, after=page.next)
    right = await app.cache.decide(second, "right")
    wrong = await app.cache.decide(third, "wrong")
    undecided = await app.cache.matches(undecided=True)

    assert [match.execution_id for match in (*page.items, *rest.items)] == [second, third]
    assert rest.next is None
    (one,) = page.items
    assert (one.prompt, one.version, one.source_id, one.verdict) == ("ours", 1, first, None)
    assert (one.text, one.matched_text) == QUESTIONS[1::-1]
    assert (one.answer, one.matched_answer) == ("answer 2", "answer 1")
    assert 0.95 <= one.similarity <= 1
    assert (right.verdict, right.answer, wrong.verdict) == ("right", "answer 2", "wrong")
    assert right.decided_at is not None
    assert {match.prompt for match in undecided.items} == {"theirs"}
    assert len((await app.cache.matches()).items) == 4
    assert await app.cache.trust("ours@1") == Trust(right=1, wrong=1, undecided=0)
    assert await app.cache.trust("theirs") == Trust(right=0, wrong=0, undecided=2)


async def test_what_is_not_there_or_says_nothing_is_refused(app: cuewire.App) -> None:
    first, second, _ = await ask(app)
    await app.prompts.publish("plain", "{{ x }}", model="openai/gpt-4o-mini")

    for nothing in (first, execution_id(), "18"):
        with pytest.raises(NotFound, match=nothing):
            await app.cache.decide(nothing, "right")
    with pytest.raises(InvalidInput) as refused:
        await app.cache.decide(second, "perhaps")
    assert refused.value.field == "/verdict"
    with pytest.raises(InvalidInput) as untold:
        await app.cache.trust("plain")
    assert untold.value.field == "/prompt"
    with pytest.raises(PromptNotFound):
        await app.cache.trust("nobody")
    with pytest.raises(VersionNotFound):
        await app.cache.trust("ours@7")
    with pytest.raises(PromptNotFound):
        await app.cache.matches("nobody")
    for limit in (0, 1_001):
        with pytest.raises(InvalidInput):
            await app.cache.matches(limit=limit)


async def test_a_question_is_answered_again_after_a_restart(
    server: MeaningDesk, way: str, make_settings: SettingsMaker, make_local_settings: SettingsMaker
) -> None:
    del way
    settings = make_local_settings(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
    async with cuewire.open(settings=settings) as app:
        await app.prompts.publish("ours", "{{ x }}", model="openai/gpt-4o-mini", policy=policy())
        first = await app.run("ours", {"x": QUESTIONS[0]})
    async with cuewire.open(settings=make_settings(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)) as app:
        again = await app.run("ours", {"x": QUESTIONS[1]})
        (match,) = (await app.cache.matches("ours")).items

    assert (match.execution_id, match.source_id, match.matched_text) == (again.id, first.id, QUESTIONS[0])


async def test_what_another_process_was_asked_on_postgresql_is_found_within_a_second(
    server: MeaningDesk, tmp_path: Path
) -> None:
    async with postgres.database() as url:
        environment = {**surroundings(tmp_path, url), "OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY}
        settings = load(environment=environment, folder=tmp_path)
        async with cuewire.open(settings=settings) as mine, cuewire.open(settings=settings) as yours:
            await mine.prompts.publish("ours", "{{ x }}", model="openai/gpt-4o-mini", policy=policy())
            await mine.run("ours", {"x": "Something else"})
            first = await yours.run("ours", {"x": QUESTIONS[0]})
            await asyncio.sleep(LOOK_S)

            again = await mine.run("ours", {"x": QUESTIONS[1]})
            (match,) = (await yours.cache.matches("ours")).items

    assert (match.execution_id, match.source_id, match.matched_text) == (again.id, first.id, QUESTIONS[0])


async def test_the_same_without_await(server: MeaningDesk, make_settings: SettingsMaker) -> None:
    settings = make_settings(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)

    def work() -> tuple[list[str | None], Trust]:
        with cuewire.open(settings=settings) as app:
            app.prompts.publish("ours", "{{ x }}", model="openai/gpt-4o-mini", policy=policy())
            _, second, third = [app.run("ours", {"x": said}).id for said in QUESTIONS]
            page = app.cache.matches("ours", undecided=True, limit=1)
            rest = app.cache.matches("ours", undecided=True, after=page.next)
            assert [match.execution_id for match in (*page.items, *rest.items)] == [second, third]
            verdicts = [app.cache.decide(second, "wrong").verdict, app.cache.decide(second, "right").verdict]
            return [*verdicts], app.cache.trust("ours")

    assert await asyncio.to_thread(work) == (["wrong", "right"], Trust(right=1, wrong=0, undecided=1))


async def test_the_command_line_lists_decides_and_tells(cue: CommandLine, server: MeaningDesk) -> None:
    cue.environment |= {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY}
    empty = await cue("cache", "matches", "--verbose")
    rules = '{"cache": {"semantic": {"on": ["x"], "model": "openai/text-embedding-3-small"}}}'
    await cue("prompts", "publish", "ours", "-", "--model", "openai/gpt-4o-mini", "--policy", rules, stdin=b"{{ x }}")
    _, second, third = [(await cue("run", "ours", "-v", f"x={said}", "--json")).json["id"] for said in QUESTIONS]

    listed = await cue("cache", "matches", "ours", "--limit", "1", "--verbose")
    page = (await cue("cache", "matches", "ours", "--limit", "1", "--json")).json
    rest = (await cue("cache", "matches", "ours", "--after", page["next"], "--json")).json
    decided = await cue("cache", "decide", second, "right")
    as_json = (await cue("cache", "decide", third, "wrong", "--json")).json
    wrong = await cue("cache", "decide", second, "perhaps")
    trust, numbers = (
        await cue("cache", "trust", "ours", "--verbose"),
        (await cue("cache", "trust", "ours", "--json")).json,
    )
    left = (await cue("cache", "matches", "--undecided", "--json")).json

    assert "in cache.semantic" in empty.out + empty.err
    assert f"{second}  ours@1  " in listed.out
    assert all(said in listed.out for said in (QUESTIONS[0], QUESTIONS[1], "answer 1", "answer 2", "undecided"))
    assert "there are more" in listed.out + listed.err
    assert [match["execution_id"] for match in (*page["items"], *rest["items"])] == [second, third]
    assert (decided.code, decided.out.startswith(f"{second} is right, says ")) == (0, True)
    assert (as_json["verdict"], wrong.code, "no verdict" in wrong.err) == ("wrong", 4, True)
    assert ("97.47%" in trust.out, "not enough" in trust.out + trust.err) == (True, True)
    assert (numbers["right"], numbers["wrong"], numbers["suffices"]) == (1, 1, False)
    assert left["items"] == []


async def test_the_command_line_shows_how_near_the_question_of_a_hit_was(server: MeaningDesk, tmp_path: Path) -> None:
    server.reply = lambda _: said("card")
    async with opened(server, tmp_path) as app:
        await app.prompts.publish(
            "ours", "{{ x }}", model="openai/gpt-4o-mini", output=["card", "loan"], policy=policy(mode="serve")
        )
        await app.run("ours", {"x": QUESTIONS[0]})
        for number in range(299):
            await app.run("ours", {"x": QUESTIONS[1] + f"{number:09b}".translate({48: ".", 49: "!"})})
    place = {"CUEWIRE_DATABASE_URL": f"sqlite:///{tmp_path}/cue.db"}
    cue = CommandLine(tmp_path, {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY, **place})

    hit = await cue("run", "ours", "-v", f"x={QUESTIONS[2]}", "--verbose")
    shown = await cue("executions", "show", hit.err.split()[-1])
    trust = await cue("cache", "trust", "ours", "--verbose")

    assert hit.out == "card\n"
    assert "from the cache, asked 0.99" in hit.err
    assert "similar   0.99" in shown.out
    assert f"to what was asked there: {QUESTIONS[0]}"[:60] in shown.out
    assert "enough; " in trust.out + trust.err
