"""What a template may ask of a value, and what printing gives."""

from __future__ import annotations

import pytest
from jinja2.filters import FILTERS
from jinja2.tests import TESTS

from cuewire.model.errors import TemplateError
from cuewire.template.compiled import CompiledTemplate, compile_all, render_all
from cuewire.template.environment import REMOVED_FILTERS, prompt_environment
from cuewire.template.filters import catalogue
from cuewire.template.functions import GUIDE
from cuewire.template.linked import linked
from cuewire.template.parse import parse
from tests.contract.test_renderer import FAILURES, INPUTS, TEMPLATES


def render(source: str, **inputs: object) -> str:
    return CompiledTemplate(parse(source)).render(inputs)


def failure(source: str, **inputs: object) -> TemplateError:
    with pytest.raises(TemplateError) as caught:
        render(source, **inputs)
    return caught.value


@pytest.mark.parametrize("source", TEMPLATES)
def test_the_language_is_the_same_without_a_bound(source: str) -> None:
    assert render(source, **INPUTS) == TEMPLATES[source]


@pytest.mark.parametrize("source", FAILURES)
def test_failures_are_the_same_without_a_bound(source: str) -> None:
    with pytest.raises(TemplateError) as caught:
        render_all(compile_all(linked([source])), INPUTS)

    error = caught.value
    assert (error.code, error.line, error.column, error.field) == FAILURES[source]


@pytest.mark.parametrize(
    "source",
    [
        "{{ self.__init__ }}",
        "{{ self['_context'] }}",
        "{{ cycler.__init__ }}",
        "{{ x.encode }}",
        "{{ [].append }}",
        "{{ n._Namespace__attrs }}",
        "{{ 1.5.as_integer_ratio }}",
        "{{ '{0.__class__}'.format(x) }}",
        "{% macro m() %}{% endmacro %}{{ m._func }}",
        "{% for a in [1] %}{{ loop._iterable }}{% endfor %}",
    ],
)
def test_what_is_not_allowed_is_forbidden(source: str) -> None:
    source = "{% set n = namespace(a=1) %}{% block b %}{% endblock %}" + source

    assert failure(source, x="a").code in ("template_forbidden", "template_undefined")


def test_a_loop_tells_where_it_is() -> None:
    source = "{% for a in x %}{{ loop.first }}{{ loop.previtem | default('-') }}{{ loop.changed(a) }} {% endfor %}"

    assert render(source, x=[1, 1]) == "True-True False1False "


def test_a_part_that_is_not_there_is_undefined_in_each_kind_of_value() -> None:
    parts = "".join(
        "{{ " + part + " | d('-') }}" for part in ("s[9]", "l[9]", "n.zz", "i.zz", "o[1]", "l.zz", "(1, 2).list")
    )

    assert render("{% set n = namespace(a=1) %}" + parts, s="a", l=[1], i=5, o=None) == "-------"
    for kind, value in {"text": "a", "a list": [1], "true": True, "a number": 1.5, "none": None}.items():
        assert failure("{{ v.zz }}", v=value).message == f"{kind} has no field 'zz'"


def test_all_filters_are_in_the_catalogue_and_those_of_jinja_are_here_but_the_removed_ones() -> None:
    names = [entry.name for entry in catalogue()]

    assert prompt_environment().filters.keys() == set(names)
    assert len(names) == len(set(names))
    assert set(names) > FILTERS.keys() - REMOVED_FILTERS
    assert REMOVED_FILTERS.isdisjoint(names)


def test_all_tests_of_jinja_are_here_and_ours() -> None:
    assert prompt_environment().tests.keys() == TESTS.keys() | {"blank", "date_like", "number_like"}


def test_there_is_no_lipsum_and_each_function_is_in_the_guide() -> None:
    functions = {name for name, *_ in GUIDE if not name.startswith("is ")}

    assert prompt_environment().globals.keys() | {"now", "today"} == functions


def test_a_key_wins_over_a_method() -> None:
    assert render("{{ d.items }} {{ d.get }} {{ d['keys'] }}", d={"items": 1, "get": 2, "keys": 3}) == "1 2 3"


def test_a_key_may_begin_with_an_underscore() -> None:
    assert render("{{ d._id }} {{ d.__class__ }}", d={"_id": 1, "__class__": 2}) == "1 2"


def test_a_missing_key_is_undefined_even_if_it_is_named_like_a_method_that_changes() -> None:
    assert render("{{ d.update | default('none') }}{{ d.pop is defined }}", d={}) == "noneFalse"


@pytest.mark.parametrize(
    "source", ["{{ range }}", "{{ x.upper }}", "{{ cycler('a') }}", "{{ joiner() }}", "{{ self }}"]
)
def test_what_has_no_written_form_is_not_printed(source: str) -> None:
    error = failure("{% block a %}{% endblock %}" + source, x="a")

    assert "is printed" in error.message
    assert error.line == 1


def test_no_written_form_tells_an_address() -> None:
    source = "{{ [range, x.upper, x.format, cycler('a'), joiner(), d.items, namespace, loop] }}"

    text = render("{% for x in xs %}" + source + "{% endfor %}", xs=["a"], d={})

    assert " at 0x" not in text


def test_lists_are_given_where_jinja_gives_generators() -> None:
    assert render("{{ x | map('upper') }}{{ x | map('upper') | length }}{{ d.items() }}", x=["a"], d={"k": 1}) == (
        "['A']1[('k', 1)]"
    )


def test_an_empty_selection_counts_as_false() -> None:
    assert render("{% if x | select('none') %}a{% else %}b{% endif %}", x=[1]) == "b"


def test_json_for_prompts_is_strict_and_keeps_letters() -> None:
    assert render("{{ x | tojson(2) }}", x={"b": "<é'>", "a": None}) == '{\n  "a": null,\n  "b": "<é\'>"\n}'
    assert failure("{{ (1e308 * 10) | tojson }}").message


@pytest.mark.parametrize("value", ["%99999d", "text"])
def test_texts_are_not_divided(value: str) -> None:
    for test in ("odd", "even", "divisibleby 3"):
        assert "only a number" in failure("{{ x is " + test + " }}", x=value).message


def test_escaped_text_is_plain_text() -> None:
    assert render("{{ ('<' | e) ~ '<' }}{{ ('<' | e) + '<' }}") == "&lt;<&lt;<"


def test_spaces_around_tags_go_with_their_line() -> None:
    assert render("a\n  {% if true %}\n  b\n  {% endif %}\nc\n") == "a\n  b\nc"


def test_compiling_runs_nothing() -> None:
    template = CompiledTemplate(parse("{{ 'a' | center(99999) }}{{ 'a' * 9999999 }}{{ 1 / 0 }}"))

    assert failure("{{ 1 / 0 }}").message == "division by zero"
    with pytest.raises(TemplateError, match="width"):
        template.render({})


def test_the_room_of_a_version_is_shared() -> None:
    templates = [CompiledTemplate(parse("{{ a }}"))] * 2

    with pytest.raises(TemplateError) as caught:
        render_all(templates, {"a": "x" * 600_000})

    assert (caught.value.code, caught.value.field) == ("template_limit_exceeded", "/templates/1")


def test_a_recursion_too_deep_is_told() -> None:
    assert failure("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}").code == "template_limit_exceeded"


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (MemoryError(), "template_limit_exceeded", "the template needs too much memory"),
        (OSError("/a/path/of/ours"), "template_error", "the template failed"),
    ],
)
def test_whatever_happens_in_a_render_is_the_templates_error(error: Exception, code: str, message: str) -> None:
    class Failing:
        def __str__(self) -> str:
            raise error

    found = failure("a\n{{ x ~ 'b' }}", x=Failing())

    assert (found.code, found.message, found.line) == (code, message, 2)


def test_loops_nested_too_deep_for_python_are_told() -> None:
    assert failure("{% for a in x %}" * 25 + "{% endfor %}" * 25, x=[]).code == "template_limit_exceeded"


def test_a_filter_named_by_a_value_must_exist() -> None:
    assert "no filter named" in failure("{{ ['a'] | map(x) | list }}", x="nothing").message
    assert "no filter named" in failure("{{ ['a'] | map(x) | list }}", x="attr").message
