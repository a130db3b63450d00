"""Lists written line by line, searched, ordered and averaged."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from cuewire.model.errors import TemplateError
from cuewire.template.filters.data import text_of
from cuewire.template.filters.entry import MISSING, Constants, Growth, is_missing, prompt_filter, whole
from cuewire.template.filters.numeric import (
    NOT_AVAILABLE,
    decimals_of,
    minus,
    plain_number,
    quotient,
    root,
    times,
    total,
)
from cuewire.template.guards import check_chars

MAX_INDENT = 100
_AVERAGED = Growth(0, 320, passes=30)


def _bulleted(arguments: Constants) -> Growth | None:
    indent = arguments["indent"]
    if type(indent) is not int or not 0 <= indent <= MAX_INDENT:
        return None
    return Growth(8 + indent + 2 * len(str(arguments["marker"])), 20, passes=4)


@prompt_filter(rule=_bulleted)
def bullets(value: Any, marker: str = "-", indent: int = 0) -> str:
    """Write a list one item a line, each after a `marker`. Further lines of an item stay within it.

    {{ ['a', 'b'] | bullets }} gives - a
    - b
    """
    space = " " * whole("indent", indent, 0, MAX_INDENT)
    return _lines(_items(value), [f"{space}{marker} "])


@prompt_filter(rule=Growth(30, 20, passes=4))
def numbered(value: Any, start: int = 1) -> str:
    """Write a list one item a line, numbered from `start` on. Further lines of an item stay within it.

    {{ ['a', 'b'] | numbered }} gives 1. a
    2. b
    """
    first = whole("start", start, 0, 10**9)
    items = _items(value)
    return _lines(items, [f"{first + place}. " for place in range(len(items))])


def _plucked(arguments: Constants) -> Growth:
    return Growth(2 + len(repr(arguments["default"])), 20, passes=4 + len(str(arguments["key"])))


@prompt_filter(rule=_plucked)
def pluck(value: Any, key: str, default: Any = None) -> Any:
    """Return one field of each item of a list, with `default` where there is none; 'a.b.0' goes deeper.

    {{ [{'a': {'b': 1}}, {'a': {'b': 2}}] | pluck('a.b') }} gives [1, 2]
    """
    return [_field(item, key, default) for item in _items(value)]


def _ordered(arguments: Constants) -> Growth:
    return Growth(1, 20, passes=30 + len(str(arguments["by"])))


@prompt_filter(rule=_ordered)
def top(value: Any, n: int, by: str | None = None, reverse: bool = True) -> Any:
    """Return the `n` largest items, or with `reverse=false` the smallest; `by` names the field that decides.

    Items without that field come last.

    {{ [3, 1, 2] | top(2) }} gives [3, 2]
    """
    items = _items(value)
    whole("n", n, 0, 10**9)
    keys = [item if by is None else _field(item, by, None) for item in items]
    known = [place for place, key in enumerate(keys) if not is_missing(key)]
    known_places = set(known)
    unknown = [place for place in range(len(items)) if place not in known_places]
    try:
        ordered = sorted(known, key=lambda place: keys[place], reverse=bool(reverse))
    except TypeError:
        raise TemplateError("values of different kinds have no order", hint="order by a field of numbers") from None
    return [items[place] for place in [*ordered, *unknown][:n]]


@prompt_filter(rule=_AVERAGED, takes=decimals_of, missing=NOT_AVAILABLE)
def mean(value: list[Decimal]) -> Any:
    """Return the mean of a list of numbers, leaving out what is missing in it.

    {{ [1, 2, none] | mean }} gives 1.5
    """
    return plain_number(quotient(total(value), len(value)), is_whole=False) if value else MISSING


@prompt_filter(rule=_AVERAGED, takes=decimals_of, missing=NOT_AVAILABLE)
def median(value: list[Decimal]) -> Any:
    """Return the middle one of a list of numbers, or the mean of the middle two, leaving out what is missing in it.

    {{ [1, 10, 2] | median }} gives 2.0
    """
    if not value:
        return MISSING
    middle = sorted(value)[(len(value) - 1) // 2 : len(value) // 2 + 1]
    return plain_number(quotient(total(middle), len(middle)), is_whole=False)


@prompt_filter(rule=_AVERAGED._replace(passes=80), takes=decimals_of, missing=NOT_AVAILABLE)
def stdev(value: list[Decimal]) -> Any:
    """Return the standard deviation of a sample: of a list of at least two numbers, leaving out what is missing in it.

    {{ [2, 4, 4, 4, 5, 5, 7, 9] | stdev | round(3) }} gives 2.138
    """
    if len(value) < 2:
        return MISSING
    average = quotient(total(value), len(value))
    squares = total(times(difference, difference) for difference in (minus(each, average) for each in value))
    return plain_number(root(quotient(squares, len(value) - 1)), is_whole=False)


def _items(value: Any) -> Sequence[Any]:
    if isinstance(value, list | tuple | range):
        return value
    raise TemplateError("this is no list", hint="put a single value into brackets: [value]")


def _lines(items: Sequence[Any], heads: Sequence[str]) -> str:
    lines: list[str] = []
    size = 0
    for place, item in enumerate(items):
        head = heads[place % len(heads)]
        first, *others = text_of(item).splitlines() or [""]
        lines.append((head + first).rstrip())
        lines += [(" " * len(head) + line).rstrip() for line in others]
        size += len(head) * (1 + len(others)) + len(first) + sum(map(len, others))
        check_chars(size)
    return "\n".join(lines)


def _field(item: Any, path: Any, default: Any) -> Any:
    for step in str(path).split("."):
        if isinstance(item, dict) and step in item:
            item = item[step]
        elif isinstance(item, list) and step.isdecimal() and len(step) < 10 and int(step) < len(item):
            item = item[int(step)]
        else:
            return default
    return item
