"""Everything that is wrong with a template is told at once, with its place, and what is known of it besides."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuewire.model.analyses import Report
from cuewire.model.errors import TemplateError
from cuewire.model.includes import IncludedText, Includes
from cuewire.template.analysis import report
from cuewire.template.compiled import compile_all
from cuewire.template.linked import linked
from cuewire.template.parse import MAX_SOURCE_BYTES
from cuewire.template.recovery import MAX_ERRORS

AT = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
Places = list[tuple[str, int, int]]
WRONG: dict[str, Places] = {
    "{{ a b }} {{ c | }} {% if x y %}q{% endif %}": [
        ("expected token 'end of print statement', got 'b'", 1, 6),
        ("expected token 'name', got 'end of print statement'", 1, 18),
        ("expected token 'end of statement block', got 'y'", 1, 29),
    ],
    "{{ a | uper }}\n{{ b is odder }} {{ c | safe }}": [
        ("there is no filter 'uper'", 1, 8),
        ("there is no test 'odder'", 2, 6),
        ("filter 'safe' is not available in prompts", 2, 25),
    ],
    "{% for a on b %}{{ a }}{% endfor %}{% foo %}\n{{ 1 + }}": [
        ("expected token 'in', got 'on'", 1, 10),
        ("encountered unknown tag 'foo'", 1, 39),
        ("unexpected 'end of print statement'", 2, 8),
    ],
    "Hi {{ name }, how are {{ you }}? {{ a ? b }}": [("unexpected '}'", 1, 12), ("unexpected char '?'", 1, 39)],
    "{% if a %}\n{% for x in y %}{{ x }}": [
        ("unexpected end of template. Jinja was looking for the following tags: 'elif'", 1, 1),
        ("unexpected end of template. Jinja was looking for the following tags: 'endfor'", 2, 1),
    ],
    "{% if a %}{% endfor %}": [
        ("unexpected end of template. Jinja", 1, 1),
        ("encountered unknown tag 'endfor'", 1, 14),
    ],
    "{{ a": [("unexpected end of template, expected 'end of print statement'", 1, 4)],
    "{{ 'abc }}\n{{ b c }}": [
        ("unexpected char", 1, 4),
        ("expected token 'end of print statement', got 'c'", 2, 6),
    ],
    "{# never {{ a b }}": [("missing end of comment tag", 1, 4), ("expected token 'end of print", 1, 15)],
    "{% raw %} {{ a b }}": [("missing end of raw directive", 1, 11), ("expected token 'end of print", 1, 16)],
    "{% set x %}\n{{ b c }}": [("unexpected end of template", 1, 1), ("expected token 'end of print", 2, 6)],
    "{% set = 3 %}{% endblock x %}{% block a b %}{% endblock %}": [
        ("unexpected '='", 1, 8),
        ("encountered unknown tag 'endblock'", 1, 17),
        ("expected token 'end of statement block', got 'b'", 1, 41),
    ],
    "{% set x y %}a{% endset %}": [("expected token 'end of statement block', got 'y'", 1, 10)],
    "{% if a ? b %}{{ x y }}{% else z %}{% endif %}": [
        ("unexpected char '?'", 1, 9),
        ("expected token 'end of print statement', got 'y'", 1, 20),
        ("expected token 'end of statement block', got 'z'", 1, 32),
    ],
    "{% macro m(a %}{% endmacro %}{% call m( %}{% endcall %}": [
        ("unexpected '}', expected ')'", 1, 15),
        ("unexpected '}', expected ')'", 1, 42),
    ],
    "{% block a %}{% endblock %}{% block a %}{% endblock %}": [("block 'a' defined twice", 1, 31)],
    "{% import 'x' as y %}{{ y.q | nope }}": [
        ("'import' of another template is not available", 1, 4),
        ("there is no filter 'nope'", 1, 31),
    ],
    "{{ " + "9" * 5_000 + " }}": [("a number has too many digits", 0, 0)],
    "{{ " + "(" * 30 + " }}": [("brackets are nested deeper", 1, 28)],
    "{{ " + "-" * 4_000 + "a }}": [("the template is nested too deep", 0, 0)],
    "x" * (MAX_SOURCE_BYTES + 1): [("the template has 262145 bytes", 0, 0)],
}


@pytest.mark.parametrize("source", WRONG, ids=lambda source: source[:40])
def test_everything_wrong_is_told_with_its_place(source: str) -> None:
    problems = report(source).problems

    assert [(problem.line, problem.column) for problem in problems] == [place[1:] for place in WRONG[source]]
    for problem, (message, _, _) in zip(problems, WRONG[source], strict=True):
        assert problem.message.startswith(message)
        assert problem.hint


def test_only_so_many_problems_are_told() -> None:
    assert len(report("{{ a b }}" * 100).problems) == MAX_ERRORS
    assert len(report("{{ a | nope }}" * 100).problems) == MAX_ERRORS
    assert len(report("{% if a %}" * 100).problems) == MAX_ERRORS
    assert 1 <= len(report("{{ a b }}" * 1_000).problems) <= MAX_ERRORS, "it is not read again and again"


def test_inputs_are_told_with_what_is_known_of_them_and_where_they_are_read_first() -> None:
    found = report("Hi {{ user.name }}!\n{{ tone | default('kind') }} {{ user.mail }} {% set a = 1 %}{{ a }}").inputs

    assert list(found) == ["user", "tone"]
    assert (found["user"].line, found["user"].column) == (1, 7)
    assert found["user"].variable.required
    assert found["user"].variable.json_schema == {"type": "object", "required": ["mail", "name"]}
    assert (found["tone"].line, found["tone"].column, found["tone"].variable.required) == (2, 4, False)


def test_inputs_of_a_broken_template_are_those_of_the_tags_that_are_whole() -> None:
    broken = report("{{ a b }}{{ c | nope }}{% if d %}{{ e }}{% include 'x' %}{{ prompt('y') }}")

    assert list(broken.inputs) == ["c", "d", "e"]
    assert broken.filters == ("nope",)


def test_static_text_is_counted_and_filters_are_listed() -> None:
    told = report("The quick brown fox {{ a | upper | trim }}{% raw %}jumps{% endraw %}{{ b | upper }}")

    assert told.tokens == 5
    assert told.filters == ("trim", "upper")


UNBOUNDED = {
    "a\n{% macro m() %}{% endmacro %}": (2, 4, "a macro"),
    "{{ a | center(b) }}": (1, 8, "'center'"),
    "{% for a in b %}{% for c in d %}{% for e in f %}{% endfor %}{% endfor %}{% endfor %}": (1, 36, "a loop"),
    "{% for a in b recursive %}{% endfor %}": (1, 4, "recursive"),
    "{{ a ** 2 }}": (1, 4, "number that may grow"),
    "{{ a.format(b) }}": (1, 4, "call"),
    "{% set n = namespace() %}": (1, 12, "call"),
    "{% set loop = a %}": (1, 4, "carried"),
    "{{ a.__class__ }}": (1, 4, "cannot be told"),
}


@pytest.mark.parametrize("source", UNBOUNDED)
def test_what_renders_elsewhere_is_told_with_its_reason(source: str) -> None:
    (warning,) = report(source).warnings

    line, column, why = UNBOUNDED[source]
    assert (warning.code, warning.line) == ("unbounded", line)
    assert why in warning.message
    assert column


@pytest.mark.parametrize(
    ("source", "column"), [("{{ now }}", 4), ("ab {{ today('UTC') }}", 7), ("{{ a | ago }}", 8), ("{{ a }}", 0)]
)
def test_what_reads_the_time_is_told(source: str, column: int) -> None:
    assert [(each.code, each.column) for each in report(source).warnings] == ([("volatile", column)] if column else [])


INCLUDES = Includes(pins={"tone": "tone@2"}, texts={"tone@2": IncludedText(text="{{ mood }} {{ now }}")})


def test_what_is_taken_in_counts() -> None:
    told = report("a\n {% include 'tone' %}{{ b }}", INCLUDES)

    assert not told.problems
    assert [(name, each.line) for name, each in told.inputs.items()] == [("mood", 2), ("b", 2)]
    assert [each.message for each in told.warnings] == ["takes in 'tone@2', which reads the time"]


def test_what_is_taken_in_may_be_left_alone() -> None:
    source = "{% include 'tone' %}{{ b }}{% if c %}{% include 'tone' %}{% endif %}"

    assert list(report(source, None).inputs) == ["b", "c"]
    assert [each.code for each in report(source).problems] == ["template_forbidden"]


PIECES = st.sampled_from(
    [
        *(
            "{{",
            "}}",
            "{%",
            "%}",
            "{#",
            "#}",
            " a ",
            "b",
            "|",
            "upper",
            "(",
            ")",
            "'",
            '"',
            "\n",
            "text ",
            "?",
            "[",
            "=",
        ),
        *("{% if a %}", "{% endif %}", "{% for a in b %}", "{% endfor %}", "{% else %}", "{% set a %}", "{% endset %}"),
        *(
            "{% raw %}",
            "{% endraw %}",
            "{{ a }}",
            "{% block a %}",
            "{% endblock %}",
            "{% macro m(a) %}",
            "endmacro",
            "-",
        ),
        *(
            "{% include 'x' %}",
            "{% extends 'x' %}",
            "{% call m() %}",
            "{% filter upper %}",
            "is odd",
            "{% elif a %}",
            "}",
        ),
    ]
)


def is_refused(source: str) -> bool:
    try:
        compile_all(linked([source]))
    except TemplateError:
        return True
    return False


@given(st.lists(PIECES, max_size=14).map("".join))
@settings(max_examples=600)
def test_a_template_is_said_to_be_wrong_if_and_only_if_it_cannot_be_used(source: str) -> None:
    told = report(source)

    assert isinstance(told, Report)
    assert all(problem.hint and problem.line >= 0 for problem in told.problems)
    assert bool(told.problems) == is_refused(source)
