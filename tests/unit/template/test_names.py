"""The inputs of a template are listed as an author would list them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuewire.template.names import input_names
from cuewire.template.parse import parse

CASES = {
    "Hi {{ name }}": {"name": True},
    "{{ b }}{{ a }}{{ b }}": {"b": True, "a": True},
    "{{ user.name }}{{ users[0].name }}": {"user": True, "users": True},
    "{{ x | default('') }}": {"x": False},
    "{{ x | d(y) }}": {"x": False, "y": True},
    "{{ x | default('') }}{{ x }}": {"x": True},
    "{{ x.y | default('') }}": {"x": True},
    "{{ x | upper | default('') }}": {"x": True},
    "{% if x is defined %}{{ x }}{% endif %}": {"x": False},
    "{% if x is defined %}{{ x }}{% endif %}{{ x }}": {"x": True},
    "{% if x is defined and x.y %}{{ x }}{% endif %}": {"x": False},
    "{% if x is not defined or x.y %}a{% endif %}": {"x": False},
    "{% if x is undefined %}a{% else %}{{ x }}{% endif %}": {"x": False},
    "{% if not (x is defined) %}a{% elif y %}{{ x }}{% endif %}": {"x": False, "y": True},
    "{% if x is defined or y is defined %}{{ x }}{% endif %}": {"x": True, "y": False},
    "{{ x if x is defined else 'a' }}": {"x": False},
    "{{ 'a' if x is undefined else x }}": {"x": False},
    "{{ 'a' if y }}": {"y": True},
    "{% set x = y %}{{ x }}": {"y": True},
    "{{ x }}{% set x = 1 %}": {"x": True},
    "{% if a %}{% set x = 1 %}{% endif %}{{ x }}": {"a": True},
    "{% set x %}{{ y | upper }}{% endset %}{{ x }}": {"y": True},
    "{% set x | replace(z, '') %}a{% endset %}": {"z": True},
    "{% for d in docs %}{{ d.x }}{{ loop.index }}{{ q }}{% else %}{{ d }}{% endfor %}": {
        "docs": True,
        "q": True,
        "d": True,
    },
    "{% for k, v in d.items() if v and w %}{{ k }}{% endfor %}": {"d": True, "w": True},
    "{% for a in b if c is defined %}{{ c }}{% endfor %}": {"b": True, "c": False},
    "{% macro m(a, b=c) %}{{ a }}{{ b }}{{ varargs }}{{ caller() }}{% endmacro %}{{ m(d) }}": {"c": True, "d": True},
    "{% macro m() %}{% endmacro %}{% call(a) m() %}{{ a }}{{ b }}{% endcall %}": {"b": True},
    "{% with a = b %}{{ a }}{% endwith %}{{ a }}": {"b": True, "a": True},
    "{% block a %}{{ b }}{% endblock %}{{ self.a() }}": {"b": True},
    "{% filter upper %}{{ a }}{% endfilter %}": {"a": True},
    "{% set n = namespace(a=b) %}{% set n.a = c %}{{ n.a }}": {"b": True, "c": True},
    "{% for i in range(3) %}{{ cycler('a').next() }}{{ dict(a=i) }}{% endfor %}": {},
    "{# {{ a }} #}{% raw %}{{ b }}{% endraw %}{{ '{{ c }}' }}": {},
}


@pytest.mark.contract("S0-05")
@pytest.mark.parametrize("source", CASES)
def test_inputs_are_listed_in_order_with_need(source: str) -> None:
    names = input_names([parse(source)])

    assert list(names.items()) == list(CASES[source].items())


@pytest.mark.contract("S0-05")
def test_inputs_of_several_templates_are_joined() -> None:
    names = input_names(map(parse, ["{{ a | default(1) }}", "{{ b }}{{ a }}"]))

    assert list(names.items()) == [("a", True), ("b", True)]


@given(st.lists(st.sampled_from(["alpha", "beta", "gamma", "delta"])))
def test_every_name_in_braces_is_found(names: list[str]) -> None:
    source = " ".join(f"{{{{ {name} }}}}" for name in names)

    assert list(input_names([parse(source)])) == list(dict.fromkeys(names))
