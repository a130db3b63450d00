"""Values written as data that models read well: JSON, YAML, CSV and Markdown tables, each the same on every run."""

from __future__ import annotations

import json as standard_json
import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import islice
from math import isfinite
from typing import Any

import msgspec

from cuewire.model.errors import TemplateError, TemplateLimitExceeded
from cuewire.template.filters.entry import Constants, Growth, prompt_filter, whole
from cuewire.template.guards import check_chars

MAX_DEPTH = 32
MAX_ROWS = 1_000
MAX_COLUMNS = 100
_RAISE: Any = type("Raise", (), {"__repr__": lambda _: "raise"})()
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./ ()%+-]*(?<! )")
_WORDS = frozenset(["true", "false", "yes", "no", "on", "off", "null", "none", "y", "n", "inf", "nan"])
_ODD = r"\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff"
_BLOCK = re.compile(rf"[^\s{_ODD}][^{_ODD}]*")


def _indented(arguments: Constants) -> Growth | None:
    indent = arguments["indent"]
    return Growth(6 + 70 * indent, 40) if type(indent) is int and 0 <= indent <= 16 else Growth(6, 40)


@prompt_filter(rule=_indented, missing="null")
def json(value: Any, indent: int | None = None, sort_keys: bool = True, ensure_ascii: bool = False) -> str:
    """Write a value as JSON, the same on every run and with nothing escaped for web pages; what is missing is null.

    {{ {'b': 'é', 'a': [1, none]} | json }} gives {"a": [1, null], "b": "é"}
    """
    spaces = None if indent is None else whole("indent", indent, 0, 16)
    try:
        return _dumped(value, spaces, sort_keys, ensure_ascii)
    except ValueError:  # NaN is no JSON
        return _dumped(_finite(value, 0), spaces, sort_keys, ensure_ascii)


@prompt_filter(rule=Growth(14, 14))
def from_json(value: Any, default: Any = _RAISE) -> Any:
    """Read a text that is JSON; where it is not, give `default`, or fail if there is none.

    {{ ('{"a": [1, 2]}' | from_json).a | sum }} gives 3
    """
    try:
        return msgspec.json.decode(str(value))
    except (msgspec.DecodeError, RecursionError, ValueError):
        if default is not _RAISE:
            return default
        raise TemplateError("the text is no JSON", hint="give from_json(default=...) what to use then") from None


@prompt_filter(rule=Growth(40, 90, passes=4), missing="null")
def yaml(value: Any) -> str:
    """Write a value as YAML in block style, keys in their order; what is missing is null.

    {{ {'name': 'Ada', 'tags': ['a', 'b']} | yaml }} gives name: Ada
    tags:
      - a
      - b
    """
    lines: list[str] = []
    total = 0
    for line in _yaml(value, 0):
        total += len(line) + 1
        check_chars(total)
        lines.append(line)
    return "\n".join(lines)


def _tabulated(arguments: Constants) -> Growth | None:
    """Each cell takes three characters more than its value, and there are at most so many rows and columns."""
    wide, rows = _width(arguments["columns"]), arguments["max_rows"]
    if wide is None or type(rows) is not int or not 0 <= rows <= MAX_ROWS:
        return None
    return Growth(6, 3 * (rows + 3) * wide + 100, passes=8)


@prompt_filter(rule=_tabulated)
def table(value: Any, columns: Any = None, max_rows: int = 50) -> str:
    """Write a list of mappings as a Markdown table of `columns`, or of all keys in the order in which they appear.

    After `max_rows` rows a line tells how many more there are.

    {{ [{'a': 1, 'b': 'x'}] | table }} gives | a | b |
    | --- | --- |
    | 1 | x |
    """
    rows = _rows(value)
    shown = rows[: whole("max_rows", max_rows, 0, MAX_ROWS)]
    names = _columns(columns, shown)
    if not names:
        return ""
    lines = [_line(names), _line(["---"] * len(names)), *(_line([row.get(name) for name in names]) for row in shown)]
    if len(rows) > len(shown):
        lines.append(f"\n({len(rows) - len(shown)} more)")
    return "\n".join(lines)


def _separated(arguments: Constants) -> Growth | None:
    """Each cell takes a comma, and there are at most half as many rows as the value has characters."""
    wide = _width(arguments["columns"])
    return None if wide is None else Growth(6 + wide, 100, passes=8)


@prompt_filter(rule=_separated)
def csv(value: Any, columns: Any = None, header: bool = True) -> str:
    """Write a list of mappings as CSV of `columns`, or of all keys in the order in which they appear.

    {{ [{'a': 1, 'b': 'x, y'}] | csv }} gives a,b
    1,"x, y"
    """
    rows = _rows(value)
    names = _columns(columns, rows)
    lines: list[str] = []
    total = 0
    for cells in ([names] if header and names else []) + [[row.get(name) for name in names] for row in rows]:
        line = ",".join(_cell(cell) for cell in cells)
        total += len(line) + 1
        check_chars(total)
        lines.append(line)
    return "\n".join(lines)


def _width(columns: Any) -> int | None:
    """Return how many columns there are at most, None if one is written twice, which doubles what it holds."""
    if columns is None:
        return MAX_COLUMNS
    return len(columns) if isinstance(columns, list) and len(set(map(str, columns))) == len(columns) else None


def text_of(value: Any) -> str:
    """Write one value inside of a line or a cell: nothing for none, JSON for lists and mappings."""
    if value is None:
        return ""
    return _dumped(_finite(value, 0), None, False, False) if isinstance(value, dict | list | tuple) else str(value)


def _dumped(value: Any, indent: int | None, sort_keys: Any, ensure_ascii: Any) -> str:
    return standard_json.dumps(
        value,
        indent=indent,
        sort_keys=bool(sort_keys),
        ensure_ascii=bool(ensure_ascii),
        allow_nan=False,
        default=_as_text,
    )


def _as_text(value: Any) -> str:
    if isinstance(value, date | timedelta):
        return str(value)
    raise TemplateError("something is no text, number, list or mapping", hint="write a part of it")


def _finite(value: Any, depth: int) -> Any:
    """Return a value with none for NaN and the infinities."""
    if depth > MAX_DEPTH:
        raise _too_deep()
    match value:
        case float() if not isfinite(value):
            return None
        case dict():
            return {key: _finite(item, depth + 1) for key, item in value.items()}
        case list() | tuple():
            return [_finite(item, depth + 1) for item in value]
    return value


def _too_deep() -> TemplateLimitExceeded:
    return TemplateLimitExceeded(f"a value is nested deeper than {MAX_DEPTH} levels", hint="write a part of it")


def _yaml(value: Any, depth: int) -> Iterator[str]:
    """Yield the lines of a value, each indented by its depth."""
    if depth > MAX_DEPTH:
        raise _too_deep()
    space = "  " * depth
    match value:
        case dict() if value:
            for key, item in value.items():
                yield from _yaml_item(f"{space}{_yaml_text(str(key))}:", item, depth)
        case list() | tuple() if value:
            for item in value:
                yield from _yaml_item(f"{space}-", item, depth)
        case _:
            yield space + _yaml_scalar(value)


def _yaml_item(head: str, item: Any, depth: int) -> Iterator[str]:
    if isinstance(item, dict | list | tuple) and item:
        yield head
        yield from _yaml(item, depth + 1)
    elif isinstance(item, str) and "\n" in item and _BLOCK.fullmatch(item) and not item.endswith("\n"):
        yield f"{head} |-"
        for line in item.split("\n"):
            yield "  " * (depth + 1) + line if line else ""
    else:
        yield f"{head} {_yaml_scalar(item)}"


def _yaml_scalar(value: Any) -> str:
    match value:
        case str():
            return _yaml_text(value)
        case float() if not isfinite(value):
            return "null"
        case dict():
            return "{}"
        case list() | tuple():
            return "[]"
    return _dumped(value, None, False, False) if not isinstance(value, date | timedelta) else _yaml_text(str(value))


def _yaml_text(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    written = standard_json.dumps(text, ensure_ascii=False)
    return re.sub(rf"[{_ODD}]", lambda found: f"\\u{ord(found[0]):04x}", written)


def _rows(value: Any) -> list[dict[str, Any]]:
    rows = list(value) if isinstance(value, list | tuple) else [value]
    if not all(isinstance(row, dict) for row in rows):
        raise TemplateError("only a list of mappings can be written in columns", hint="use bullets for a plain list")
    return rows


def _columns(columns: Any, rows: Sequence[dict[str, Any]]) -> list[str]:
    if columns is None:
        names = list(islice(dict.fromkeys(key for row in rows for key in row), MAX_COLUMNS + 1))
    elif isinstance(columns, list | tuple):
        names = list(columns)
    else:
        raise TemplateError("columns is no list", hint="write columns=['name', 'price']")
    if len(names) > MAX_COLUMNS:
        raise TemplateLimitExceeded(f"there are more than {MAX_COLUMNS} columns", hint="name those to write")
    return names


def _line(cells: Sequence[Any]) -> str:
    return "| " + " | ".join(" ".join(text_of(cell).replace("|", "\\|").split()) for cell in cells) + " |"


def _cell(value: Any) -> str:
    text = text_of(value)
    if not re.search(r'[,"\r\n]|^\s|\s$', text):
        return text
    return '"' + text.replace('"', '""') + '"'
