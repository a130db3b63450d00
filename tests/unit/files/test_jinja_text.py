"""Text goes into templates and comes out again as it was, whatever it looks like."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cuewire.files.jinja_text import Expression, Tag, included, joined, literal, pieces
from cuewire.files.losses import Losses
from cuewire.files.nunjucks import from_nunjucks
from cuewire.template.environment import prompt_environment

MARKS = [
    "{",
    "}",
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "-",
    "+",
    "raw",
    "endraw",
    "{%- endraw %}",
    " ",
    "\n",
    "'",
    '"',
    "a",
]
TEXTS = st.lists(st.sampled_from(MARKS), max_size=12).map("".join) | st.text(
    alphabet=st.characters(exclude_characters="\r")
)


def rendered(template: str) -> str:
    return prompt_environment().from_string(template).render(x="X")


def without_last_line_end(text: str) -> str:
    return text.removesuffix("\n")


@given(text=TEXTS)
@example(text="{{{")
@example(text="  {{x}}\n  {% endraw %}\n{")
def test_any_text_comes_out_of_its_template(text: str) -> None:
    assert rendered(literal(text)) == without_last_line_end(text)


@given(before=TEXTS, inside=TEXTS, after=TEXTS)
def test_parts_leave_the_texts_between_them_alone(before: str, inside: str, after: str) -> None:
    template = joined([before, Expression("x"), inside, Tag("if x"), before, Tag("endif"), after])

    assert rendered(template) == f"{before}X{inside}{before}{without_last_line_end(after)}"


@given(text=TEXTS)
def test_taking_apart_loses_nothing(text: str) -> None:
    assert "".join(piece.source for piece in pieces(text)) == text


def test_pieces_know_their_kind_and_line() -> None:
    found = [*pieces("a\n{{ b }}\n{# c\n #}{%- include 'd@2' +%}{% raw %}{{ e }}{% endraw %}{{ '}}' }}{{ f")]

    assert [(piece.kind, piece.inner, piece.line) for piece in found if piece.inner.strip()] == [
        ("text", "a\n", 1),
        ("expression", "b", 2),
        ("tag", "include 'd@2'", 4),
        ("text", "{{ e }}", 4),
        ("expression", "'}}'", 4),
        ("text", "{{ f", 4),
    ]
    assert [piece.include for piece in included("{% include 'a' %}{% include b %}{% if 'include' %}")] == ["a"]


@pytest.mark.parametrize(
    ("nunjucks", "jinja", "lost"),
    [
        ("{{ a | dump }} {{ b|safe }}", "{{ a | tojson }} {{ b }}", ""),
        ("{% if a === 'x === y' && b !== null %}", "{% if a == 'x === y' and b != none %}", ""),
        ("{% if a %}{% elseif b %}{% endif %}", "{% if a %}{% elif b %}{% endif %}", ""),
        ("a === b {# && #}{% raw %}{{ a || b }}{% endraw %}", "a === b {# && #}{% raw %}{{ a || b }}{% endraw %}", ""),
        ("{{ env.HOME }}", "{{ env.HOME }}", "environment"),
        ("{% asyncEach x in y %}", "{% asyncEach x in y %}", "asyncEach"),
    ],
)
def test_nunjucks_is_jinja_but_for_some_words(nunjucks: str, jinja: str, lost: str) -> None:
    losses = Losses()

    assert from_nunjucks(nunjucks, losses=losses) == jinja
    assert [lost in loss.why for loss in losses.all()] == ([True] if lost else [])
