"""No template reaches what lies outside of it: every payload ends in a typed error or in harmless text."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cuewire.model.errors import TemplateError
from cuewire.ports import Renderer
from cuewire.template.pool import RenderPool
from cuewire.template.render import TemplateRenderer
from tests.data.ssti import INPUTS, families, payloads

AT = datetime(2026, 1, 31, tzinfo=UTC)
SECRET = "canary-5f2e91"
INSIDE = re.compile(
    r"<(?:class|function|module|frame|code|slot wrapper|built-in|bound method|generator)| at 0x|subprocess"
)
"""What a written form of Python's own objects looks like."""


@pytest.fixture
async def pool() -> AsyncIterator[RenderPool]:
    pool = RenderPool()
    yield pool
    await pool.close()


@pytest.fixture(params=["in the pool", "where it is bounded"])
def renderer(request: pytest.FixtureRequest, pool: RenderPool) -> Renderer:
    return pool if request.param == "in the pool" else TemplateRenderer(pool=pool)


async def outcome(renderer: Renderer, template: str) -> str:
    try:
        (text,) = await renderer.render((template,), INPUTS, key=template, at=AT)  # type: ignore[arg-type]  # is JSON
    except TemplateError as error:
        return str(error)
    return text


@pytest.mark.contract("S3-088")
@pytest.mark.parametrize("family", families())
async def test_no_payload_gets_out(
    family: str, renderer: Renderer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUEWIRE_CANARY", SECRET)
    canary = tmp_path / "canary"

    outcomes = {template: await outcome(renderer, template) for template in payloads(family, canary=canary)}

    leaks = {
        template: text
        for template, text in outcomes.items()
        if SECRET in text or "root:" in text or INSIDE.search(text)
    }
    assert leaks == {}
    assert not canary.exists()


@pytest.mark.contract("S3-088")
def test_the_corpus_has_a_thousand_payloads(tmp_path: Path) -> None:
    corpus = {template for family in families() for template in payloads(family, canary=tmp_path)}

    assert len(corpus) >= 1_000
    assert len(families()) == 13


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
async def test_walking_objects_is_told_to_be_forbidden(expression: str, renderer: Renderer) -> None:
    with pytest.raises(TemplateError) as caught:
        await renderer.render(("\n{{ " + expression + " }}",), INPUTS, key=expression, at=AT)  # type: ignore[arg-type]

    assert caught.value.code == "template_forbidden"
    assert caught.value.line == 2
