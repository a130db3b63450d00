"""The cost of rendering as a value: a bound as a function of the inputs, and its evaluation for actual ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import msgspec

MAX_COST = 1_000_000
"""Up to this cost a template renders in this process: some ten milliseconds at most."""

Unit: TypeAlias = "str | int"
"""A length counted beforehand: that of an input by name, or of the longest item of a loop by its index."""
Size: TypeAlias = "dict[Unit | None, int]"
"""A sum of multiples of units; None stands for one character."""
Path: TypeAlias = "tuple[Unit, tuple[str | int, ...]]"

_encode = msgspec.json.Encoder().encode


class Loop(NamedTuple):
    """A loop: where its items lie, as pairs of a mapping or as they are, or how often it turns at most."""

    number: int
    path: Path | None
    is_pairs: bool
    turns: int
    body: Bound


class Bound(NamedTuple):
    """The cost of a run of statements: a size, and the loops in it."""

    size: Size
    loops: list[Loop]


class Term(NamedTuple):
    """What is known of an expression: its length, where in the inputs it lies, and whether it is surely a number."""

    size: Size
    path: Path | None = None
    is_number: bool = False


def added(*sizes: Size) -> Size:
    """Return the sum of sizes."""
    total: Size = {}
    for size in sizes:
        for unit, times in size.items():
            total[unit] = total.get(unit, 0) + times
    return total


def scaled(size: Size, factor: int, more: int = 0) -> Size:
    """Return a multiple of a size, and more characters."""
    return added({unit: times * factor for unit, times in size.items()}, {None: more})


def cost(bound: Bound, inputs: Mapping[str, Any]) -> int:
    """Return an upper bound of the cost of rendering with these inputs, which are exact JSON types.

    Counting stops beyond MAX_COST, so it takes no longer than such a render; the result is some larger number then.
    """
    return _cost(bound, inputs, {}, {}) if bound.loops else _size(bound.size, inputs, {})


def length(value: Any) -> int:
    """Return an upper bound of the length of a value."""
    return len(value) if type(value) is str else 4 * len(_encode(value))


def _cost(bound: Bound, inputs: Mapping[str, Any], items: dict[int, list[Any]], longest: dict[int, int]) -> int:
    total = _size(bound.size, inputs, longest)
    for loop in bound.loops:
        if total > MAX_COST:
            return total
        lists = _lists(loop, inputs, items)
        turns = max(map(len, lists), default=0)
        if (least := turns * loop.body.size[None]) > MAX_COST:
            return least
        items[loop.number] = [item for each in lists for item in each]
        longest[loop.number] = max(map(length, items[loop.number]), default=0)
        total += max(turns, loop.turns) * _cost(loop.body, inputs, items, longest)
    return total


def _size(size: Size, inputs: Mapping[str, Any], longest: Mapping[int, int]) -> int:
    total = 0
    for unit, times in size.items():
        if total > MAX_COST:
            return total
        if unit is None:
            total += times
        elif isinstance(unit, int):
            total += times * longest[unit]
        elif unit in inputs:
            total += times * length(inputs[unit])
    return total


def _lists(loop: Loop, inputs: Mapping[str, Any], items: dict[int, list[Any]]) -> list[Sequence[Any]]:
    """Return what the loop goes over: one list, or within another loop one for each of its items."""
    if loop.path is None:
        return []
    root, steps = loop.path
    values: list[Any] = items[root] if isinstance(root, int) else [inputs[root]] if root in inputs else []
    for step in steps:
        values = [found for value in values if (found := _part(value, step)) is not None]
    if loop.is_pairs:
        return [list(value.items()) for value in values if isinstance(value, dict)]
    return [value if isinstance(value, list | tuple | str) else list(value) for value in values if _is_many(value)]


def _is_many(value: Any) -> bool:
    return isinstance(value, list | tuple | str | dict)


def _part(value: Any, step: str | int) -> Any:
    """Return the part of a value, None if there is none: then the loop fails or does not turn."""
    if isinstance(value, dict):
        return value.get(step)
    if isinstance(step, int) and isinstance(value, list | tuple | str) and -len(value) <= step < len(value):
        return value[step]
    return None
