"""The functions and tests of templates that Jinja2 does not bring: pure, and bounded by what goes in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cuewire.model.errors import TemplateError
from cuewire.template import guards
from cuewire.template.filters.entry import is_missing
from cuewire.template.filters.numeric import is_number
from cuewire.template.instants import days_between, is_moment, lapse, parse_date


def least(*values: Any) -> Any:
    """Return the smallest of several values, or of one list."""
    return min(_many(values))


def greatest(*values: Any) -> Any:
    """Return the largest of several values, or of one list."""
    return max(_many(values))


def total(values: Any, start: Any = 0) -> Any:
    """Add the numbers of a list. Raises TemplateError for texts and lists, which would grow with each step."""
    result = start
    for value in [start, *values]:
        if not isinstance(value, int | float):
            raise TemplateError("sum adds numbers only", hint="use join for texts")
    for value in values:
        result += value
    return result


def _many(values: tuple[Any, ...]) -> Any:
    return values[0] if len(values) == 1 else values


def is_blank(value: Any) -> bool:
    """Tell whether a value is missing, an empty list or mapping, or a text of spaces at most."""
    if isinstance(value, str):
        return not value.strip()
    return is_missing(value) or (isinstance(value, list | tuple | dict) and not value)


def is_number_like(value: Any) -> bool:
    """Tell whether a value is a number, or a text that numeric filters take as one."""
    return not is_missing(value) and is_number(value)


def is_date_like(value: Any) -> bool:
    """Tell whether a value is a time or date, or can be read as one."""
    return not is_missing(value) and is_moment(value)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "range": guards.bounded_range,
    "days_between": days_between,
    "timedelta": lapse,
    "parse_date": parse_date,
    "min": least,
    "max": greatest,
    "sum": total,
    "len": len,
}
TESTS: Mapping[str, Callable[..., bool]] = {
    "blank": is_blank,
    "date_like": is_date_like,
    "number_like": is_number_like,
}

GUIDE: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "now",
        "now or now(tz=none)",
        "The time of the render, the same all through it; as a value in UTC, as a function also in a time zone.",
        "{{ now }} {{ now.year }} {{ now('Asia/Tokyo').strftime('%H:%M') }}",
        "2026-01-31T23:30:00+00:00 2026 08:30",
    ),
    (
        "today",
        "today or today(tz=none)",
        "The date of the render, as a value in UTC, as a function also in a time zone.",
        "{{ today }} {{ today('Asia/Tokyo') }}",
        "2026-01-31 2026-02-01",
    ),
    (
        "days_between",
        "days_between(a, b)",
        "Count the days from one date to another.",
        "{{ days_between('2026-01-31', '2026-02-03') }}",
        "3",
    ),
    (
        "timedelta",
        "timedelta(days=0, hours=0, minutes=0)",
        "A length of time, to add to a time.",
        "{{ (now + timedelta(days=1, hours=2)) | datetime }}",
        "2026-02-02 01:30:00",
    ),
    (
        "parse_date",
        "parse_date(text, fmt=none)",
        "Read a time, as ISO 8601 or in a format of strftime.",
        "{{ parse_date('31.1.2026', '%d.%m.%Y') | date }}",
        "2026-01-31",
    ),
    ("min", "min(*values)", "Return the smallest of several values, or of one list.", "{{ min(3, 1, 2) }}", "1"),
    ("max", "max(*values)", "Return the largest of several values, or of one list.", "{{ max([3, 1, 2]) }}", "3"),
    ("sum", "sum(values, start=0)", "Add the numbers of a list.", "{{ sum([1, 2]) }}", "3"),
    ("len", "len(value)", "Count items or letters.", "{{ len('abc') }}", "3"),
    ("range", "range([start,] stop[, step])", "Count, at most 10,000 numbers.", "{{ range(3) | join }}", "012"),
    ("dict", "dict(**items)", "Make a mapping.", "{{ dict(a=1) }}", "{'a': 1}"),
    (
        "namespace",
        "namespace(**items)",
        "Values that a loop can change.",
        "{% set n = namespace(t=0) %}{% for i in [1, 2] %}{% set n.t = n.t + i %}{% endfor %}{{ n.t }}",
        "3",
    ),
    (
        "cycler",
        "cycler(*items)",
        "Give one item after the other, again and again.",
        "{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}",
        "aba",
    ),
    (
        "joiner",
        "joiner(sep=', ')",
        "Give nothing the first time, and the separator after.",
        "{% set j = joiner('+') %}{% for i in [1, 2] %}{{ j() }}{{ i }}{% endfor %}",
        "1+2",
    ),
    (
        "is number_like",
        "is number_like",
        "A number, or a text that numeric filters take as one.",
        "{{ '1.5' is number_like }} {{ 'n/a' is number_like }}",
        "True False",
    ),
    (
        "is date_like",
        "is date_like",
        "A time or date, or what can be read as one.",
        "{{ '2026-01-31' is date_like }} {{ 'soon' is date_like }}",
        "True False",
    ),
    (
        "is blank",
        "is blank",
        "Missing, an empty list or mapping, or a text of spaces at most.",
        "{{ ' ' is blank }} {{ 0 is blank }}",
        "True False",
    ),
)
"""What the guide says of functions and tests: name, form, meaning, example, result at 2026-01-31 23:30 UTC."""
