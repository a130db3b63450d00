"""What a template gets for a value that was not given, where that is no error: nothing, or a mark in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, Literal, NoReturn, TypeAlias

from jinja2 import StrictUndefined, Undefined

from cuewire.model.analyses import CLOSE, OPEN

Missing: TypeAlias = Literal["raise", "empty", "mark"]
"""What becomes of a value that is missing: an error, nothing, or a mark."""

_MAX_MARK = 80
_marks: ContextVar[dict[str, None]] = ContextVar("marks")


class Nothing(Undefined):
    """Prints as nothing, as do its parts. It has no items, is like no other value, and adding it changes nothing."""

    unsafe_callable = alters_data = False

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(name)

    def __getitem__(self, _: Any) -> Any:
        return self

    def __str__(self) -> str:
        return ""

    def __repr__(self) -> str:
        return repr(str(self))

    def __radd__(self, other: Any) -> Any:
        return other + str(self) if isinstance(other, str) else other

    def __add__(self, other: Any) -> Any:
        return str(self) + other if isinstance(other, str) else other

    def _itself(self, *_: Any, **__: Any) -> Any:
        return self

    __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = _itself
    __mod__ = __rmod__ = __pow__ = __rpow__ = __neg__ = __pos__ = __call__ = _itself

    def _never(self, *_: Any, **__: Any) -> Any:
        return False

    __lt__ = __le__ = __gt__ = __ge__ = _never

    def __index__(self) -> int:
        return 0

    def _no_number(self) -> NoReturn:
        raise ValueError("what is missing is no number")

    __int__ = __float__ = _no_number

    def items(self) -> list[Any]:
        """Have no items, for filters of mappings."""
        return []

    def splitlines(self) -> list[str]:
        """Have one empty line, for filters of text."""
        return [str(self)]


class Mark(Nothing):
    """Prints the name of what is missing, in brackets that no one else uses."""

    def __getitem__(self, key: Any) -> Any:
        step = f".{key}" if isinstance(key, str) else f"[{key}]" if isinstance(key, int) else ""
        return Mark(name=f"{self._undefined_name}{step}"[:_MAX_MARK])

    def __str__(self) -> str:
        name = str(self._undefined_name or "?")[:_MAX_MARK]
        seen = _marks.get(None)
        if seen is not None:
            seen[name] = None
        return f"{OPEN}{name}{CLOSE}"


UNDEFINED: Mapping[Missing, type[Undefined]] = {"raise": StrictUndefined, "empty": Nothing, "mark": Mark}
_LOOKS = frozenset({"d", "default"})
"""Filters that say themselves what is given for what is missing."""


@contextmanager
def seen_marks() -> Iterator[dict[str, None]]:
    """Collect the names of the marks that are printed meanwhile."""
    marks: dict[str, None] = {}
    token = _marks.set(marks)
    try:
        yield marks
    finally:
        _marks.reset(token)


def let_through(calls: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """Return filters that give a mark as it is, instead of making something of it."""
    return {name: call if name in _LOOKS else _for_given(call, _piped(call)) for name, call in calls.items()}


def for_given(call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that gives what is missing among its arguments, instead of failing for it."""
    return _for_given(call, slice(None))


def _piped(filter_: Callable[..., Any]) -> slice:
    """Return where the value is among the arguments of a filter; before it may be what Jinja2 passes."""
    first = int(hasattr(filter_, "jinja_pass_arg"))
    return slice(first, first + 1)


def _for_given(call: Callable[..., Any], looked_at: slice) -> Callable[..., Any]:
    @wraps(call)
    def called(*args: Any, **kwargs: Any) -> Any:
        missing = [value for value in args[looked_at] if isinstance(value, Nothing)]
        return missing[0] if missing else call(*args, **kwargs)

    return called
