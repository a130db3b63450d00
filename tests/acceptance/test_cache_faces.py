"""What the cache holds, seen and cleared: by the library on each database, over a server, and on the command line."""

from __future__ import annotations

import pytest

import cuewire
from cuewire.model.errors import InvalidInput, PromptNotFound
from tests.support.command_line import CommandLine
from tests.support.model_server import ModelServer, completion, plain

USAGE = {"prompt_tokens": 1_000, "completion_tokens": 0, "total_tokens": 1_000}
COST_USD = 1_000 * 0.15e-6


async def keep(app: cuewire.App, server: ModelServer) -> list[str]:
    """Publish two prompts, ask each a question, and the first one once more; return the ids of the executions."""
    server.script(*[plain(completion(f"answer {number}", usage=USAGE)) for number in range(9)])
    for name in ("one", "two"):
        policy = {"cache": {"ttl_s": 3_600}}
        await app.prompts.publish(name, "{{ x }}", model="openai/gpt-4o-mini", policy=policy)
    return [(await app.run(name, {"x": "?"})).id for name in ("one", "two", "one")]


async def test_entries_are_listed_counted_and_cleared(app: cuewire.App, server: ModelServer) -> None:
    first, second, _ = await keep(app, server)

    entries, stats = (await app.cache.list()).items, await app.cache.stats()
    page = await app.cache.list(limit=1)
    rest = await app.cache.list(limit=1, after=page.next)

    assert {(entry.source_id, entry.text) for entry in entries} == {(first, "answer 0"), (second, "answer 1")}
    assert [*page.items, *rest.items] == [*entries]
    assert rest.next is None
    assert (stats.entries, stats.expired, stats.hits) == (2, 0, 1)
    assert stats.saved_usd == pytest.approx(COST_USD)
    assert await app.cache.clear("one", number=2) == 0
    assert await app.cache.clear("one") == 1
    assert (await app.run("one", {"x": "?"})).text == "answer 2"
    assert (await app.run("two", {"x": "?"})).cached_from == second
    assert await app.cache.clear() == 2
    assert (await app.cache.list()).items == ()


async def test_a_prompt_that_is_nowhere_and_a_number_without_one_are_refused(app: cuewire.App) -> None:
    with pytest.raises(PromptNotFound):
        await app.cache.clear("nobody")
    with pytest.raises(InvalidInput) as refused:
        await app.cache.clear(number=1)

    assert refused.value.field == "/prompt"


async def test_the_command_line_lists_counts_and_clears(cue: CommandLine) -> None:
    policy = '{"cache": {}}'
    await cue("prompts", "publish", "greet", "-", "--model", "scripted/echo", "--policy", policy, stdin=b"Hi {{ x }}")
    _, again = [await cue("run", "greet", "-v", "x=Ada", "--verbose") for _ in range(2)]
    shown = await cue("executions", "show", again.err.split()[-1])

    listed, stats = await cue("cache", "list"), await cue("cache", "stats", "--json")
    cleared, wrong = await cue("cache", "clear", "greet@1"), await cue("cache", "clear", "greet@production")
    empty = await cue("cache", "list")

    assert "from the cache" in again.err
    assert "which saved $0.00" in shown.out
    assert "scripted/echo" in listed.out
    assert "Hi Ada" in listed.out
    assert (stats.json["entries"], stats.json["hits"]) == (1, 1)
    assert (cleared.code, cleared.out) == (0, "1 entry removed\n")
    assert (wrong.code, "by its number" in wrong.err) == (2, True)
    assert "a version's policy says what is" in empty.out + empty.err
