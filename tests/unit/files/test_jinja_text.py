"""Text goes into templates and comes out again as it was, whatever it looks like."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jinja2 import Environment

from cuewire.files.jinja_text import Expression, Part, Tag, included, joined, literal, pieces, untrimmed
from cuewire.files.losses import Losses
from cuewire.files.nunjucks import from_nunjucks, to_nunjucks
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


@given(text=TEXTS)
@example(text="{{{")
@example(text="  {{x}}\n  {% endraw %}\n{")
def test_any_text_comes_out_of_its_template(text: str) -> None:
    assert rendered(literal(text)) == text


@given(before=TEXTS, inside=TEXTS, after=TEXTS)
def test_parts_leave_the_texts_between_them_alone(before: str, inside: str, after: str) -> None:
    template = joined([before, Expression("x"), inside, Tag("if x"), before, Tag("endif"), after])

    assert rendered(template) == f"{before}X{inside}{before}{after}"


def test_a_long_text_of_many_parts_comes_out_as_it_was() -> None:
    parts: list[Part] = ["\n  {% a", Expression("x"), "{", Tag("if x"), "\n", Tag("endif"), "  "]

    assert rendered(joined(parts)) == "\n  {% aX{\n  "
    assert joined(parts * 20_000) == joined(parts) * 20_000


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


NUNJUCKS = Environment(keep_trailing_newline=True)
"""It trims what Nunjucks trims: where a sign says so."""
SIGNED = [
    "{%S if x S%}#{%S endif S%}",
    "{{S x S}}",
    "{#S c S#}",
    "{%S if x S%}\n {% raw %}\n{{ a }}\n  {% endraw S%}{% endif %}",
]


def signed(signs: str) -> st.SearchStrategy[str]:
    """Return texts about marks with some of the signs."""
    marks = st.sampled_from(SIGNED).flatmap(
        lambda marks: st.lists(st.sampled_from(["", *signs]), min_size=5, max_size=5).map(
            lambda chosen: "".join(map("".join, zip(marks.split("S"), chosen, strict=False)))
        )
    )
    return st.lists(st.text(alphabet="a \n\t\u3000", max_size=4) | marks, max_size=8).map("".join)


@given(text=signed("-"))
@example(text="{% if x %}\nfoo\n{% endif %}\nbar\n")
def test_nunjucks_keeps_its_white_space(text: str) -> None:
    losses = Losses()

    assert rendered(from_nunjucks(text, losses=losses)) == NUNJUCKS.from_string(text).render(x="X")
    assert losses.all() == ()


@given(text=TEXTS)
def test_what_is_no_template_is_taken_apart_too(text: str) -> None:
    assert "".join(piece.source for piece in untrimmed(f"a{text}{{% raw %}}")).endswith("{% raw %}")


@given(text=signed("-+").filter(lambda text: "+}}" not in text))
@example(text="a\n  {% if x %}\n  foo\n  {%+ endif +%}\nbar\n")
def test_nunjucks_gets_the_white_space_that_is_written(text: str) -> None:
    assert NUNJUCKS.from_string(to_nunjucks(text)).render(x="X") == rendered(text)
