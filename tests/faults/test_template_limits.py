"""A template that wants too much time, memory or output is stopped, and nobody else notices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from cuewire.model.errors import TemplateError, TemplateLimitExceeded
from cuewire.template.pool import RenderPool
from cuewire.template.render import TemplateRenderer

VERDICT_S = 0.25
SLACK = 3
MEBIBYTE = 1_048_576

ENDLESS = "{% for a in range(10000) %}{% for b in range(10000) %}{% endfor %}{% endfor %}"
DEEP = "{% set n = namespace(v=1) %}{% for i in range(9999) %}{% set n.v = [n.v] %}{% endfor %}"
BOMBS = {
    "repeated text": "{{ 'a' * 500000000 }}",
    "power": "{{ 10 ** 5000000 }}",
    "power of a power": "{{ 9 ** (9 ** 9) }}",
    "percent width": "{{ '%1000000000d' % 1 }}",
    "percent width behind a key": "{{ '%((a)b)1000000000d' % {'(a)b': 1} }}",
    "percent width by a test": "{{ text is divisibleby(3) }}",
    "format width": "{{ '{:1000000000}'.format(1) }}",
    "format width from an argument": "{{ '{:{}}'.format(1, 1000000000) }}",
    "format width in other digits": "{{ '{:１００００００００００}'.format(1) }}",
    "format precision": "{{ '{:.1000000000f}'.format(1.5) }}",
    "center": "{{ 'a' | center(1000000000) }}",
    "ljust": "{{ 'a'.ljust(1000000000) }}",
    "zfill": "{{ 'a'.zfill(1000000000) }}",
    "indent": "{{ 'a\\nb' | indent(1000000000, true) }}",
    "tabs": "{{ '\\t'.expandtabs(1000000000) }}",
    "wordwrap": "{{ ('a ' * 1000) | wordwrap(1, true, 'x' * 100000) }}",
    "join": "{{ range(10000) | join('x' * 100000) }}",
    "join by method": "{{ ('x' * 100000).join(['a'] * 10000) }}",
    "replace": "{{ ('a' * 100000) | replace('a', 'b' * 100000) }}",
    "batch": "{{ [1] | batch(1000000000, 0) | list }}",
    "slice": "{{ [1] | slice(1000000000) | list }}",
    "round": "{{ 'abc' | round(9, 'ceil') }}",
    "long range": "{{ range(1000000000000000000000) | list }}",
    "huge exponent": "{{ '1e999999999' | number }}",
    "many digits": "{{ (10 ** 19000) | percent }}",
    "many places": "{{ 1 | number(1000000000) }}",
    "rounding to many places": "{{ 1 | round(1000000000) }}",
    "percent of many digits": "{{ ('9' * 1000000) | percent }}",
    "width in a date": "{{ 0 | date('%1000000000d') }}",
    "long format of a date": "{{ 0 | date('%A' * 100000) }}",
    "long format to read": "{{ parse_date('1' * 1000000, '%Y' ~ 'a' * 1000000) }}",
    "time beyond all": "{{ parse_date(10 ** 400) }}{{ timedelta(days=10 ** 400) }}",
    "wide bullets": "{{ ['a'] | bullets(indent=1000000000) }}",
    "long bullets": "{{ (['x' * 100000] * 1000) | bullets }}",
    "long table": "{{ ([{'a': 'x' * 100000}] * 1000) | table(max_rows=1000) }}",
    "long csv": "{{ ([{'a': 'x' * 100000}] * 1000) | csv }}",
    "wide table": "{{ [dict.fromkeys(range(10000), 1)] | table }}",
    "long yaml": "{{ (['x' * 100000] * 1000) | yaml }}",
    "deep yaml": DEEP + "{{ n.v | yaml }}",
    "deep json by ours": DEEP + "{{ n.v | json }}",
    "deep json to read": "{{ ('[' * 500000) | from_json }}",
    "letters that grow": "{{ ('\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}' * 1000000) | slug }}",
    "nested loops": ENDLESS,
    "loops in a condition": "{% if range(10000) | map('string') | join | length %}" + ENDLESS + "{% endif %}",
    "doubling": "{% set n = namespace(s='a') %}{% for i in range(60) %}{% set n.s = n.s ~ n.s %}{% endfor %}",
    "doubling by sum": "{% set n = namespace(s=[1]) %}{% for i in range(60) %}{% set n.s = n.s + n.s %}{% endfor %}",
    "endless macro": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "forking macro": "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
    "block in itself": "{% block a %}{{ self.a() }}{% endblock %}",
    "large output": "{% for a in range(10000) %}" + "x" * 1000 + "{% endfor %}",
    "deep value": DEEP + "{{ n.v }}",
    "deep json": DEEP + "{{ n.v | tojson }}",
    "brackets": "{{ " + "(" * 5_000 + "1" + ")" * 5_000 + " }}",
    "ifs": "{% if a %}" * 3_000 + "{% endif %}" * 3_000,
    "loops in loops": "{% for a in [1] %}" * 25 + "{% endfor %}" * 25,
    "joins": "{{ 1" + " ~ 1" * 100_000 + " }}",
    "sums": "{{ 1" + " + 1" * 5_000 + " }}",
    "nots": "{{ " + "not " * 5_000 + "1 }}",
    "long source": "x" * 10_000_000,
    "many tags": "{{ a }}" * 30_000,
    "long number": "{{ 1" + "0" * 100_000 + " }}",
}
INPUTS: Mapping[str, Any] = {"text": "%1000000000d"}


@pytest.fixture
async def pool() -> AsyncIterator[RenderPool]:
    pool = RenderPool()
    await pool.render(("warm",), {}, key="")
    yield pool
    await pool.close()


def resident_bytes() -> int:
    """Return the memory that this process has in use."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


async def verdict(renderer: RenderPool | TemplateRenderer, template: str) -> TemplateError:
    with pytest.raises(TemplateError) as caught:
        async with asyncio.timeout(VERDICT_S * SLACK):
            await renderer.render((template,), INPUTS, key=template)
    return caught.value


@pytest.mark.contract("S3-088")
@pytest.mark.parametrize("bomb", BOMBS)
async def test_a_bomb_gets_its_verdict_in_the_pool(bomb: str, pool: RenderPool) -> None:
    before = resident_bytes()

    error = await verdict(pool, BOMBS[bomb])

    assert error.message
    assert resident_bytes() - before < 20 * MEBIBYTE
    assert await pool.render(("still {{ text }}",), {"text": "here"}, key="") == ("still here",)


@pytest.mark.contract("S3-088")
async def test_no_bomb_goes_off_in_the_server(pool: RenderPool) -> None:
    renderer = TemplateRenderer(pool=pool)
    before = resident_bytes()

    for template in BOMBS.values():
        assert (await verdict(renderer, template)).message

    assert resident_bytes() - before < 20 * MEBIBYTE


@pytest.mark.contract("S3-088")
@pytest.mark.parametrize("bomb", ["nested loops", "doubling", "large output", "power", "many tags", "join"])
async def test_a_bomb_is_told_to_exceed_a_limit(bomb: str, pool: RenderPool) -> None:
    assert isinstance(await verdict(pool, BOMBS[bomb]), TemplateLimitExceeded)


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
