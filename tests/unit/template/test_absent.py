"""Where what is missing is no error, it prints as nothing or as a mark, and templates go on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cuewire.template.absent import Missing, seen_marks
from cuewire.template.compiled import CompiledTemplate, Shelf
from cuewire.template.environment import prompt_environment
from cuewire.template.filters import CUSTOM
from cuewire.template.parse import parse

AT = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
CASES: dict[str, tuple[str, str]] = {
    "Hi {{ x }}!": ("Hi !", "Hi \u27e6x\u27e7!"),
    "{{ x.y.z }}{{ x['a'][0] }}": ("", "\u27e6x.y.z\u27e7\u27e6x.a[0]\u27e7"),
    "{{ user.mail }}": ("", "\u27e6mail\u27e7"),
    "{{ x.title() }}{{ x() }}": ("", "\u27e6x.title\u27e7\u27e6x\u27e7"),
    "{{ x | round(2) }}": ("N/A", "\u27e6x\u27e7"),
    "{{ x | round(2, missing='-') }}{{ x | currency(missing='') }}": ("-", "\u27e6x\u27e7\u27e6x\u27e7"),
    "{{ x | upper }}{{ x | length }}": ("0", "\u27e6x\u27e7\u27e6x\u27e7"),
    "{{ x | default('-') }}{{ x is defined }}{{ x is even }}": ("-FalseFalse", "-FalseFalse"),
    "{% for d in x %}{{ d }}{% else %}none{% endfor %}": ("none", "none"),
    "{% if x > 3 or x < 3 or x == 3 or x %}a{% else %}b{% endif %}": ("b", "b"),
    "{{ 'a' + x + 'b' }}{{ 'a' ~ x }}": ("aba", "a\u27e6x\u27e7ba\u27e6x\u27e7"),
    "{{ x + 1 }}{{ x * 2 }}{{ 2 - x }}{{ -x }}{{ 1 / x }}{{ x ** 2 }}": ("1", "1" + "\u27e6x\u27e7" * 5),
    "{{ [x] }}{{ 'a' in x }}": ("['']False", "['\u27e6x\u27e7']False"),
    "{{ len(x) }}{{ days_between(today, x) }}{{ max(x) }}": ("", "\u27e6x\u27e7" * 3),
    "{% for i in range(x) %}{{ i }}{% endfor %}{{ 'abc'[x:] }}": ("abc", "abc"),
    "{{ x | int(5) }}{{ x | float }}": ("50.0", "\u27e6x\u27e7" * 2),
    "{{ x | tojson }}{{ x | json }}": ("nullnull", "\u27e6x\u27e7" * 2),
}


def rendered(source: str, missing: Missing, **inputs: Any) -> str:
    return CompiledTemplate(parse(source), Shelf(missing=missing)).render(inputs, at=AT)


@pytest.mark.parametrize("source", CASES)
def test_what_is_missing_prints_as_nothing_or_as_a_mark(source: str) -> None:
    empty, marked = CASES[source]

    assert rendered(source, "empty", user={"name": "Ada"}) == empty
    assert rendered(source, "mark", user={"name": "Ada"}) == marked


@pytest.mark.parametrize("missing", ["empty", "mark"])
def test_what_is_given_renders_as_ever(missing: Missing) -> None:
    source = "{{ user.mail | upper }}{{ max(1, 2) }}{{ 4 is even }}"

    assert rendered(source, missing, user={"mail": "a@b"}) == "A@B2True"


ARGUMENTS = {
    **dict.fromkeys(("truncate_words", "truncate_tokens", "top", "batch", "slice", "change"), "(1)"),
    **dict.fromkeys(("pluck", "groupby", "selectattr", "rejectattr"), "('a')"),
    "map": "('upper')",
    "replace": "('a', 'b')",
    "select": "('string')",
    "reject": "('string')",
}


@pytest.mark.parametrize("name", sorted(prompt_environment().filters))
def test_every_filter_takes_what_is_missing(name: str) -> None:
    source = f"a{{{{ x | {name}{ARGUMENTS.get(name, '')} }}}}b"

    shown = rendered(source, "mark")

    assert shown == ("ab" if name in ("d", "default") else "a\u27e6x\u27e7b")
    if name != "filesizeformat":
        assert rendered(source, "empty").startswith("a")


def test_custom_filters_give_what_they_have_for_missing_values() -> None:
    for name, entry in CUSTOM.items():
        expected = entry.parameters.get("missing", "")
        assert rendered(f"{{{{ x | {name}{ARGUMENTS.get(name, '')} }}}}", "empty") == expected


def test_marks_that_are_printed_are_seen_once() -> None:
    with seen_marks() as marks:
        rendered("{{ b }}{{ a.c }}{{ b }}{% if d %}{% endif %}{{ e | default('') }}", "mark")

    assert list(marks) == ["b", "a.c"]


def test_a_mark_is_never_long() -> None:
    assert len(rendered("{{ x" + "['" + "a" * 500 + "'] }}", "mark")) < 100
