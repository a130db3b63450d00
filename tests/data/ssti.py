"""Payloads against the template sandbox: the expressions of thirteen families, each in several places of a template.

Those in ssti.json are written by hand; walks.py makes the others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from cuewire.model.prompts import Inputs
from tests.data.walks import walks

VARIABLE = "CUEWIRE_CANARY"
SECRET = "canary-5f2e91"
"""What the environment variable holds."""
INSIDE = re.compile(
    r"<(?:class|function|module|frame|code|cell|slot wrapper|built-in|method|bound method|generator|coroutine|async"
    r"|member|attribute|property|jinja2\.|Template (?:memory|'))| at 0x|subprocess|environ\("
)
"""What a written form of Python's own objects looks like."""

FEWEST = 120
INPUTS: Inputs = {
    "text": "abc",
    "items": [1, "b"],
    "data": {"a": 1},
    "name": "__class__",
    "path": "__class__.__mro__",
    "stored": "{{ ''.__class__.__mro__ }}{% include '/etc/passwd' %}",
    "form": "{0.__class__.__init__.__globals__}",
}

PLACES = (
    "{{ X }}",
    "{% set a = X %}{{ a }}",
    "{% if X %}yes{% endif %}",
    "{% for a in X %}{{ a }}{% endfor %}",
    "{{ (X) | string }}",
    "{{ [X] | first }}",
    "{{ {'k': X} | tojson }}",
    "{{ 'a' if X else 'b' }}",
    "{% macro macro(a) %}{{ X }}{% endmacro %}{{ macro(1) }}",
    "{% block b %}{{ X }}{% endblock %}{{ self.b() }}",
    "{% set ns = namespace(a=X) %}{{ ns.a }}",
    "{{ (X) ~ '' }}",
    "{% set a %}{{ X }}{% endset %}{{ a }}",
    "{% macro macro(a=X) %}{{ a }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ macro() }}",
    "{% macro macro() %}{{ caller(X) }}{% endmacro %}{% call(a) macro() %}{{ a }}{% endcall %}",
    "{% filter replace('a', X) %}aaa{% endfilter %}",
    "{% with a = X %}{{ a }}{% endwith %}",
    "{% for a in [1, 2] if X %}{{ loop.cycle(X) }}{% endfor %}",
    "{% for a in [X] recursive %}{{ a }}{% endfor %}",
    "{{ '%s' | format(X) }}",
    "{{ '{}'.format(X) }}",
    "{{ text | default(X, true) ~ missing | default(X) }}",
    "{{ [X, (X,), {'a': X}] }}",
    "{{ text ~ (X) if (X) is defined }}",
)
HOMES: Mapping[str, tuple[str, ...]] = {
    "macros": (
        "{% macro macro(a) %}{{ X }}{{ varargs }}{{ kwargs }}{% endmacro %}{% call macro(1, 2, z=3) %}{% endcall %}",
        "{% macro macro(a) %}{{ a }}{% endmacro %}{% block b %}{{ X }}{% endblock %}",
        "{% block b %}{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}{{ X }}{% endcall %}{% endblock %}",
    ),
    "frames": (
        "{% for x in items recursive %}{{ X }}{% endfor %}",
        "{% for x in items | map('string') %}{{ X }}{% endfor %}",
    ),
    "asynchronous": ("{% macro macro() %}{% for x in items %}{{ X }}{% endfor %}{% endmacro %}{{ macro() }}",),
    "other templates": ("{% for x in items %}{% block b scoped %}{{ X }}{% endblock %}{% endfor %}",),
}
"""Places where the names are known that a family is about."""


@cache
def families() -> Mapping[str, list[str]]:
    """Return the expressions of each family, without repeats."""
    by_hand: dict[str, list[str]] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    return {family: list(dict.fromkeys([*expressions, *walks(family)])) for family, expressions in by_hand.items()}


def payloads(family: str, *, canary: Path, places: int = 0) -> Iterator[str]:
    """Yield the templates of one family: each expression in so many of the places, in turn.

    By default in one, or in as many as it takes to have FEWEST of the family. One that gets out tells the secret, shows
    an object of Python's, or writes the canary file.
    """
    expressions = families()[family]
    places = places or -(-FEWEST // len(expressions))
    for number, expression in enumerate(expressions):
        turn = [PLACES[(number * places + place) % len(PLACES)] for place in range(places)]
        for template in (*turn, *HOMES.get(family, ())):
            yield template.replace("X", expression).replace("CANARY", str(canary)).replace("VARIABLE", VARIABLE)
    if family == "other templates":
        yield from _statements()


def is_leak(text: str) -> bool:
    """Tell whether a text tells of what lies outside of a template."""
    return SECRET in text or "root:" in text or bool(INSIDE.search(text))


def _statements() -> Iterator[str]:
    names = (
        *("'/etc/passwd'", "['a', 'b']", "name", "'../' ~ name", "self", "'\\x2fetc/passwd'", "stored", "cycler"),
        *("'secret@1'", "'a' if text else 'b'", "('a',)", "text.upper", "none", "1"),
    )
    tags = (
        "{% include X %}",
        "{% include X ignore missing %}",
        "{% include X without context %}",
        "{% import X as a %}{{ a.b() }}",
        "{% from X import a %}{{ a() }}",
        "{% from X import __class__ as a with context %}{{ a }}",
        "{% extends X %}{% block b %}{{ super() }}{% endblock %}",
        "{% if text %}{% extends X %}{% endif %}",
        "{{ prompt(X) }}",
    )
    for tag in tags:
        for name in names:
            yield tag.replace("X", name)
