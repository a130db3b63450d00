"""Whatever is written as a template, the answer is a text or a typed error, soon, and nothing gets out."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path
from tempfile import gettempdir

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuewire.model.errors import TemplateError, TemplateLimitExceeded
from cuewire.model.text import is_storable
from cuewire.template.filters import catalogue
from cuewire.template.pool import RenderPool
from cuewire.template.render import TemplateRenderer
from tests.data.ssti import INPUTS, PLACES, families

AT = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
CANARY = Path(gettempdir()) / f"cuewire-canary-{os.getpid()}"
VERDICT_S = 3 * 0.25
EXPRESSIONS = [expression for family in families().values() for expression in family]
PIECES = st.sampled_from(
    [
        *EXPRESSIONS,
        *("{{", "}}", "{%", "%}", "{#", "#}", "|", "~", "(", ")", "[", "]", "'", '"', ".", "__class__", "text", "\n"),
        *("for a in items", "endfor", "if text", "endif", "set a = ", "macro m(a)", "endmacro", "block b", "endblock"),
        *(f"| {entry.name}" for entry in catalogue()),
        *("| date('%A', tz=text)", "| currency(text)", "| change(items)", "| top(9, 'a')", "| pluck('a.b')"),
        *("| table(['a'])", "| quote(text)", "| number(99)", "| round(-9)", "| ago(now)", "| map('percent')"),
        *("| json(2)", "'1e999999'"),
        *("now", "today()", "now(text)", "timedelta(days=9999999999)", "parse_date(text, '%Y')", "len(items)", "sum("),
        *("*", "**", "%", "9999999999", "range(10000)", "| join", "| center(99999)", ".format(", "| map('upper')"),
    ]
)
TEMPLATES = st.one_of(
    st.lists(PIECES, max_size=12).map(" ".join),
    st.lists(PIECES, max_size=12).map("".join),
    st.builds(
        lambda place, parts: place.replace("X", "".join(parts)), st.sampled_from(PLACES), st.lists(PIECES, max_size=4)
    ),
    st.text(max_size=60),
)


def canary_exists() -> bool:
    return CANARY.exists()


async def check(sources: list[str]) -> None:
    """Render all in the pool and where they are bounded: both agree."""
    pool = RenderPool()
    try:
        await pool.render(("warm",), {}, key="")
        renderer = TemplateRenderer(pool=pool)
        for source in sources:
            outcomes = [await outcome(each, source) for each in (pool, renderer)]

            if not any(each.startswith(TemplateLimitExceeded.code) for each in outcomes):  # that depends on the load
                assert outcomes[0] == outcomes[1]
            assert is_storable(outcomes[0])
    finally:
        await pool.close()


async def outcome(renderer: RenderPool | TemplateRenderer, source: str) -> str:
    try:
        async with asyncio.timeout(2 * VERDICT_S):
            (text,) = await renderer.render((source,), INPUTS, key=source, at=AT)  # type: ignore[arg-type]  # is JSON
    except TemplateError as error:
        return f"{error.code}: {error}"
    return text


@pytest.mark.contract("S3-088")
@given(st.lists(TEMPLATES, min_size=40, max_size=60))
@settings(max_examples=45)
async def test_any_text_is_a_template_or_a_typed_error(sources: list[str]) -> None:
    await check([source.replace("CANARY", str(CANARY)) for source in sources])

    assert not canary_exists()


@pytest.mark.soak
@given(st.lists(TEMPLATES, min_size=50, max_size=200))
@settings(max_examples=8_000)
async def test_any_text_is_a_template_or_a_typed_error_for_long(sources: list[str]) -> None:
    await check([source.replace("CANARY", str(CANARY)) for source in sources])

    assert not canary_exists()
