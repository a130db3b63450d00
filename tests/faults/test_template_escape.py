"""No template reaches what lies outside of it: every payload ends in a typed error or in harmless text."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from cuewire.model.errors import TemplateError
from cuewire.model.includes import NOTHING, IncludedText, Includes
from cuewire.ports import Renderer
from cuewire.template.pool import RenderPool
from cuewire.template.render import TemplateRenderer
from tests.data.ssti import INPUTS, PLACES, SECRET, VARIABLE, families, is_leak, payloads
from tests.support.no_pool import NoPool
from tests.support.plain_jinja import outcomes

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT = datetime(2026, 1, 31, tzinfo=UTC)
AT_ONCE = 2


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[RenderPool]:
    pool = RenderPool(workers=AT_ONCE)
    yield pool
    await pool.close()


@pytest.fixture(params=["in the pool", "where it is bounded"])
def renderer(request: pytest.FixtureRequest, pool: RenderPool) -> Renderer:
    return pool if request.param == "in the pool" else TemplateRenderer(pool=NoPool())


async def outcome(renderer: Renderer, template: str, includes: Includes = NOTHING) -> str:
    try:
        (text,) = await renderer.render((template,), INPUTS, key=template, at=AT, includes=includes)
    except TemplateError as error:
        return str(error)
    return text


async def leaks(renderer: Renderer, templates: Iterable[str]) -> Mapping[str, str]:
    """Return what leaks, by template."""
    found: dict[str, str] = {}
    rest = iter(templates)

    async def render_rest() -> None:
        for template in rest:
            if is_leak(text := await outcome(renderer, template)):
                found[template] = text

    await asyncio.gather(*(render_rest() for _ in range(AT_ONCE)))
    return found


@pytest.mark.contract("S3-088", "S3-129")
@pytest.mark.parametrize("family", families())
async def test_no_payload_gets_out(
    family: str, renderer: Renderer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, SECRET)
    canary = tmp_path / "canary"

    assert await leaks(renderer, payloads(family, canary=canary)) == {}
    assert not canary.exists()


@pytest.mark.soak
@pytest.mark.parametrize("family", families())
async def test_no_payload_gets_out_in_any_place(
    family: str, renderer: Renderer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, SECRET)
    canary = tmp_path / "canary"

    assert await leaks(renderer, payloads(family, canary=canary, places=len(PLACES))) == {}
    assert not canary.exists()


TAKING_IN = (
    "{% include 'a' %}{% include 'a' without context %}",
    "{% extends 'a' %}{% block b %}{{ super ~ '' }}{{ [super, self] }}{{ super() }}{% endblock %}",
    "{% set x = prompt('a') %}{{ x }}{{ x.__class__ }}",
)


@pytest.mark.contract("S3-088")
@pytest.mark.parametrize("family", ["globals", "macros", "other templates", "format"])
async def test_no_payload_gets_out_of_a_text_that_another_takes_in(
    family: str, renderer: Renderer, tmp_path: Path
) -> None:
    canary = tmp_path / "canary"
    found = {}

    for number, template in enumerate([*payloads(family, canary=canary)][:120]):
        text = IncludedText(text=f"{{% block b %}}{{% endblock %}}{template}")
        includes = Includes(pins={"a": "a@1"}, texts={"a@1": text})
        if is_leak(told := await outcome(renderer, TAKING_IN[number % len(TAKING_IN)] + f"{{# {number} #}}", includes)):
            found[template] = told

    assert found == {}
    assert not canary.exists()


@pytest.mark.contract("S3-088")
async def test_the_corpus_has_two_thousand_payloads(tmp_path: Path) -> None:
    corpus = {template for family in families() for template in payloads(family, canary=tmp_path)}

    assert len(corpus) >= 2_000
    assert len(families()) == 13


@pytest.mark.contract("S3-088")
async def test_plain_jinja2_lets_hundreds_of_the_payloads_out(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    corpus = [template for family in families() for template in payloads(family, canary=canary)][::2]

    found = await asyncio.to_thread(outcomes, corpus, INPUTS, canary=canary, environment={VARIABLE: SECRET})

    assert sum(each.is_written for each in found) > 100
    assert sum(SECRET in each.text for each in found) > 75
    assert sum(is_leak(each.text) for each in found) > 300


@pytest.mark.contract("S3-088")
@pytest.mark.parametrize(
    "expression",
    [
        "''.__class__",
        "text['__class__']",
        "text['__cla' ~ 'ss__']",
        "[text] | map(attribute='__class__') | list",
        "'{0.__class__}'.format(text)",
        "cycler.__init__.__globals__",
        "range.__globals__",
        "items.append(1)",
        "text.encode('utf8')",
        "self.__init__",
        "now.__class__",
        "now.replace(year=1)",
        "today.__init__.__globals__",
        "parse_date.__globals__",
        "[now] | map(attribute='__class__') | list",
    ],
)
async def test_walking_objects_is_told_to_be_forbidden(expression: str, pool: RenderPool) -> None:
    for renderer in (pool, TemplateRenderer(pool=pool)):
        with pytest.raises(TemplateError) as caught:
            await renderer.render(("\n{{ " + expression + " }}",), INPUTS, key=expression, at=AT)

        assert caught.value.code == "template_forbidden"
        assert caught.value.line == 2
