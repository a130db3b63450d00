"""Tokens are Jinja2's, each with its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, TemplateSyntaxError

from cuewire.model.errors import TemplateLimitExceeded
from cuewire.template.environment import prompt_environment
from cuewire.template.lexer import MAX_BRACKETS, MAX_TOKENS, Place

JINJA = Environment(trim_blocks=True, lstrip_blocks=True)
TAGS = ("{{ ", " }}", "{%- ", "{% ", " -%}", " %}", "{# ", " #}", "\n", "\r\n", "  ", "{% raw %}", "{% endraw %}")
PARTS = st.sampled_from([*TAGS, "a", "'x\\n'", '"', "1_0", "1.5e3", "0x1f", "1e", "(", ")", "[", "|", "~", "é"])


def tokens(environment: Environment, source: str) -> list[tuple[int, str, str]] | str:
    try:
        return list(environment.lexer.tokeniter(source, None))
    except TemplateSyntaxError as error:
        return str(error.message)  # its place is better than Jinja2's


@given(st.lists(PARTS, max_size=20).map("".join))
def test_tokens_are_those_of_jinja(source: str) -> None:
    assert tokens(prompt_environment(), source) == tokens(JINJA, source)


@given(st.text(alphabet="01_9.eE+-xbof'\"\\a", min_size=1, max_size=12))
def test_numbers_and_texts_are_read_as_jinja_reads_them(expression: str) -> None:
    source = "{{ " + expression + " }}"

    assert tokens(prompt_environment(), source) == tokens(JINJA, source)


@given(st.lists(PARTS, max_size=20).map("".join))
def test_each_token_stands_where_its_place_says(source: str) -> None:
    found = tokens(prompt_environment(), source)
    lines = source.replace("\r\n", "\n").split("\n")

    for place, _, text in found if isinstance(found, list) else []:
        assert isinstance(place, Place)
        rest = "\n".join([lines[place - 1][place.column - 1 :], *lines[place:]])
        assert rest.startswith(text) or not text


def test_lines_that_a_tag_strips_are_counted() -> None:
    found = tokens(prompt_environment(), "a \n\n  {{- name }}\nb")

    assert isinstance(found, list)
    places = {text: (place, place.column) for place, _, text in found if isinstance(place, Place)}
    assert places == {"a": (1, 1), "{{-": (3, 3), " ": (3, 11), "name": (3, 7), "}}": (3, 12), "\nb": (3, 14)}


def test_a_template_of_too_many_tokens_is_stopped() -> None:
    with pytest.raises(TemplateLimitExceeded, match=f"more than {MAX_TOKENS} tokens"):
        tokens(prompt_environment(), "{{ a }}" * MAX_TOKENS)


def test_brackets_nested_too_deep_are_stopped_where_they_are() -> None:
    with pytest.raises(TemplateLimitExceeded) as caught:
        tokens(prompt_environment(), "\n{{ " + "(" * (MAX_BRACKETS + 1))

    assert (caught.value.line, caught.value.column) == (2, 4 + MAX_BRACKETS)
