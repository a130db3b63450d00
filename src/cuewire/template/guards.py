"""Filters, methods and operators whose result can be far larger than what goes in, each held to a limit.

They turn the usual bombs into an instant, clear answer. What slips by them is stopped by the limits of the process
that renders (worker.py); a template that renders in this process uses none of the growing ones (bounds.py).
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from string import Formatter
from typing import Any

from jinja2 import Undefined, filters
from jinja2.sandbox import SandboxedEnvironment, SandboxedFormatter
from jinja2.utils import pass_environment
from markupsafe import escape

from cuewire.model.errors import TemplateError, TemplateLimitExceeded

MAX_CHARS = 1_048_576
"""Characters that one render may give, and that one value inside a template may have."""
MAX_WIDTH = 10_000
"""The largest width, precision, indentation or number of repetitions, and the longest range."""
_MAX_BITS = 65_536
_NUMBERS = re.compile(r"\d+|\*")
_SPECIFICATION = re.compile(r"[#0\- +*.\d]*")


def check_width(width: object) -> None:
    """Refuse a width that is too large. Raises TemplateLimitExceeded."""
    if isinstance(width, int) and abs(width) > MAX_WIDTH:
        raise TemplateLimitExceeded(f"width {_shown(width)} is more than {MAX_WIDTH}", hint="use a smaller number")


def check_chars(count: int) -> None:
    """Refuse a result that would be too long. Raises TemplateLimitExceeded."""
    if count > MAX_CHARS:
        raise TemplateLimitExceeded(
            f"a value would be longer than {MAX_CHARS} characters", hint="make the template produce less text"
        )


def bounded_range(*arguments: int) -> range:
    """Return a range of at most 10,000 numbers."""
    numbers = range(*arguments)
    try:
        count = len(numbers)
    except OverflowError:
        count = MAX_WIDTH + 1
    if count > MAX_WIDTH:
        raise TemplateLimitExceeded(f"range is longer than {MAX_WIDTH}", hint="loop over less")
    return numbers


def multiply(left: Any, right: Any) -> Any:
    """Multiply; repeated text and lists, and products of integers, are held to the limits."""
    for value, times in ((left, right), (right, left)):
        if isinstance(times, int) and isinstance(value, str | list | tuple):
            check_chars(len(value) * max(times, 0))
    if isinstance(left, int) and isinstance(right, int):
        _check_bits(left.bit_length() + right.bit_length())
    return operator.mul(left, right)


def power(left: Any, right: Any) -> Any:
    """Raise to a power; an integer result is held to the limit."""
    if isinstance(left, int) and isinstance(right, int) and right > 0:
        _check_bits(left.bit_length() * right)
    return operator.pow(left, right)


def modulo(left: Any, right: Any) -> Any:
    """Return the remainder, or the text formatted with `%`."""
    if isinstance(left, str):
        check_percent_format(left)
    return operator.mod(left, right)


def check_percent_format(text: str) -> None:
    """Refuse widths that are too large, or that come from an argument, in a `%` format."""
    place = text.find("%") + 1
    while place:
        place = _after_key(text, place)
        found = _SPECIFICATION.match(text, place)
        assert found is not None, "it matches no characters too"
        _check_numbers(found[0])
        place = text.find("%", found.end() + 1) + 1


def _after_key(text: str, place: int) -> int:
    """Return the place after a key in brackets, which may hold brackets itself."""
    if text[place : place + 1] != "(":
        return place
    depth = 0
    for index in range(place, len(text)):
        depth += (text[index] == "(") - (text[index] == ")")
        if depth == 0:
            return index + 1
    return len(text)


class BoundedFormatter(SandboxedFormatter):
    """`str.format` that walks objects by the sandbox's rules and holds widths to the limit."""

    def format_field(self, value: Any, format_spec: str) -> Any:
        """Format one field; nested fields of the specification are already filled in."""
        _check_numbers(format_spec)
        return Formatter.format_field(self, value, format_spec)


def format(environment: SandboxedEnvironment, text: str) -> Callable[..., str]:  # named as in templates
    """Return what `text.format` is inside a template."""
    return lambda *args, **kwargs: BoundedFormatter(environment).vformat(text, args, kwargs)


def format_map(environment: SandboxedEnvironment, text: str) -> Callable[..., str]:
    """Return what `text.format_map` is inside a template."""
    return lambda mapping: BoundedFormatter(environment).vformat(text, (), mapping)


def _check_numbers(specification: str) -> None:
    for number in _NUMBERS.findall(specification):
        if number == "*":
            raise TemplateLimitExceeded(
                "a width taken from an argument is not allowed", hint="write the width as a number"
            )
        check_width(int(number[:20]))


def _check_bits(bits: int) -> None:
    if bits > _MAX_BITS:
        raise TemplateLimitExceeded("a number is too large", hint="use smaller numbers")


def _shown(number: int) -> str:
    return str(number) if number.bit_length() < 64 else "of many digits"


# Methods of text. Each takes the text first.


def center(text: str, width: int, *fill: str) -> str:
    """Center within a width."""
    check_width(width)
    return text.center(width, *fill)


def ljust(text: str, width: int, *fill: str) -> str:
    """Pad on the right to a width."""
    check_width(width)
    return text.ljust(width, *fill)


def rjust(text: str, width: int, *fill: str) -> str:
    """Pad on the left to a width."""
    check_width(width)
    return text.rjust(width, *fill)


def zfill(text: str, width: int) -> str:
    """Pad with zeros to a width."""
    check_width(width)
    return text.zfill(width)


def expandtabs(text: str, tabsize: int = 8) -> str:
    """Replace tabs by spaces."""
    check_width(tabsize)
    check_chars(len(text) + text.count("\t") * max(tabsize, 0))
    return text.expandtabs(tabsize)


def join_method(separator: str, values: Iterable[str]) -> str:
    """Join texts with the separator."""
    return separator.join(counted(values, separator))


def replace_method(text: str, old: str, new: str, count: int = -1) -> str:
    """Replace text by text."""
    check_chars(len(text) + len(new) * (text.count(old) if count < 0 else min(count, text.count(old))))
    return text.replace(old, new, count)


def counted(values: Iterable[Any], separator: str) -> Iterable[str]:
    """Yield values as texts, as long as all of them, joined, are not too long. Raises TemplateLimitExceeded."""
    total = 0
    for value in values:
        text = str(value)
        total += len(text) + len(separator)
        check_chars(total)
        yield text


# Filters.


def do_center(value: Any, width: int = 80) -> str:
    """Center within a width."""
    return center(str(value), width)


def do_escape(value: Any) -> str:
    """Escape for HTML or XML; the result is plain text."""
    return str(escape(str(value)))


def do_format(value: Any, *args: Any, **kwargs: Any) -> str:
    """Format with `%`."""
    check_percent_format(str(value))
    return filters.do_format(str(value), *args, **kwargs)


def do_indent(text: str, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    """Indent lines."""
    check_width(width)
    size = len(width) if isinstance(width, str) else max(width, 0)
    check_chars(len(text) + (len(text.splitlines()) + 1) * size)
    return filters.do_indent(text, width, first, blank)


@pass_environment
def do_join(environment: SandboxedEnvironment, value: Iterable[Any], d: str = "", attribute: Any = None) -> str:
    """Join values with a separator."""
    if attribute is not None:
        value = map(filters.make_attrgetter(environment, attribute), value)
    separator = str(d)
    return separator.join(counted(value, separator))


def do_replace(value: Any, old: str, new: str, count: int | None = None) -> str:
    """Replace text by text."""
    return replace_method(str(value), str(old), str(new), -1 if count is None else count)


def do_slice(value: Any, slices: int, fill_with: Any = None) -> Iterable[list[Any]]:
    """Cut a list into so many columns."""
    check_width(slices)
    return filters.sync_do_slice(value, slices, fill_with)


def do_batch(value: Iterable[Any], linecount: int, fill_with: Any = None) -> Iterable[list[Any]]:
    """Cut a list into rows of so many items."""
    check_width(linecount)
    return filters.do_batch(value, linecount, fill_with)


def do_tojson(value: Any, indent: int | None = None) -> str:
    """Write JSON for a prompt: keys sorted, letters of all languages as they are, nothing escaped for HTML."""
    if indent is not None and not 0 <= indent <= 16:
        raise TemplateLimitExceeded("the indentation of JSON must be 0 to 16", hint="write | tojson(2)")
    if isinstance(value, Undefined):
        str(value)  # a strict one raises
        value = None
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, indent=indent)


@pass_environment
def do_wordwrap(
    environment: SandboxedEnvironment,
    text: str,
    width: int = 79,
    break_long_words: bool = True,
    wrapstring: str | None = None,
    break_on_hyphens: bool = True,
) -> str:
    """Wrap text at a width."""
    check_width(width)
    check_chars(len(text) * (1 + len(wrapstring or "") // max(width, 1)))
    return filters.do_wordwrap(environment, text, width, break_long_words, wrapstring, break_on_hyphens)


def is_divisible(value: Any, by: Any) -> bool:
    """Tell whether a number can be divided without remainder."""
    if isinstance(value, Undefined):
        str(value)  # a strict one raises
        return False
    if not isinstance(value, int | float):
        raise TemplateError("only a number can be divided", hint="turn text into a number with | int")
    return bool(value % by == 0)


def do_reverse(value: Any) -> Any:
    """Reverse a text or a list."""
    return value[::-1] if isinstance(value, str) else list(reversed(list(value)))


def _listed(call: Callable[..., Iterable[Any]]) -> Callable[..., list[Any]]:
    """Make a filter return a list, where Jinja2's returns a generator: it prints as what it is, and has a length."""

    @wraps(call)
    def listed(*args: Any, **kwargs: Any) -> list[Any]:
        return list(call(*args, **kwargs))

    return listed


_LAZY = ("items", "map", "reject", "rejectattr", "select", "selectattr", "unique")

FILTERS: Mapping[str, Callable[..., Any]] = {
    **{name: _listed(filters.FILTERS[name]) for name in _LAZY},
    "reverse": do_reverse,
    "batch": _listed(do_batch),
    "center": do_center,
    "e": do_escape,
    "escape": do_escape,
    "format": do_format,
    "indent": do_indent,
    "join": do_join,
    "replace": do_replace,
    "slice": _listed(do_slice),
    "tojson": do_tojson,
    "wordwrap": do_wordwrap,
}
"""Filters of the same name and meaning as Jinja2's, with limits, and with lists for generators."""

TESTS: Mapping[str, Callable[..., bool]] = {
    "divisibleby": is_divisible,
    "even": lambda value: is_divisible(value, 2),
    "odd": lambda value: not is_divisible(value, 2),
}
"""Tests that Jinja2 writes with `%`, which would format a text."""

TEXT_METHODS: Mapping[str, Callable[..., Any]] = {
    "center": center,
    "ljust": ljust,
    "rjust": rjust,
    "zfill": zfill,
    "expandtabs": expandtabs,
    "join": join_method,
    "replace": replace_method,
}
"""Methods of text that can grow it, with limits."""
