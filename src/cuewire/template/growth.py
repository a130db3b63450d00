"""How much longer than its input a filter or method can make a value, as a table; what is not here has no bound.

Each entry holds for arguments written as constants in the template. A list counts by its written form, in which a
character takes at most ten. The argument of the whole is in bounds.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar

from jinja2 import nodes
from jinja2.tests import TESTS as _TESTS

from cuewire.template.filters import custom
from cuewire.template.filters.entry import MAX_GIVEN
from cuewire.template.functions import TESTS as _OUR_TESTS

S = TypeVar("S")
P = ParamSpec("P")
R = TypeVar("R")

NUMBER = 400
"""Characters that a number takes at most: a float with all its digits written out."""
SORT = 8
"""What sorting costs, in passes over the values."""
PER_ITEM = frozenset(
    {"join", "map", "max", "min", "reject", "rejectattr", "select", "selectattr", "sort", "sum", "trim", "unique"}
)
"""Filters that look at all of their arguments for each item: at each step of a path, at each letter to trim."""
STRIPPING = frozenset({"lstrip", "rstrip", "strip"})
"""Methods that look for each letter in their argument."""
TESTS = frozenset(_TESTS) | _OUR_TESTS.keys()
"""All tests look at their arguments once."""
NUMERIC_FILTERS = frozenset({"count", "float", "int", "length", "sum", "wordcount"})
"""Filters that give a number or fail."""
SAME_ITEMS = frozenset({"list", "reject", "rejectattr", "reverse", "select", "selectattr", "sort", "unique"})
"""Filters that give some of the items of a sequence, unchanged, in some order."""
METHODS: Mapping[str, tuple[int, int]] = {
    "capitalize": (3, 0),
    "count": (0, 20),
    "date": (0, 40),
    "endswith": (0, 5),
    "find": (0, 20),
    "get": (1, 0),
    "isdigit": (0, 5),
    "isoformat": (0, 40),
    "isoweekday": (0, 20),
    "items": (2, 4),
    "keys": (1, 0),
    "lower": (3, 0),
    "lstrip": (1, 0),
    "rstrip": (1, 0),
    "split": (14, 14),
    "splitlines": (14, 14),
    "startswith": (0, 5),
    "strip": (1, 0),
    "title": (3, 0),
    "total_seconds": (0, 40),
    "upper": (3, 0),
    "values": (1, 0),
    "weekday": (0, 20),
}
"""Methods of text, mappings and times: the factor on the value, and what is added."""

FUNCTIONS: Mapping[str, tuple[int, int]] = {
    "days_between": (0, 20),
    "len": (0, 20),
    "max": (1, 0),
    "min": (1, 0),
    "now": (0, 40),
    "parse_date": (0, 40),
    "sum": (1, NUMBER),
    "timedelta": (0, 60),
    "today": (0, 40),
}
"""Functions: the factor on all arguments, and what is added."""

_FIXED: Mapping[str, tuple[int, int]] = {
    "capitalize": (3, 0),
    "count": (0, 20),
    "dictsort": (2, 4),
    "e": (5, 0),
    "escape": (5, 0),
    "filesizeformat": (0, NUMBER),
    "first": (1, 0),
    "float": (1, NUMBER),
    "items": (2, 4),
    "last": (1, 0),
    "length": (0, 20),
    "list": (14, 14),
    "lower": (3, 0),
    "max": (1, 0),
    "min": (1, 0),
    "reverse": (1, 0),
    "sort": (14, 14),
    "string": (1, 0),
    "sum": (1, NUMBER),
    "title": (3, 0),
    "trim": (1, 0),
    "unique": (14, 14),
    "urlencode": (14, 0),
    "wordcount": (0, 20),
}

_GIVEN_BACK: Mapping[str, tuple[int, str, int]] = {
    "float": (0, "default", 0),
    "int": (0, "default", 0),
    "sum": (1, "start", 0),
}
"""Arguments that a filter gives back as they are, or adds to: only a number keeps the result one."""


class NotBoundedError(Exception):
    """A template holds something that is not on the list: `node`."""

    node: nodes.Node | None = None


def blaming(look: Callable[Concatenate[S, nodes.Node, P], R]) -> Callable[Concatenate[S, nodes.Node, P], R]:
    """Make a look at a node say of which node it failed."""

    @wraps(look)
    def blamed(self: S, node: nodes.Node, /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return look(self, node, *args, **kwargs)
        except NotBoundedError as error:
            error.node = error.node or node
            raise

    return blamed


def targets(target: nodes.Node) -> list[tuple[str, tuple[int, ...]]]:
    """Return the names that a loop binds, each with the steps from the item to its value."""
    match target:
        case nodes.Name(name=name):
            return [(name, ())]
        case nodes.Tuple(items=items) if all(isinstance(item, nodes.Name) for item in items):
            return [(item.name, (place,)) for place, item in enumerate(items) if isinstance(item, nodes.Name)]
    raise NotBoundedError


def constant(node: nodes.Node | None) -> Any:
    """Return the value of an argument. Raises NotBoundedError if the template alone does not say it."""
    if isinstance(node, nodes.Const):
        return node.value
    if isinstance(node, nodes.List):
        return [constant(item) for item in node.items]
    raise NotBoundedError


class Arguments(NamedTuple):
    """The constant arguments of a filter."""

    by_position: Sequence[Any]
    by_name: Mapping[str, Any]

    def get(self, position: int, name: str, default: Any) -> Any:
        """Return an argument by position or name."""
        if len(self.by_position) > position:
            return self.by_position[position]
        return self.by_name.get(name, default)

    @property
    def length(self) -> int:
        """The characters of all arguments."""
        return sum(len(str(value)) for value in (*self.by_position, *self.by_name.values()))


def grown(name: str, arguments: Arguments) -> tuple[int, int] | None:
    """Return (factor, more): the result has at most factor times the length of the value, plus more characters.

    None if the filter has no such bound.
    """
    if arguments.length > MAX_GIVEN:
        return None
    if name in _GIVEN_BACK and not isinstance(arguments.get(*_GIVEN_BACK[name]), int | float):
        return None
    if name == "sort" and "," in str(arguments.get(2, "attribute", "")):
        return None  # each item has several keys
    if name == "int":
        # Digits in another base are read without limit.
        return (1, NUMBER) if len(arguments.by_position) < 2 and "base" not in arguments.by_name else None
    if name in _FIXED:
        return _FIXED[name]
    match name:
        case "join":
            return 1 + len(str(arguments.get(0, "d", ""))), 0
        case "replace" if len(arguments.by_position) >= 2:
            new = len(str(arguments.by_position[1]))
            return 1 + new, new
        case "truncate":
            return 1, len(str(arguments.get(2, "end", "...")))
        case "indent" | "center":
            width = arguments.get(0, "width", 80)
            size = len(width) if isinstance(width, str) else abs(width) if isinstance(width, int) else None
            return None if size is None else (1 + size, size)
        case "tojson":
            indent = arguments.get(0, "indent", None)
            return (6 + 70 * indent, 2) if isinstance(indent, int) and 0 <= indent <= 16 else (6, 2)
        case "select" | "reject" | "selectattr" | "rejectattr":
            position = 1 if name.endswith("attr") else 0
            test = arguments.get(position, "", "defined")
            return (14, 14) if test in TESTS and not arguments.by_name else None
        case "map":
            return _mapped(arguments)
    return None


def _mapped(arguments: Arguments) -> tuple[int, int] | None:
    if not arguments.by_position:
        other = len(repr(arguments.by_name.get("default"))) if "default" in arguments.by_name else 0
        return (14 * (1 + other), 14) if "attribute" in arguments.by_name else None
    name, *rest = arguments.by_position
    ours = custom(name) if isinstance(name, str) else None
    if ours is not None:
        growth = ours.growth({**dict(zip(ours.positional, rest, strict=False)), **arguments.by_name})
        inner = growth[:2] if growth is not None and growth.passes == 1 else None
    else:
        inner = grown(name, Arguments(rest, arguments.by_name)) if name in _FIXED else None
    return None if inner is None else (10 * (inner[0] + inner[1]), 10 * inner[1])
