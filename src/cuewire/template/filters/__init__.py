"""The filters of templates: pure functions, one file per family, and what the guide and the editor say of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from inspect import cleandoc
from types import MappingProxyType, ModuleType
from typing import Any, NamedTuple

from cuewire.template.filters import data, dates, finance, lists, numbers, text
from cuewire.template.filters.builtin import BUILTIN
from cuewire.template.filters.entry import REQUIRED, Filter

FAMILIES: Mapping[str, ModuleType] = MappingProxyType(
    {
        "Numbers": numbers,
        "Money and trading": finance,
        "Dates and times": dates,
        "Text": text,
        "Lists": lists,
        "Data": data,
    }
)
CUSTOM: Mapping[str, Filter] = MappingProxyType(
    {entry.name: entry for module in FAMILIES.values() for entry in vars(module).values() if isinstance(entry, Filter)}
)
ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "round_decimal": "round",
        "format_percent": "percent",
        "dateformat": "date",
        "datetimeformat": "datetime",
    }
)
"""Names that prompts from elsewhere use, and what they mean."""


class Entry(NamedTuple):
    """What the guide and the editor say of a filter. Rendering the example gives the result."""

    family: str
    name: str
    signature: str
    description: str
    example: str
    result: str


def custom(name: str) -> Filter | None:
    """Return one of our own filters by its name or an alias."""
    return CUSTOM.get(ALIASES.get(name, name))


def calls() -> Mapping[str, Callable[..., Any]]:
    """Return our own filters as functions, by all their names."""
    return {name: CUSTOM[ALIASES.get(name, name)].call for name in (*CUSTOM, *ALIASES)}


def catalogue() -> list[Entry]:
    """Return all filters that templates can use, by family, in order of their names."""
    entries = [_entry(family, entry) for family, module in FAMILIES.items() for entry in _filters_of(module)]
    entries += [
        Entry("Other names", alias, _signature(alias, CUSTOM[name]), f"The same as `{name}`.", *_example(CUSTOM[name]))
        for alias, name in ALIASES.items()
    ]
    return entries + [Entry("Jinja2's own", *each) for each in BUILTIN]


def _filters_of(module: ModuleType) -> Iterator[Filter]:
    yield from sorted((each for each in vars(module).values() if isinstance(each, Filter)), key=lambda each: each.name)


def _entry(family: str, entry: Filter) -> Entry:
    paragraphs = cleandoc(entry.text).split("\n\n")
    description = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs[:-1])
    return Entry(family, entry.name, _signature(entry.name, entry), description, *_example(entry))


def _example(entry: Filter) -> tuple[str, str]:
    example, _, result = cleandoc(entry.text).split("\n\n")[-1].partition(" gives ")
    return example, result


def _signature(name: str, entry: Filter) -> str:
    arguments = [
        parameter if default is REQUIRED else f"{parameter}={_written(default)}"
        for parameter, default in entry.parameters.items()
    ]
    return f"{name}({', '.join(arguments)})"


def _written(default: Any) -> str:
    return str(default).lower() if default is None or isinstance(default, bool) else repr(default)
