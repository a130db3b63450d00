"""The bound of what a template takes in holds, and there is none where no look is worth it."""

from __future__ import annotations

import pytest

from cuewire.model.includes import IncludedText, Includes
from cuewire.template.bounds import bound_of
from cuewire.template.compiled import compile_all
from cuewire.template.cost import MAX_COST, cost
from cuewire.template.linked import linked
from tests.unit.template.test_bounds import INPUTS, counted

TEXTS = {
    "words@1": IncludedText(text="{% for w in words %}{{ w | upper }}{% endfor %}{{ price }}"),
    "doc@1": IncludedText(text="{{ doc.title }}{% for t in doc.tags %}{{ t }}{% endfor %}"),
    "docs@1": IncludedText(text="{% for doc in docs %}{% include 'doc' %}{% endfor %}", pins={"doc": "doc@1"}),
    "base@1": IncludedText(
        text="{% set v = b %}{% block x %}{{ b }}{% endblock %}{% for d in docs %}{{ v }}{% endfor %}"
        "{% block y %}{{ v }}{% endblock %}"
    ),
    "counter@1": IncludedText(text="{{ loop.index }}"),
    "wide@1": IncludedText(text="{{ b }}" * 400),
}
PINS = {reference.partition("@")[0]: reference for reference in TEXTS}
INCLUDES = Includes(pins=PINS, texts=TEXTS)
BOUNDED = (
    "{% include 'words' %}{{ prompt('words') }}",
    "{% for doc in docs %}{% include 'doc' %}{% endfor %}",
    "{% include 'docs' %}",
    "{% for w in words %}{% include 'words' %}{% endfor %}",
    "{% if b %}{% set doc = docs[0] %}{% include 'doc' %}{% endif %}",
    "{% extends 'base' %}",
    "{% extends 'base' %}{% set v = price %}{% block x %}{{ v }}{% include 'words' %}{% endblock %}",
    "{% block x %}{{ b }}{% endblock %}{% for w in words %}{% include 'base' %}{% endfor %}",
)
UNBOUNDED = (
    "{% for w in words %}{% include 'counter' %}{% endfor %}",
    "{% for a in words %}{% for b in words %}{% include 'words' %}{% endfor %}{% endfor %}",
    "{{ prompt('words') | upper }}",
    "{% extends 'base' %}{% block x %}{{ super() }}{% endblock %}",
    "{% include 'wide' %}" * 20,
)


@pytest.mark.parametrize("source", BOUNDED)
def test_what_is_taken_in_has_a_bound_that_holds(source: str) -> None:
    version = linked([source], INCLUDES)
    bound = bound_of(version.templates[0], version.texts)
    assert bound is not None

    text, steps = counted(compile_all(version)[0], INPUTS)

    assert 0 < len(text) + steps <= cost(bound, INPUTS) <= MAX_COST


@pytest.mark.parametrize("source", UNBOUNDED)
def test_what_is_taken_in_may_have_no_bound(source: str) -> None:
    version = linked([source], INCLUDES)

    assert bound_of(version.templates[0], version.texts) is None
