"""What is found of the kinds of inputs is true of all inputs that render."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuewire.model.errors import TemplateError
from cuewire.model.prompts import Variable
from cuewire.registry.schemas import compiled
from cuewire.template.compiled import CompiledTemplate
from cuewire.template.environment import prompt_environment
from cuewire.template.filters import CUSTOM
from cuewire.template.kinds import FILTERS, NEEDING, input_schemas
from cuewire.template.parse import parse
from cuewire.template.schemas import KINDS, Schema, both

AT = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
MANY = ["array", "object", "string"]
NUMBERS = ["number", "boolean"]
ORDERED = ["array", "string", "number", "boolean"]
CASES: dict[str, Schema] = {
    "{{ a }}": {},
    "{{ a }}{{ now }}{% set b = a %}{{ b.c }}": {},
    "{{ a.b }}": {"a": {"type": "object", "required": ["b"]}},
    "{{ a['b'] }}{{ a.c }}": {"a": {"type": "object", "required": ["b", "c"]}},
    "{{ a.b.c }}": {
        "a": {"type": "object", "required": ["b"], "properties": {"b": {"type": "object", "required": ["c"]}}}
    },
    "{{ a.b | default('') }}{% if a.c is defined %}{% endif %}": {},
    "{{ a.b.c | default('') }}": {"a": {"type": "object", "required": ["b"]}},
    "{% if a.b %}{{ c.d }}{% elif e.f %}{{ g.h }}{% endif %}": {"a": {"type": "object", "required": ["b"]}},
    "{{ a.b and c.d }}{{ e.f if g.h else i.j }}{{ not k.l }}": {
        name: {"type": "object", "required": [field]} for name, field in [("a", "b"), ("g", "h"), ("k", "l")]
    },
    "{{ a.title }}": {"a": {"type": "object", "required": ["title"]}},
    "{% if a.title %}{% endif %}": {"a": {"type": ["object", "string"], "required": ["title"]}},
    "{% if a.items %}{% endif %}": {"a": {"type": "object"}},
    "{{ a.items() }}{{ b.upper() }}{{ c.index(1) }}": {
        "a": {"type": "object"},
        "b": {"type": "string"},
        "c": {"type": ["array", "string"]},
    },
    "{{ a[0] }}{{ b[1:] }}{{ c[d] }}": {
        "a": {"type": ["array", "string"]},
        "b": {"type": ["array", "string"]},
        "c": {"type": MANY},
    },
    "{% for d in docs %}{{ d }}{{ q.r }}{% else %}{{ s.t }}{% endfor %}": {"docs": {"type": MANY}},
    "{% for d in docs %}{{ d.text }}{% for t in d.tags %}{{ t | upper }}{% endfor %}{% endfor %}": {
        "docs": {
            "type": MANY,
            "items": {"type": "object", "required": ["tags", "text"], "properties": {"tags": {"type": MANY}}},
            "maxLength": 0,
            "maxProperties": 0,
        }
    },
    "{% for d in docs if d.on %}{{ d.text }}{% endfor %}": {
        "docs": {
            "type": MANY,
            "items": {"type": "object", "required": ["on"]},
            "maxLength": 0,
            "maxProperties": 0,
        }
    },
    "{% for n in ns | default([]) | sort %}{{ n | round }}{% endfor %}": {
        "ns": {"type": MANY, "items": {"type": ["string", "number", "null"]}}
    },
    "{% for k, v in a.items() %}{{ v.x }}{% endfor %}": {"a": {"type": "object"}},
    "{% for d in docs %}{% set d = 1 %}{{ d.x }}{% endfor %}": {"docs": {"type": MANY}},
    "{{ a | percent }}{{ b | length }}{{ c | bullets }}{{ d | default_if_none(1) }}": {
        "a": {"type": ["string", "number", "null"]},
        "b": {"type": MANY},
        "c": {"type": ["array", "null"]},
    },
    "{{ a | default(0) | currency }}{{ b | default(0, true) | currency }}": {
        "a": {"type": ["string", "number", "null"]}
    },
    "{{ a - b }}{{ c + 1 }}{{ d + 'x' }}{{ e * 2 }}{{ -f }}{{ g % 2 }}": {
        **dict.fromkeys("abcf", {"type": NUMBERS}),
        "d": {"type": "string"},
        "e": {"type": ORDERED},
        "g": {"type": ["string", "number", "boolean"]},
    },
    "{{ 1 < a < b }}{{ c > 'x' }}{{ d >= e }}{{ 'x' in f }}{{ g == h.i }}{{ j is even }}": {
        **dict.fromkeys("aj", {"type": NUMBERS}),
        "c": {"type": "string"},
        **dict.fromkeys("de", {"type": ORDERED}),
        "f": {"type": MANY},
        "h": {"type": "object", "required": ["i"]},
    },
    "{{ [a[1:]] }}{{ [b.c] }}{{ d.e ~ f }}": {
        "a": {"type": ["array", "string"]},
        "d": {"type": "object", "required": ["e"]},
    },
    "{% extends 'x' %}{% block b %}{{ a.b }}{% endblock %}": {},
    "{{ a + 1 }}{{ a.b }}": {},
    "{% macro m() %}{{ a.b }}{% endmacro %}{% with c = d.e %}{{ c.f }}{% endwith %}": {},
    "{% filter upper %}{{ a.b }}{% endfilter %}{% block x %}{{ c.d }}{% endblock %}": {
        "a": {"type": "object", "required": ["b"]},
        "c": {"type": "object", "required": ["d"]},
    },
}


@pytest.mark.parametrize("source", CASES)
def test_what_is_asked_of_inputs_is_found(source: str) -> None:
    assert input_schemas([parse(source)]) == CASES[source]


def test_several_templates_ask_together() -> None:
    first, second = parse("{{ a.b }}{{ c | length }}"), parse("{{ a.c }}{{ c[0] }}")

    assert input_schemas([first, second]) == {
        "a": {"type": "object", "required": ["b", "c"]},
        "c": {"type": ["array", "string"]},
    }


def test_schemas_that_are_stored_can_be_merged() -> None:
    left = Variable(json_schema=input_schemas([parse("{% for d in a %}{{ d.x | abs }}{% endfor %}")])["a"])
    schema = input_schemas([parse("{% for d in a %}{{ d.x > 1 }}{{ d.y }}{% endfor %}")])["a"]
    right = Variable(json_schema=schema, required=False)

    merged = both(left, right)

    assert merged.required
    assert merged.json_schema == {
        "type": MANY,
        "items": {"type": "object", "required": ["x", "y"], "properties": {"x": {"type": "number"}}},
        "maxLength": 0,
        "maxProperties": 0,
    }
    assert both(left, Variable()) == left
    assert both(left, Variable(json_schema={"type": "boolean"})) == Variable(), "the render tells why"


SAMPLES: dict[str, list[Any]] = {
    "array": [[1], ["a"], [{"a": 1}]],
    "object": [{"a": 1}],
    "string": ["a", "5", "2026-01-31"],
    "number": [5, 2.5],
    "boolean": [True],
    "null": [None],
}
GIVEN = {"change": "(2)", "pluck": "('a')", "top": "(1)", "batch": "(2)", "slice": "(2)", "groupby": "('a')"}


def fails(source: str, **inputs: Any) -> bool:
    try:
        CompiledTemplate(parse(source)).render(inputs, at=AT)
    except TemplateError:
        return True
    return False


@pytest.mark.parametrize("name", FILTERS)
def test_filters_fail_for_other_kinds_and_for_nothing(name: str) -> None:
    source = f"{{{{ a.b | {name}{GIVEN.get(name, '')} }}}}"

    assert fails(source, a={})
    for kind in set(KINDS) - {*FILTERS[name]}:
        assert all(fails(source, a={"b": value}) for value in SAMPLES[kind]), kind


@pytest.mark.parametrize("name", sorted(NEEDING - FILTERS.keys()))
def test_filters_that_need_something_fail_without(name: str) -> None:
    entry = CUSTOM.get(name)
    arguments = "(1)" if entry and name in ("truncate_words", "truncate_tokens") else ""

    assert fails(f"{{{{ a.b | {name}{arguments} }}}}", a={})


def test_all_filters_named_exist() -> None:
    assert {*FILTERS, *NEEDING} <= prompt_environment().filters.keys()


NAMES = st.sampled_from(["a", "b", "c"])
FIELDS = st.sampled_from(["x", "y", "title", "items", "count", "get"])
PATHS = st.recursive(
    NAMES,
    lambda inner: st.one_of(
        st.builds("{}.{}".format, inner, FIELDS),
        st.builds("{}['{}']".format, inner, FIELDS),
        st.builds("{}[{}]".format, inner, st.sampled_from(["0", "-1", "1:", "a", "b.x", "c"])),
    ),
    max_leaves=3,
)
ATOMS = st.one_of(PATHS, PATHS, st.sampled_from(["1", "2.5", "'x'", "''", "[]", "none", "true", "now", "[a, b.x]"]))
USES = st.sampled_from(
    [
        *(f"| {name}{GIVEN.get(name, '')}" for name in FILTERS),
        *("| default('')", "| default(1)", "| d([], true)", "| upper", "| string", "| map('upper')", "| tojson"),
        *("| select | list", "| default_if_none(1)", "| items", "| replace('x', b)", "| join(c)", "| sort(reverse=b)"),
        *(".items()", ".upper()", ".get('x')", ".count('x')", ".index(1)", ".keys()", ".is_integer()", ".split()"),
        *(
            "is defined",
            "is none",
            "is string",
            "is even",
            "is mapping",
            "is sameas(b)",
            "is in(a)",
            "is divisibleby 2",
        ),
    ]
)
OPERATORS = st.sampled_from(
    ["+", "-", "*", "/", "//", "%", "**", "~", "and", "or", "==", "!=", "<", ">", "<=", ">=", "in", "not in"]
)
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("(({}) {})".format, inner, USES),
        st.builds("({} {} {})".format, inner, OPERATORS, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("(not {})".format, inner),
        st.builds("(-{})".format, inner),
        st.builds("({} < {} < {})".format, inner, inner, inner),
        st.builds("[{}, {}]".format, inner, inner),
    ),
    max_leaves=4,
)
TEMPLATES = st.recursive(
    st.builds("{{{{ {} }}}}".format, EXPRESSIONS),
    lambda inner: st.one_of(
        st.builds("{}{}".format, inner, inner),
        st.builds("{{% for {} in {} %}}{}{{% endfor %}}".format, NAMES, EXPRESSIONS, inner),
        st.builds("{{% for d in {} %}}{{{{ d.x }}}}{}{{% endfor %}}".format, EXPRESSIONS, inner),
        st.builds("{{% for {} in {} if {} %}}{}{{% endfor %}}".format, NAMES, EXPRESSIONS, EXPRESSIONS, inner),
        st.builds("{{% if {} %}}{}{{% else %}}{}{{% endif %}}".format, EXPRESSIONS, inner, inner),
        st.builds("{{% set {} = {} %}}{}".format, NAMES, EXPRESSIONS, inner),
        st.builds("{{% set d = {} %}}{}".format, EXPRESSIONS, inner),
        st.builds("{{% set d %}}{}{{% endset %}}".format, inner),
        st.builds("{{% with {} = {} %}}{}{{% endwith %}}".format, NAMES, EXPRESSIONS, inner),
        st.builds("{{% filter upper %}}{}{{% endfilter %}}".format, inner),
        st.builds("{{% macro m(a) %}}{}{{% endmacro %}}{{{{ m({}) }}}}".format, inner, EXPRESSIONS),
    ),
    max_leaves=3,
)
SCALARS = st.sampled_from([None, True, False, 0, 1, -2, 2.5, "", "x", "abc", "12", "2026-01-31"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(FIELDS, inner, max_size=4)),
    max_leaves=8,
)
LIKELY = st.one_of(
    VALUES,
    st.just({"x": 1, "y": [1, 2], "title": "t", "items": [{"x": 2, "y": "b"}], "count": 3, "get": {"x": "g"}}),
    st.just([{"x": 1, "y": "t", "title": "t"}, {"x": 2, "y": "u", "title": "v"}]),
)


@given(TEMPLATES, LIKELY, LIKELY, LIKELY)
@settings(max_examples=1_500)
def test_inputs_that_render_meet_what_was_found(source: str, a: Any, b: Any, c: Any) -> None:
    parsed = parse(source)
    inputs = {"a": a, "b": b, "c": c}
    try:
        CompiledTemplate(parsed).render(inputs, at=AT)
    except TemplateError:
        return

    for name, schema in input_schemas([parsed]).items():
        assert name not in inputs or compiled(schema).is_valid(inputs[name]), (name, schema)
