"""A template that wants too much time, memory or output is stopped, and nobody else notices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import Any

import pytest

from cuewire.model.errors import InvalidInput, TemplateError, TemplateLimitExceeded, TemplateUndefined
from cuewire.model.includes import IncludedText, Includes
from cuewire.template.pool import RenderPool
from cuewire.template.render import TemplateRenderer
from tests.data.bombs import BOMBS, ENDLESS, INPUTS, UNBOUNDED
from tests.support.no_pool import Elsewhere, NoPool

VERDICT_S = 0.25
SLACK = 3
MEBIBYTE = 1_048_576


@pytest.fixture
async def pool() -> AsyncIterator[RenderPool]:
    pool = RenderPool()
    await pool.render(("warm",), {}, key="")
    yield pool
    await pool.close()


def resident_bytes() -> int:
    """Return the memory that this process has in use."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def peak_bytes() -> int:
    """Return the most memory that this process has ever had in use."""
    return getrusage(RUSAGE_SELF).ru_maxrss * 1024


async def in_time(renderer: RenderPool | TemplateRenderer, template: str) -> str:
    async with asyncio.timeout(VERDICT_S * SLACK):
        (text,) = await renderer.render((template,), INPUTS, key=template)
    return text


async def verdict(renderer: RenderPool | TemplateRenderer, template: str) -> TemplateError:
    try:
        async with asyncio.timeout(VERDICT_S * SLACK):
            await renderer.render((template,), INPUTS, key=template)
    except TemplateError as error:
        return error.with_traceback(None)  # whose frames would keep the inputs
    pytest.fail(f"it was rendered: {template[:200]}")


@pytest.mark.contract("S3-088")
@pytest.mark.parametrize("kind", BOMBS)
async def test_bombs_get_their_verdict_in_the_pool_while_others_render(kind: str, pool: RenderPool) -> None:
    renderer = TemplateRenderer(pool=pool)
    before = resident_bytes()

    for bomb, template in BOMBS[kind].items():
        error, *beside = await asyncio.gather(
            verdict(pool, template), in_time(pool, "still {{ text }}"), in_time(renderer, "still {{ text | upper }}")
        )

        assert error.message, bomb
        assert beside == ["still %1000000000d", "still %1000000000D"], bomb
    assert resident_bytes() - before < 20 * MEBIBYTE


@pytest.mark.contract("S3-088")
@pytest.mark.parametrize("kind", BOMBS)
async def test_no_bomb_goes_off_in_the_server(kind: str) -> None:
    renderer = TemplateRenderer(pool=NoPool())
    before = peak_bytes()

    for bomb, template in BOMBS[kind].items():
        assert (await verdict(renderer, template)).message, bomb

    assert peak_bytes() - before < 20 * MEBIBYTE


@pytest.mark.contract("S3-088")
def test_there_are_more_than_a_hundred_bombs() -> None:
    assert len({template for kind in BOMBS.values() for template in kind.values()}) > 100


@pytest.mark.contract("S3-088")
@pytest.mark.parametrize("case", UNBOUNDED)
async def test_what_takes_more_than_it_seems_to_renders_elsewhere(case: str) -> None:
    template, inputs = UNBOUNDED[case]

    with pytest.raises(Elsewhere):
        async with asyncio.timeout(VERDICT_S * SLACK):
            await TemplateRenderer(pool=NoPool()).render((template,), inputs, key=case)


@pytest.mark.contract("S3-088")
async def test_texts_that_take_in_each_other_again_and_again_are_stopped(pool: RenderPool) -> None:
    texts = {
        f"t{n}@1": IncludedText(f"{{% include 't{n + 1}' %}}" * 30, {f"t{n + 1}": f"t{n + 1}@1"}) for n in range(7)
    }
    includes = Includes(pins={"t0": "t0@1"}, texts={**texts, "t7@1": IncludedText("x" * 1_000)})

    for renderer in (pool, TemplateRenderer(pool=pool)):
        for template in ("{% include 't0' %}", "{{ prompt('t0') }}", "{% extends 't0' %}"):
            async with asyncio.timeout(VERDICT_S * SLACK):
                with pytest.raises(TemplateLimitExceeded):
                    await renderer.render((template,), {}, key=template, includes=includes)


@pytest.mark.contract("S3-088")
async def test_inputs_nested_too_deep_are_refused(pool: RenderPool) -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]

    for renderer in (pool, TemplateRenderer(pool=pool)):
        with pytest.raises(InvalidInput, match="too deep"):
            await renderer.render(("{{ x }}",), {"x": deep}, key="")


async def test_a_lone_surrogate_is_refused_in_templates_and_inputs(pool: RenderPool) -> None:
    for renderer in (pool, TemplateRenderer(pool=pool)):
        for template in ("{{ x }}", "{{ '\ud800' ~ 1 }}"):
            with pytest.raises(TemplateError, match="lone surrogate"):
                await renderer.render((template,), {"x": "\ud800"}, key=template)


@pytest.mark.parametrize("template", ["{{ x['\\ud800'] }}", "{{ x['\\x00'] }}", "{{ [x] | sum('\\ud800') }}"])
async def test_an_error_that_quotes_what_no_database_can_store_says_so_otherwise(
    template: str, pool: RenderPool
) -> None:
    for renderer in (pool, TemplateRenderer(pool=pool)):
        with pytest.raises(TemplateUndefined, match="has no field '\ufffd'"):
            await renderer.render((template,), {"x": {}}, key=template)


@pytest.mark.contract("S3-088")
@pytest.mark.parametrize(
    ("kind", "bomb"),
    [
        ("loops", "nested loops"),
        ("growing", "doubling"),
        ("text", "large output"),
        ("text", "join"),
        ("numbers", "power"),
        ("parser", "many tags"),
    ],
)
async def test_a_bomb_is_told_to_exceed_a_limit(kind: str, bomb: str, pool: RenderPool) -> None:
    assert isinstance(await verdict(pool, BOMBS[kind][bomb]), TemplateLimitExceeded)


@pytest.mark.parametrize(("templates", "field"), [((ENDLESS,), "/templates/0"), (("a", ENDLESS), "/templates")])
async def test_a_render_that_the_kernel_ends_has_its_place_as_far_as_that_is_known(
    pool: RenderPool, templates: tuple[str, ...], field: str
) -> None:
    with pytest.raises(TemplateLimitExceeded, match="took too long") as caught:
        await pool.render(templates, {}, key="")

    assert caught.value.field == field


@pytest.mark.parametrize(
    ("item", "uses"),
    [
        (1, ("mean", "stdev", "top(3)", "bullets", "json")),
        ("a", ("numbered", "yaml", "tokens")),
        ({"a": 1}, ("table", "pluck('a')")),
    ],
)
async def test_filters_of_a_million_items_end_in_time(pool: RenderPool, item: Any, uses: tuple[str, ...]) -> None:
    inputs = {"x": [item] * 1_000_000}
    renderer = TemplateRenderer(pool=pool)

    for use in uses:
        async with asyncio.timeout(SLACK):  # most of it is for the inputs, which travel too
            with suppress(TemplateError):
                assert len(await renderer.render(("{{ x | " + use + " | length }}",), inputs, key=use)) == 1, use


async def test_other_renders_go_on_beside_a_bomb(pool: RenderPool) -> None:
    bomb = asyncio.create_task(verdict(pool, ENDLESS))

    texts = [await pool.render(("{{ n }}",), {"n": n}, key="") for n in range(20)]

    assert not bomb.done()
    assert texts == [(str(n),) for n in range(20)]
    assert isinstance(await bomb, TemplateLimitExceeded)


async def test_renders_wait_in_line_behind_bombs(pool: RenderPool) -> None:
    bombs = [asyncio.create_task(verdict(pool, ENDLESS)) for _ in range(2)]

    async with asyncio.timeout(2 * VERDICT_S * SLACK):
        text = await pool.render(("here",), {}, key="")

    assert text == ("here",)
    assert len(await asyncio.gather(*bombs)) == 2


async def test_a_render_that_waits_too_long_is_refused() -> None:
    pool = RenderPool(workers=1, queue_s=0.05)
    await pool.render(("warm",), {}, key="")
    bomb = asyncio.create_task(verdict(pool, ENDLESS))
    await asyncio.sleep(0)

    with pytest.raises(TemplateLimitExceeded, match="busy"):
        await pool.render(("here",), {}, key="")

    await bomb
    await pool.close()


async def test_a_cancelled_render_keeps_its_place_until_its_worker_is_free() -> None:
    pool = RenderPool(workers=1)
    await pool.render(("warm",), {}, key="")
    bomb = asyncio.create_task(pool.render((ENDLESS,), {}, key=""))
    await asyncio.sleep(0)

    bomb.cancel()
    async with asyncio.timeout(VERDICT_S * SLACK):
        text = await pool.render(("here",), {}, key="")

    assert text == ("here",)
    assert bomb.cancelled()
    await pool.close()
