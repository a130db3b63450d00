"""A template that cannot be used is refused with what is wrong, where, and what to do."""

from __future__ import annotations

import pytest

from cuewire.model.errors import TemplateError
from cuewire.template.parse import MAX_SOURCE_BYTES, for_each, parse

FAULTS = {
    "{{ x y }}": ("template_syntax", 1, 6, "join two with ~"),
    "ok\n  {{ x | uper }}": ("template_syntax", 2, 10, "did you mean 'upper'"),
    "{{ x is defind }}": ("template_syntax", 1, 6, "did you mean 'defined'"),
    "{% if x %}a{% endfi %}": ("template_syntax", 1, 15, "did you mean 'endif'"),
    "{% for a in b %}\nx": ("template_syntax", 2, 1, "close it with {% endfor %}"),
    "{{ 'a }}": ("template_syntax", 1, 4, "write {{ name }}"),
    "a\r\n{{ x }": ("template_syntax", 2, 6, "write {{ name }}"),
    "{# a": ("template_syntax", 1, 4, "#}"),
    "{% raw %} a": ("template_syntax", 1, 11, "endraw"),
    "{% set %}": ("template_syntax", 1, 8, "expression"),
    "{{ 1" + "0" * 5_000 + " }}": ("template_syntax", 0, 0, "smaller number"),
    "{% include a %}": ("template_forbidden", 1, 4, "write its name"),
    "{% include 'a' ~ 'b' %}": ("template_forbidden", 1, 4, "write its name"),
    "{% include ['a', 'b'] %}": ("template_forbidden", 1, 4, "write its name"),
    "{% include 'a' ignore missing %}": ("template_forbidden", 1, 4, "leave it out"),
    "x\n{% include '../a' %}": ("template_syntax", 2, 4, "beginning with a letter"),
    "{% include 'a@0' %}": ("template_syntax", 1, 4, "name@7"),
    "{% import 'a' as b %}": ("template_forbidden", 1, 4, "into this template"),
    "{% from 'a' import b %}": ("template_forbidden", 1, 4, "into this template"),
    "{% extends a %}": ("template_forbidden", 1, 4, "write its name"),
    "{% if a %}{% extends 'a' %}{% endif %}": ("template_syntax", 1, 14, "write it first"),
    "{% extends 'a' %}{% extends 'a' %}": ("template_syntax", 1, 21, "include the other"),
    "{{ prompt(a) }}": ("template_forbidden", 1, 4, 'prompt("house-style", version=7)'),
    "{{ prompt('a', **b) }}": ("template_forbidden", 1, 4, 'prompt("house-style", version=7)'),
    "{{ prompt() }}": ("template_syntax", 1, 4, 'prompt("house-style")'),
    "{{ prompt('a', name='b') }}": ("template_syntax", 1, 4, 'prompt("house-style")'),
    "{{ prompt('a', 1, label='b') }}": ("template_syntax", 1, 4, "leave one out"),
    "{{ prompt('a', 'b') }}": ("template_syntax", 1, 4, "version=7"),
    "{{ prompt('a', label='3') }}": ("template_syntax", 1, 4, "beginning with a letter"),
    "{% autoescape true %}{% endautoescape %}": ("template_forbidden", 1, 4, "into this template"),
    "{{ x | attr('y') }}": ("template_forbidden", 1, 8, "leave it out"),
    "{{ x | safe }}": ("template_forbidden", 1, 8, "leave it out"),
    "{{ a" + "+ a" * 70 + " }}": ("template_limit_exceeded", 1, 31, "set"),
    "{{ " + "not " * 5_000 + "a }}": ("template_limit_exceeded", 0, 0, "set"),
    "é" * (MAX_SOURCE_BYTES // 2 + 1): ("template_limit_exceeded", 0, 0, "split"),
}


@pytest.mark.parametrize("source", FAULTS, ids=lambda source: source[:20])
def test_a_fault_is_told_with_its_place_and_a_remedy(source: str) -> None:
    code, line, column, hint = FAULTS[source]

    with pytest.raises(TemplateError) as caught:
        parse(source)

    error = caught.value
    assert (error.code, error.line, error.column) == (code, line, column)
    assert hint in error.hint
    assert len(error.message) <= 300


def test_messages_are_lower_case_without_a_full_stop() -> None:
    for source in FAULTS:
        with pytest.raises(TemplateError) as caught:
            parse(source)

        assert not caught.value.message.endswith(".")
        assert not caught.value.message[0].isupper()


@pytest.mark.parametrize(
    ("source", "written"),
    [
        ("{{ prompt('b', label='c') }}{% include 'a@7' %}", ["b@c", "a@7"]),
        ("{% extends 'a' %}{% block x %}{{ prompt('b', version=3) | upper }}{% endblock %}", ["a", "b@3"]),
        ("{% set prompt = 1 %}{{ prompt('a') }}", []),
        ("{% macro prompt(a) %}{% endmacro %}{{ prompt('a') }}", []),
        ("{{ prompt }} include and extends", []),
    ],
)
def test_where_other_prompts_are_taken_in_is_found_in_order(source: str, written: list[str]) -> None:
    assert [use.mention.written for use in parse(source).uses] == written


def test_the_longest_source_is_parsed() -> None:
    assert parse("x" * MAX_SOURCE_BYTES).source


def test_an_error_names_the_template_of_several() -> None:
    with pytest.raises(TemplateError) as caught:
        for_each(parse, ["fine", "{{ x"])

    assert caught.value.field == "/templates/1"
