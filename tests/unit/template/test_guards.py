"""What can grow a value is held to a limit at once, and otherwise does what Jinja2 does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment

from cuewire.model.errors import TemplateError
from cuewire.template import guards
from cuewire.template.compiled import CompiledTemplate
from cuewire.template.parse import parse

REFUSED = [
    "{{ 'a' * 1048577 }}",
    "{{ 1048577 * 'a' }}",
    "{{ [1] * 1048577 }}",
    "{{ 10 ** 5000000 }}",
    "{{ (2 ** 60000) * (2 ** 60000) }}",
    "{{ '%10001d' % 1 }}",
    "{{ '%.10001f' | format(1) }}",
    "{{ '%*d' % (5, 1) }}",
    "{{ '%((a)b)99999d' % {'(a)b': 1} }}",
    "{{ '{:10001}'.format(1) }}",
    "{{ '{:{}}'.format(1, 99999) }}",
    "{{ '{a:99999}'.format_map({'a': 1}) }}",
    "{{ 'a' | center(10001) }}",
    "{{ 'a'.center(10001) }}",
    "{{ 'a'.ljust(10001, '-') }}",
    "{{ 'a'.rjust(10001) }}",
    "{{ 'a'.zfill(10001) }}",
    "{{ '\t'.expandtabs(10001) }}",
    "{{ ('\t' * 10000).expandtabs(10000) }}",
    "{{ ('a' * 1000).join(['b'] * 2000) }}",
    "{{ ['b'] * 2000 | join('a' * 1000) }}",
    "{{ (['b'] * 2000) | join('a' * 1000) }}",
    "{{ ('a' * 2000).replace('a', 'b' * 1000) }}",
    "{{ ('a' * 2000) | replace('a', 'b' * 1000, 1999) }}",
    "{{ 'a' | indent(10001) }}",
    "{{ ('a\n' * 2000) | indent('b' * 1000) }}",
    "{{ 1 | round(101) }}",
    "{{ 'a' | round }}",
    "{{ [1] | batch(10001) }}",
    "{{ [1] | slice(10001) }}",
    "{{ [1] | tojson(17) }}",
    "{{ ('a ' * 2000) | wordwrap(1, true, 'b' * 1000) }}",
    "{{ 'a' | wordwrap(10001) }}",
    "{{ range(10001) }}",
    "{{ range(10 ** 30) }}",
    "{{ 'a' is odd }}",
    "{{ 'a'.center(10 ** 30) }}",
]
SAME = [
    "{{ 'ab' * 3 }}{{ 2 * 3 }}{{ [1] * 2 }}{{ 1.5 * 2 }}{{ 2 ** 10 }}{{ 2 ** -1 }}{{ 2.0 ** 3 }}",
    "{{ '%5.1f|%-4s|%%' % (1.25, 'a') }}{{ '%(a)03d' % {'a': 7} }}{{ 7 % 4 }}{{ '%s' | format('x') }}",
    "{{ '{:>5}|{a[0]}|{b[c]}'.format('x', a=[1], b={'c': 2}) }}{{ '{a}'.format_map({'a': 1}) }}",
    "{{ 'a' | center(5) }}{{ 'a'.center(5, '-') }}{{ 'a'.ljust(3) }}{{ 'a'.rjust(3) }}{{ '7'.zfill(3) }}",
    "{{ 'a\tb'.expandtabs(4) }}{{ '-'.join(['a', 'b']) }}{{ [1, 2] | join(', ') }}{{ 'aa'.replace('a', 'b', 1) }}",
    "{{ [{'k': 1}, {'k': 2}] | join('-', attribute='k') }}{{ 'aa' | replace('a', 'b', 1) }}",
    "{{ 'a\nb' | indent }}{{ 'a\nb' | indent('> ', true) }}{{ 'a\n\nb' | indent(2, blank=true) }}",
    "{{ 2.567 | round(2) }}{{ 2.1 | round(method='ceil') }}{{ [1, 2, 3] | batch(2, 0) | list }}",
    "{{ [1, 2, 3] | slice(2, 0) | list }}{{ 'a b c' | wordwrap(3) }}{{ 'a b c' | wordwrap(3, true, '|') }}",
    "{{ range(3) | list }}{{ range(5, 1, -2) | list }}{{ 4 is even }}{{ 4 is odd }}{{ 9 is divisibleby 3 }}",
    "{{ '<&>' | e }}{{ 'abc' | reverse }}{{ [1, 2] | reverse | list }}{{ {'a': 1} | items | list }}",
]
JINJA = Environment(trim_blocks=True, lstrip_blocks=True)


@pytest.mark.parametrize("source", REFUSED)
def test_what_would_grow_too_large_is_refused_at_once(source: str) -> None:
    with pytest.raises(TemplateError) as caught:
        CompiledTemplate(parse(source)).render({})

    assert caught.value.hint


@pytest.mark.parametrize("source", SAME)
def test_within_the_limits_all_is_as_in_jinja(source: str) -> None:
    assert CompiledTemplate(parse(source)).render({}) == JINJA.from_string(source).render()


def test_a_key_that_is_not_closed_is_told_as_python_tells_it() -> None:
    with pytest.raises(TemplateError, match="incomplete format key"):
        CompiledTemplate(parse("{{ '%(a' % {'a': 1} }}")).render({})


@given(st.text(alphabet="%()0123456789.*+- #sdfra", max_size=12))
def test_no_percent_format_that_passes_is_wide(text: str) -> None:
    try:
        guards.check_percent_format(text)
        made = text % ({"": 1, "a": 1, "s": 1} if "(" in text else (1.5,) * text.count("%"))
    except (TemplateError, ValueError, TypeError, KeyError, OverflowError):
        return

    assert len(made) <= (guards.MAX_WIDTH + 400) * (text.count("%") + 1)
