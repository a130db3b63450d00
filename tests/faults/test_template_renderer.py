"""Which renders leave the process: those without a bound, those of large inputs, and large templates."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from cuewire.model.errors import TemplateError
from cuewire.model.prompts import Variable
from cuewire.template.pool import RenderPool
from cuewire.template.render import SMALL_TOKENS, TemplateRenderer
from tests.support.stores import HeldClock


@pytest.fixture
async def pool() -> AsyncIterator[RenderPool]:
    pool = RenderPool()
    yield pool
    await pool.close()


async def test_bounded_templates_need_no_process(pool: RenderPool) -> None:
    renderer = TemplateRenderer(pool=pool)

    await renderer.render(("Hi {{ a }}", "x" * 200_000), {"a": "b"}, key="1")
    await renderer.variables(("{{ a }}",))

    assert pool.pid is None


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{ a ** 2 }}", 2),
        ("{% for b in a %}{{ a }}{% endfor %}", ["x" * 100] * 100),
        ("{{ a }}" * (SMALL_TOKENS // 2), "x"),
    ],
)
async def test_other_renders_leave_the_process(pool: RenderPool, template: str, value: object) -> None:
    renderer = TemplateRenderer(pool=pool)

    (text,) = await renderer.render((template,), {"a": value}, key="1")  # type: ignore[dict-item]  # is JSON

    assert text
    assert pool.pid is not None


async def test_a_large_template_is_inspected_in_the_pool(pool: RenderPool) -> None:
    names = await TemplateRenderer(pool=pool).variables(("{{ a }}" * SMALL_TOKENS,))

    assert names == {"a": Variable()}
    assert pool.pid is not None


async def test_a_fault_in_a_large_template_is_told_from_the_pool(pool: RenderPool) -> None:
    with pytest.raises(TemplateError) as caught:
        await TemplateRenderer(pool=pool).render(("{{ a }}" * SMALL_TOKENS + "{{ b c }}",), {}, key="1")

    assert (caught.value.code, caught.value.line) == ("template_syntax", 1)


@pytest.mark.contract("S3-086")
async def test_a_render_without_an_instant_gets_the_time_of_the_clock_on_both_paths(pool: RenderPool) -> None:
    clock = HeldClock()
    renderer = TemplateRenderer(clock=clock, pool=pool)

    texts = [
        await renderer.render((template,), {}, key=template) for template in ("{{ now }}", "{{ now }}{{ 2 ** 0 }}")
    ]
    given = await renderer.render(("{{ now }}",), {}, key="{{ now }}", at=datetime(2026, 1, 31, tzinfo=UTC))

    written = clock.now().isoformat(timespec="seconds")
    assert texts == [(written,), (f"{written}1",)]
    assert given == ("2026-01-31T00:00:00+00:00",)


async def test_versions_beyond_the_kept_ones_compile_again(pool: RenderPool) -> None:
    renderer = TemplateRenderer(pool=pool, versions=1)

    texts = [await renderer.render((key + "{{ a }}",), {"a": 1}, key=key) for key in ("x", "y", "x")]

    assert texts == [("x1",), ("y1",), ("x1",)]
