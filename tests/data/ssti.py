"""Payloads against the template sandbox: each expression of the thirteen families in each of the places below."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

INPUTS: Mapping[str, object] = {"text": "abc", "items": [1, "b"], "data": {"a": 1}}

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
)


def families() -> Mapping[str, list[str]]:
    """Return the expressions of each family."""
    found: dict[str, list[str]] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    return found


def payloads(family: str, *, canary: Path) -> list[str]:
    """Return the templates of one family; a payload that gets out writes the canary file."""
    expressions = [expression.replace("CANARY", str(canary)) for expression in families()[family]]
    return [place.replace("X", expression) for expression in expressions for place in PLACES] + _statements(family)


def _statements(family: str) -> list[str]:
    if family != "other templates":
        return []
    names = ("'/etc/passwd'", "['a', 'b']", "name", "'../' ~ name", "self")
    tags = (
        "{% include X %}",
        "{% include X ignore missing %}",
        "{% import X as a %}",
        "{% from X import a %}",
        "{% extends X %}",
    )
    return [tag.replace("X", name) for tag in tags for name in names]
