"""What renders in the server's process is bounded, and the bound holds."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuewire.model.errors import TemplateError
from cuewire.template.bounds import bound_of
from cuewire.template.compiled import CompiledTemplate
from cuewire.template.cost import MAX_COST, cost, length
from cuewire.template.parse import parse

BOUNDED = (
    "{{ max }}{% for a in min %}{{ a }}{% endfor %}",
    "{{ data[b] | default('-') }}{{ words[price] | default('-') }}",
    "Bug or idea? {{ text }}",
    "{% for d in docs %}{{ loop.index }}. {{ d.title | upper }}\n{% else %}none{% endfor %}",
    "{% for d in docs %}{% for t in d.tags %}{{ t }}{% endfor %}{% endfor %}",
    "{% for k, v in data.items() %}{{ k }}: {{ v | tojson }}{% endfor %}",
    "{% for d in docs | sort(attribute='n') | reverse | list %}{{ d.n * 100 }}{% endfor %}",
    "{% for d in docs[:3] %}{{ loop.index % 2 }}{{ loop.cycle('a', 'b') }}{% endfor %}",
    "{% for d in docs | default([]) %}{% for t in d.tags | default([]) %}{{ t }}{% endfor %}{% endfor %}",
    "{% for i in range(10) %}{{ i }}{% endfor %}",
    "{% for d in docs %}{{ loop.previtem | default('') }}{% endfor %}",
    "{% for k in data %}{{ k }}{% endfor %}{% for c in docs[0].title %}{{ c }}{% endfor %}",
    "{{ text }}{% for t in docs[9].x | default([]) %}{% endfor %}{% for t in words.x | d([]) %}{% endfor %}",
    "{{ '%.2f' | format(price) }} {{ price | round(2) }}",
    "{% set a = text | trim %}{% if a and text is defined %}{{ a ~ text }}{% elif b %}{{ b }}{% endif %}",
    "{% block a %}{{ text | truncate(20) | replace('a', 'bb') }}{% endblock %}",
    "{{ docs | map(attribute='title') | join(', ') }}{{ docs | selectattr('n') | list | length }}",
    "{% for d in docs %}{{ d.n | percent(1) }}{{ d.n | change(price) }}{{ d.n | currency(b) }}{% endfor %}",
    "{{ docs | table(['n', 'title']) }}{{ docs | bullets }}{{ docs | pluck('n') | mean }}",
    "{{ docs | top(2, 'n') | json }}",
    "{{ now }} {{ now('UTC').year }} {{ today().strftime('%d.%m.') }}",
    "{{ len(docs) + sum([1, price]) }} {{ days_between('2026-01-01', '2026-02-01') }} {{ words | map('upper') }}",
    "{{ text if text else 'none' }}{{ text in words }}{{ -price + 1 }}{{ data.get('a') }}{{ not text }}",
)
UNBOUNDED = (
    "{{ x | percent(y) }}",
    "{{ x | percent(1, 'percent', true, 'missing') }}",
    "{{ x | percent(nothing=1) }}",
    "{{ x | bullets(y) }}",
    "{{ x | bullets(indent='a') }}",
    "{{ x | json(indent=99) | json(y) }}",
    "{{ x | table(y) }}",
    "{{ x | table('text') }}",
    "{{ x | map('mean') }}",
    "{{ x | map('percent', nothing=1) }}",
    "{{ now.strftime(*x) }}",
    "{{ len(*x) }}",
    "{{ range }}",
    "{% macro m() %}{% endmacro %}{{ m() }}",
    "{% for a in x recursive %}{{ loop(a) }}{% endfor %}",
    "{% for a in x %}{% for b in a %}{% for c in b %}{% endfor %}{% endfor %}{% endfor %}",
    "{% for a in x | default([[1]]) %}{% for b in a %}{% endfor %}{% endfor %}",
    "{% for a in range(n) %}{% endfor %}",
    "{% for a in x.split(',') %}{% endfor %}",
    "{% for a in x %}{% block b %}{{ a }}{% endblock %}{% endfor %}",
    "{% set ns = namespace(a=1) %}",
    "{% for a in x %}{{ loop.zz }}{% endfor %}",
    "{% for a, (b, c) in x %}{% endfor %}",
    "{% for a in (x | map('upper')).items() %}{% endfor %}",
    "{{ x | default(*y) }}",
    "{{ x.get(*y) }}",
    "{{ '%s' | format(a=x) }}",
    "{{ x | format(1) }}",
    "{% set x = 'a' %}" + "{% set x = x ~ x %}" * 40,
    "{{ x ** 2 }}",
    "{{ x % y }}",
    "{{ x * y }}",
    "{{ 'a' * x }}",
    "{{ x | center(y) }}",
    "{{ x | indent(y) }}",
    "{{ x | batch(3) }}",
    "{{ x | replace('a', y) }}",
    "{{ x | format(y) }}",
    "{{ '%*d' | format(x, y) }}",
    "{{ '%9999999d' | format(x) }}",
    "{{ x | int(base=16) }}",
    "{{ x.center(1000) }}",
    "{{ x.format(1) }}",
    "{{ x(1) }}",
    "{{ range(3) | join }}",
    "{{ loop }}",
    "{{ self.a() }}",
    "{{ x.__class__ }}",
    "{{ x['_a'] }}",
    "{{ x | map('join') }}",
    "{{ x | select('nothing') | list }}",
    "{% for a in x %}{{ loop | join }}{% endfor %}",
    "{{ " + "0x" + "f" * 1000 + " }}",
    "{% filter upper %}a{% endfilter %}",
    "{% set x %}a{% endset %}",
)
INPUTS: Mapping[str, Any] = {
    "text": " banana\n",
    "words": ["a", "banana"],
    "docs": [{"title": f"t{n}", "n": n, "tags": ["x", "yy"] * n} for n in range(5)],
    "data": {"a": {"b": [1, None]}, "items": "key"},
    "price": 12.5,
    "b": "other",
    "max": 5,
    "min": [1, 2],
}


def counted(template: CompiledTemplate, inputs: Mapping[str, Any]) -> tuple[str, int]:
    """Render, and count the lines of compiled template that ran."""
    steps = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal steps
        if "__jinja_template__" in frame.f_globals or frame.f_globals.get("name", 1) is None:
            steps += event == "line"
            return trace
        return None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        text = template.render(inputs)
    except TemplateError:
        text = ""
    finally:
        sys.settrace(before)
    return text, steps


@pytest.mark.parametrize("source", BOUNDED)
def test_everyday_templates_have_a_bound_that_holds(source: str) -> None:
    bound = bound_of(parse(source))
    assert bound is not None

    text, steps = counted(CompiledTemplate(parse(source)), INPUTS)

    assert 0 < len(text) + steps <= cost(bound, INPUTS) <= MAX_COST


@pytest.mark.parametrize("source", UNBOUNDED)
def test_what_is_not_on_the_list_has_no_bound(source: str) -> None:
    assert bound_of(parse(source)) is None


def test_cost_grows_with_each_loop_and_each_length() -> None:
    bound = bound_of(parse("{% for a in x %}{% for b in x %}{{ y }}{% endfor %}{% endfor %}"))
    assert bound is not None

    costs = [cost(bound, {"x": [1] * n, "y": "a" * n}) for n in (1, 10, 100)]

    assert costs[1] > 10 * costs[0]
    assert costs[2] > MAX_COST


def test_a_loop_over_a_huge_input_is_not_counted_to_the_end() -> None:
    bound = bound_of(parse("{% for a in x %}{% for b in a %}{% endfor %}{% endfor %}"))

    assert bound is not None
    assert cost(bound, {"x": "a" * (MAX_COST + 1)}) > MAX_COST


VALUES = st.recursive(
    st.text(max_size=8)
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
    | st.none(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b", "items"]), inner, max_size=3)
    ),
    max_leaves=12,
)
NAMES = st.sampled_from(["x", "y", "z"])
PLAIN_FILTERS = """
    upper lower title capitalize trim list first last length string sort reverse unique tojson e escape urlencode items
    dictsort int float abs sum wordcount filesizeformat min max join
    round percent currency signed compact basis_points r_multiple number trend_label date datetime time duration
    default_if_none tokens json from_json table bullets numbered yaml csv quote escape_braces slug mean median stdev
"""
FILTERS = st.sampled_from(
    [
        *PLAIN_FILTERS.split(),
        *("join(', ')", "join('ab', attribute='a')", "tojson(2)", "default('zz')", "replace('a', 'bbb')", "round(1)"),
        *("replace('', '--')", "truncate(3)", "indent(3)", "center(9)", "map(attribute='a')", "map('upper')"),
        *("select('string')", "reject('none')", "selectattr('a')", "map('percent')", "map('currency', 'EUR')"),
        *("currency(x)", "change(y)", "ago('2026-01-01')", "default_if_none(x)", "json(2)", "from_json(default='zz')"),
        *("truncate_words(2)", "truncate_tokens(2, end='zz')", "quote('xml')", "quote('block')", "date('%A %B %Z')"),
        *("table(max_rows=2)", "table(['a', 'b', 'zzzz'])", "csv(['a', 'b'])", "bullets('=>', 7)", "numbered(999)"),
        *(
            "pluck('a', default='zz')",
            "pluck('a.b')",
            "top(2)",
            "top(9, by='a')",
            "number(30)",
            "percent(missing='zz')",
        ),
    ]
)


def expressions() -> st.SearchStrategy[str]:
    atoms = NAMES | st.sampled_from(["x.a", "y.b[0]", "z['a']", "x[1:]", "'q\\u200b'", "3", "1.5", "none", "x.items()"])
    return st.recursive(
        atoms,
        lambda inner: st.one_of(
            st.builds("({} | {})".format, inner, FILTERS),
            st.builds(
                "({} {} {})".format, inner, st.sampled_from(["~", "+", "-", "/", "and", "or", "==", "in"]), inner
            ),
            st.builds("({} * 3)".format, inner),
            st.builds("[{}, {}]".format, inner, inner),
            st.builds("{{'k': {}}}".format, inner),
            st.builds("({} if {} else {})".format, inner, inner, inner),
            st.builds("{}.{}()".format, inner, st.sampled_from(["upper", "split", "strip", "keys", "values", "title"])),
            st.builds("('%s|%5.1f' | format({}, 2))".format, inner),
        ),
        max_leaves=6,
    )


def templates() -> st.SearchStrategy[str]:
    targets = st.sampled_from(["x", "y", "i", "k, v"])
    return st.recursive(
        st.builds("{{{{ {} }}}}".format, expressions()) | st.sampled_from(["text ", "{{ loop.index }}", "\n"]),
        lambda inner: st.one_of(
            st.builds("{}{}".format, inner, inner),
            st.builds("{{% set {} = {} %}}{}".format, NAMES, expressions(), inner),
            st.builds("{{% if {} %}}{}{{% else %}}{}{{% endif %}}".format, expressions(), inner, inner),
            st.builds("{{% for {} in {} %}}{}{{% endfor %}}".format, targets, expressions(), inner),
            st.builds("{{% for {} in {} %}}{}{{% endfor %}}".format, targets, NAMES | st.just("x.a"), inner),
        ),
        max_leaves=8,
    )


def assert_bound_holds(source: str, inputs: Mapping[str, Any]) -> None:
    parsed = parse(source)
    bound = bound_of(parsed)
    if bound is None or cost(bound, inputs) > MAX_COST:
        return

    text, steps = counted(CompiledTemplate(parsed), inputs)

    assert len(text) <= cost(bound, inputs)
    assert steps <= cost(bound, inputs)


@given(templates(), st.dictionaries(NAMES, VALUES))
@settings(max_examples=300)
def test_output_and_steps_of_a_bounded_template_obey_its_bound(source: str, inputs: Mapping[str, Any]) -> None:
    assert_bound_holds(source, inputs)


@pytest.mark.soak
@given(templates(), st.dictionaries(NAMES, VALUES))
@settings(max_examples=100_000)
def test_output_and_steps_obey_the_bound_for_long(source: str, inputs: Mapping[str, Any]) -> None:
    assert_bound_holds(source, inputs)


@given(VALUES)
def test_a_value_is_never_written_longer_than_its_length(value: Any) -> None:
    assert len(str(value)) <= length(value)
