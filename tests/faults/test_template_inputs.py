"""Inputs are data: whatever they hold, a template shows it byte for byte, and nothing of it is read as a template."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuewire.model.includes import IncludedText, Includes
from cuewire.model.values import Json
from cuewire.template.pool import RenderPool
from cuewire.template.render import TemplateRenderer
from tests.data.ssti import families
from tests.support.no_pool import NoPool

UNCHANGED = (
    "{{ x }}",
    "{{ x | string }}",
    "{{ x | default('-') }}",
    "{{ x | d('-') }}",
    "{{ x | default_if_none('-') }}",
    "{{ x | truncate(100000) }}",
    "{{ x | truncate_words(100000) }}",
    "{{ x | truncate_tokens(100000) }}",
    "{{ x | reverse | reverse }}",
    "{{ x | list | join }}",
    "{{ x | join }}",
    "{{ x | json | from_json }}",
    "{{ x | tojson | from_json }}",
    "{{ x | trim('') }}",
    "{{ x | replace('\\x00', '-') }}",
    "{{ x ~ '' }}",
    "{{ '%s' | format(x) }}",
    "{{ [x] | first }}",
    "{{ [x] | last }}",
    "{{ [x] | join }}",
    "{{ [x] | map('string') | join }}",
    "{{ [x] | unique | join }}",
    "{{ [x] | sort | join }}",
    "{{ {'x': x}.x }}",
    "{{ {'x': x} | items | join(attribute=1) }}",
    "{{ max([x]) }}",
    "{{ x if true else '-' }}",
    "{{ x or x }}",
    "{{ x[:] }}",
    "{{ data.x }}",
    "{{ data['x'] }}",
    "{{ many[0] }}",
    "{% set y = x %}{{ y }}",
    "{% if x is defined %}{{ x }}{% endif %}",
    "{% for y in many %}{{ y }}{% endfor %}",
    "{% for y in x %}{{ y }}{% endfor %}",
    "{% block b %}{{ x }}{% endblock %}",
)
"""Where a text goes through as it is, in this process and in the pool."""
UNCHANGED_IN_THE_POOL = (
    "{{ [{'x': x}] | pluck('x') | join }}",
    "{{ [{'x': x}] | map(attribute='x') | join }}",
    "{{ '%s' % x }}",
    "{{ '{}'.format(x) }}",
    "{{ '{x}'.format_map({'x': x}) }}",
    "{{ ''.join([x]) }}",
    "{{ x.replace('\\x00', '-') }}",
    "{{ x.center(0) }}",
    "{{ x * 1 }}",
    "{{ [x] | batch(1) | first | first }}",
    "{{ [{'x': x}] | groupby('x') | map(attribute='grouper') | join }}",
    "{{ namespace(x=x).x }}",
    "{{ cycler(x).next() }}",
    "{{ dict(x=x).x }}",
    "{% set y %}{{ x }}{% endset %}{{ y }}",
    "{% macro m(y) %}{{ y }}{% endmacro %}{{ m(x) }}",
    "{% macro m() %}{{ caller(x) }}{% endmacro %}{% call(y) m() %}{{ y }}{% endcall %}",
    "{% filter string %}{{ x }}{% endfilter %}",
    "{% with y = x %}{{ y }}{% endwith %}",
    "{% set y %}{% block b %}{{ x }}{% endblock %}{% endset %}{{ self.b() }}",
    "{% include 'other' %}",
    "{{ prompt('other') }}",
    "{% extends 'other' %}",
)
INCLUDES = Includes(pins={"other": "other@1"}, texts={"other@1": IncludedText("{{ x }}")})
MARKS = st.sampled_from(
    [
        *("{{ x }}", "{{ 7 * 7 }}", "{{", "}}", "{% if x %}", "{% endif %}", "{%", "%}", "{#", "#}", "{# x #}", "{%-"),
        *("{% raw %}", "{% endraw %}", "{% include 'other' %}", "{{ prompt('other') }}", "%s", "%(x)s", "{}", "{x}"),
        *("\r\n", "\r", "\n", "\t", " ", "\u2028", "\x85", "\ufeff", "\x1b", "'", '"', "\\", "<b>", "&amp;", "é"),
        *[expression for family in families().values() for expression in family[:3]],
    ]
)
TEXTS = st.lists(
    MARKS | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=9), max_size=8
).map("".join)


@pytest.fixture(scope="module")
def rendered() -> Iterator[Callable[[str], tuple[list[str], list[str]]]]:
    """Render all templates for a text, in this process and in the pool."""
    with asyncio.Runner() as runner:
        pool, here = RenderPool(), TemplateRenderer(pool=NoPool())

        def render(text: str) -> tuple[list[str], list[str]]:
            inputs: dict[str, Json] = {"x": text, "data": {"x": text}, "many": [text]}
            texts = [text for each in UNCHANGED for text in runner.run(here.render((each,), inputs, key=each))]
            everywhere = UNCHANGED + UNCHANGED_IN_THE_POOL
            return texts, [*runner.run(pool.render(everywhere, inputs, key="", includes=INCLUDES))]

        yield render
        runner.run(pool.close())


@pytest.mark.contract("S3-088")
@given(TEXTS.filter(bool))
@settings(max_examples=200)
def test_a_text_is_shown_byte_for_byte(rendered: Callable[[str], tuple[list[str], list[str]]], text: str) -> None:
    here, there = rendered(text)

    assert here == [text] * len(UNCHANGED)
    assert there == [text] * len(UNCHANGED + UNCHANGED_IN_THE_POOL)
