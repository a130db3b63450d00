"""Which templates give another text at another time: no result of theirs may be kept for long."""

from __future__ import annotations

from jinja2 import nodes

from cuewire.template.filters import CUSTOM

TIMES = frozenset({"now", "today"})
_BY_NAME = frozenset({"map"})
_TIMED = frozenset(entry.name for entry in CUSTOM.values() if entry.needs_time)


def is_volatile(tree: nodes.Template) -> bool:
    """Tell whether a template may read the time: by `now`, `today`, or a filter that does so unless told otherwise.

    What cannot be told counts as reading it.
    """
    return reading_time(tree) is not None


def reading_time(tree: nodes.Template) -> nodes.Name | nodes.Filter | None:
    """Return what may read the time in a template, None if nothing does."""
    names = (node for node in tree.find_all(nodes.Name) if node.name in TIMES)
    return next(names, None) or next((node for node in tree.find_all(nodes.Filter) if _reads_time(node)), None)


def _reads_time(node: nodes.Filter) -> bool:
    if node.name in _BY_NAME and node.args:
        named = node.args[0]
        return not isinstance(named, nodes.Const) or named.value in _TIMED
    return node.name in _TIMED
