"""Each filter gives what its golden file says, in this process and outside of it: the same texts, the same errors.

A case is a value (none given: not defined), what is done with it, and what that gives or how it fails.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from cuewire.model.errors import TemplateError
from cuewire.template.bounds import bound_of
from cuewire.template.compiled import CompiledTemplate, render_all
from cuewire.template.cost import cost
from cuewire.template.filters import catalogue
from cuewire.template.parse import parse
from cuewire.template.pool import RenderPool

GOLDEN = Path(__file__).parents[1] / "data/filters"
AT = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[RenderPool]:
    pool = RenderPool()
    yield pool
    await pool.close()


def cases(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    return found


def inputs_of(case: Mapping[str, Any]) -> dict[str, Any]:
    if "value" not in case:
        return {}
    return {"x": case["value"] * case["repeat"] if "repeat" in case else case["value"]}


def expected(case: Mapping[str, Any]) -> str:
    return str(case["gives"]) if "gives" in case else f"fails: {case['fails']}"


def here(template: str, inputs: Mapping[str, Any]) -> str:
    try:
        (text,) = render_all([CompiledTemplate(parse(template))], inputs, at=AT)
    except TemplateError as error:
        return f"fails: {error.code}"
    return text


async def there(pool: RenderPool, template: str, inputs: Mapping[str, Any]) -> str:
    try:
        (text,) = await pool.render((template,), inputs, key=template, at=AT)
    except TemplateError as error:
        return f"fails: {error.code}"
    return text


@pytest.mark.contract("S3-085", "S3-087")
@pytest.mark.parametrize("name", [entry.name for entry in catalogue()])
async def test_a_filter_gives_what_its_golden_file_says(name: str, pool: RenderPool) -> None:
    for case in cases(name):
        template, inputs = f"{{{{ x | {case['use']} }}}}", inputs_of(case)

        assert [here(template, inputs), await there(pool, template, inputs)] == [expected(case)] * 2, case


@pytest.mark.parametrize("name", [entry.name for entry in catalogue()])
async def test_what_a_filter_gives_obeys_its_bound(name: str) -> None:
    for case in cases(name):
        inputs = inputs_of(case)
        bound = bound_of(parse(f"{{{{ x | {case['use']} }}}}"))

        assert bound is None or len(case.get("gives", "")) <= cost(bound, inputs), case


async def test_there_is_a_golden_file_for_each_filter() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == {entry.name for entry in catalogue()}


@pytest.mark.contract("S3-087")
async def test_the_example_of_each_filter_holds(pool: RenderPool) -> None:
    for entry in catalogue():
        assert [here(entry.example, {}), await there(pool, entry.example, {})] == [entry.result] * 2, entry.name
