"""Taking in other prompts works as in Jinja2 with a loader: the same templates give the same text on all paths."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import DictLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from cuewire.model.errors import TemplateError
from cuewire.model.includes import IncludedText, Includes
from cuewire.template.pool import RenderPool
from cuewire.template.render import TemplateRenderer

INPUTS: Mapping[str, Any] = {"x": "ex", "xs": ["a", "b"], "n": 7, "yes": True}
STATEMENTS = (
    "{% if yes %}INNER{% else %}INNER{% endif %}",
    "{% for i in xs %}INNER{{ i }}{{ loop.index }}{% endfor %}",
    "{% for i in xs %}INNER{% endfor %}",
    "{% set q = n %}INNER",
    "{% with q = x %}INNER{% endwith %}",
    "{% macro m(q) %}INNER{{ q }}{% endmacro %}{{ m(n) }}",
    "{% filter upper %}INNER{% endfilter %}",
    "{% block BLOCK %}INNER{% endblock %}",
    "{% block BLOCK %}INNER{{ super() }}{% endblock %}",
    "{% block BLOCK scoped %}{{ i | default('no i') }}INNER{% endblock %}",
)
PIECES = st.one_of(
    st.sampled_from(["text ", "\n", "{{ x }}", "{{ q | default('-') }}", "{{ i | default('.') }}", "{{ missing }}"]),
    st.sampled_from(["{% include 'OTHER' %}", "  {% include 'OTHER' %}\n"]),
    st.sampled_from(["{{ self.BLOCK() }}", "{{ loop.index | default('-') if loop is defined }}"]),
)
ALONE = st.just("{% include 'OTHER' without context %}")
"""In macros and filters Jinja2 prints it in the wrong place, or prints a generator."""
BLOCKS = ("one", "two", "three")


def bodies() -> st.SearchStrategy[str]:
    return st.recursive(
        PIECES,
        lambda inner: st.builds(filled, st.sampled_from(STATEMENTS), st.lists(inner, min_size=2, max_size=2)),
        max_leaves=5,
    )


def filled(statement: str, inner: list[str]) -> str:
    """Put parts into a statement."""
    for text in inner:
        statement = statement.replace("INNER", text, 1)
    return statement


@st.composite
def prompts(draw: st.DrawFn) -> list[str]:
    """Make texts of which each may take in or extend those before it."""
    texts: list[str] = []
    for number in range(draw(st.integers(2, 4))):
        text = "".join(draw(st.lists(bodies() | ALONE, min_size=1, max_size=4)))
        others = st.sampled_from([f"p{other}" for other in range(number or 1)])
        blocks = draw(st.permutations(BLOCKS))
        for name in [*blocks, *(f"own_{use}" for use in range(text.count("BLOCK")))]:
            text = text.replace("BLOCK", name, 1)
        if not number:
            text = text.replace("include 'OTHER'", "set q = 0").replace(" without context", "")
        while "OTHER" in text:
            text = text.replace("OTHER", draw(others), 1)
        if number and draw(st.booleans()):
            text = f"{{% extends '{draw(others)}' %}}{text}"
        texts.append(text)
    return texts


def by_jinja(texts: Sequence[str]) -> str | None:
    """Return the text of the last, None if it fails."""
    environment = ImmutableSandboxedEnvironment(
        loader=DictLoader({f"p{number}": text for number, text in enumerate(texts)}),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    try:
        return environment.get_template(f"p{len(texts) - 1}").render(INPUTS)
    except Exception:  # noqa: BLE001  # whatever fails there must fail here
        return None


async def by_us(renderer: RenderPool | TemplateRenderer, texts: Sequence[str]) -> str | None:
    pins = [{f"p{other}": f"p{other}@1" for other in range(number)} for number in range(len(texts))]
    below = {f"p{number}@1": IncludedText(text=text, pins=pins[number]) for number, text in enumerate(texts[:-1])}
    includes = Includes(pins=pins[-1], texts=below)
    try:
        (text,) = await renderer.render((texts[-1],), INPUTS, key=str(texts), includes=includes)
    except TemplateError:
        return None
    return text


async def differences(many: Sequence[Sequence[str]]) -> list[tuple[Sequence[str], list[str | None]]]:
    """Return the texts that do not give the same three results, with them."""
    found = []
    pool = RenderPool()
    renderer = TemplateRenderer(pool=pool)
    try:
        for texts in many:
            results = [by_jinja(texts), await by_us(renderer, texts), await by_us(pool, texts)]
            if len(set(results)) > 1:
                found.append((texts, results))
    finally:
        await pool.close()
    return found


@pytest.mark.contract("S3-084")
@given(st.lists(prompts(), min_size=20, max_size=40))
@settings(max_examples=8)
def test_what_jinja_takes_in_we_take_in_the_same(many: list[list[str]]) -> None:
    assert asyncio.run(differences(many)) == []


@pytest.mark.soak
@given(st.lists(prompts(), min_size=100, max_size=300))
@settings(max_examples=500)
def test_what_jinja_takes_in_we_take_in_the_same_for_long(many: list[list[str]]) -> None:
    assert asyncio.run(differences(many)) == []
