"""The text rule: what both databases can hold, decided in one place.

SQLite stores a NUL that PostgreSQL refuses, and neither takes a lone surrogate. Text from users with either is refused
with the place; text from models is kept, with U+FFFD in place of what cannot be stored, and the count is recorded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from math import inf, isfinite
from typing import Any

from cuewire.model.errors import InvalidInput

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
MAX_DEPTH = 64
"""Nesting of lists and objects beyond which a JSON value is refused."""
_NOTHING: dict[str, Any] = {}


def is_storable(text: str) -> bool:
    """Tell whether both databases can hold the text."""
    if text.isascii():
        return "\x00" not in text
    return _UNSTORABLE.search(text) is None


def cleaned(text: str) -> tuple[str, int]:
    """Return the text with U+FFFD for each character that cannot be stored, and how many there were."""
    if is_storable(text):
        return text, 0
    return _UNSTORABLE.subn("\ufffd", text)


def check_json(value: object, *, pointer: str) -> None:
    """Refuse what is not a plain, finite, storable JSON value.

    Raises InvalidInput with the JSON pointer of the first place that is wrong. Integers are held to 64 bits.
    """
    _check(value, pointer, 0)


def check_object(value: object, *, pointer: str) -> dict[str, Any]:
    """Return a JSON object that a caller gave, an empty one for None. Raises InvalidInput as `check_json`."""
    if value is None:
        return _NOTHING
    if type(value) is not dict and not isinstance(value, Mapping):
        raise InvalidInput(f"{pointer[1:]} must be an object of names and values", field=pointer)
    plain: dict[str, Any] = dict(value)
    check_json(plain, pointer=pointer)
    return plain


def strict_decoder(*, max_keys: float = inf, parse_int: Callable[[str], int] | None = None) -> json.JSONDecoder:
    """Return a decoder of JSON that refuses what readers take differently: doubled keys, NaN, what is not finite.

    It raises ValueError for them, and for an object of more than `max_keys` keys.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            raise ValueError("an object has the same key twice")
        if len(made) > max_keys:
            raise ValueError(f"an object has more than {max_keys:,} keys")
        return made

    return json.JSONDecoder(
        parse_constant=_no_constant, parse_float=_finite, parse_int=parse_int, object_pairs_hook=unique
    )


def _check(value: object, pointer: str, depth: int) -> None:
    kind = type(value)
    if kind is str:
        if not is_storable(value):  # type: ignore[arg-type]  # kind is str
            raise _invalid("text holds a NUL or a lone surrogate, which no database can store", pointer)
    elif kind is bool or value is None:
        return
    elif kind is int:
        if not -(2**63) <= value < 2**63:  # type: ignore[operator]  # kind is int
            raise _invalid("integer does not fit 64 bits", pointer)
    elif kind is float:
        if not isfinite(value):  # type: ignore[arg-type]  # kind is float
            raise _invalid("number is not finite", pointer)
    elif depth >= MAX_DEPTH:
        raise _invalid(f"value is nested deeper than {MAX_DEPTH} levels", pointer)
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str) or not is_storable(key):
                raise _invalid(f"key {key!r} is not storable text", pointer)
            if type(item) is str and is_storable(item):
                continue  # as most are, and need no pointer
            _check(item, f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}", depth + 1)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _check(item, f"{pointer}/{index}", depth + 1)
    else:
        raise _invalid(f"value of type {kind.__name__} is not JSON", pointer)


def _invalid(problem: str, pointer: str) -> InvalidInput:
    return InvalidInput(f"{problem}: {pointer or '/'}", field=pointer, problems=((pointer, problem),))


def _finite(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise ValueError("a number is too large")
    return number


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")
