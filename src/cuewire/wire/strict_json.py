"""JSON from outside, read strictly: what other readers take in silence is refused with the place that is wrong."""

from __future__ import annotations

import json
import re
from math import isfinite
from typing import Any, TypeVar

import msgspec

from cuewire.model.errors import InvalidInput
from cuewire.model.text import check_json

T = TypeVar("T")
MAX_KEYS = 10_000
"""Keys that one object may have."""
_PLACE = re.compile(r"(?P<what>.*?)(?: - at `(?P<kind>key in )?\$(?P<path>[^`]*)`)?", re.DOTALL)


class MalformedJson(InvalidInput):
    """The bytes are not JSON, or JSON that no two readers understand alike."""

    code = "malformed_json"


def decode(body: bytes, kind: type[T]) -> T:
    """Return the body as a value of the kind.

    Raises MalformedJson for what is no strict JSON (NaN, doubled keys, text that is not UTF-8, nesting too deep to
    hold), InvalidInput with a JSON pointer for what is of another shape or cannot be stored.
    """
    try:
        value = json.loads(body.decode(), parse_constant=_no_constant, object_pairs_hook=_unique)
    except RecursionError:
        raise MalformedJson("the body is nested too deeply") from None
    except UnicodeDecodeError:
        raise MalformedJson("the body is not UTF-8") from None
    except ValueError as error:
        raise MalformedJson(f"the body is not JSON: {error}") from None
    check_json(value, pointer="")
    return convert(value, kind)


def convert(value: object, kind: type[T], *, strict: bool = True) -> T:
    """Return a JSON value as a value of the kind. Raises InvalidInput with a JSON pointer."""
    try:
        return msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError as error:
        what, pointer = _place(str(error))
        raise InvalidInput(f"{what}: {pointer or '/'}", problems=((pointer, what),)) from None


def _place(message: str) -> tuple[str, str]:
    found = _PLACE.fullmatch(message)
    assert found is not None, "every text matches"
    what = found["what"]
    steps = re.sub(r"\[(\d+|\.\.\.)\]", r".\1", found["path"] or "")
    pointer = "".join(f"/{step}" for step in steps.split(".") if step)
    return what[:1].lower() + what[1:], pointer


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("an object has the same key twice")
    if len(made) > MAX_KEYS:
        raise ValueError(f"an object has more than {MAX_KEYS:,} keys")
    for value in made.values():
        if type(value) is float and not isfinite(value):
            raise ValueError("a number is too large")
    return made
