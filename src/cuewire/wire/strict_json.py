"""JSON from outside, read strictly: what other readers take in silence is refused with the place that is wrong."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TypeVar

import msgspec

from cuewire.model.errors import InvalidInput
from cuewire.model.text import MAX_DEPTH, check_json, strict_decoder

T = TypeVar("T")
MAX_KEYS = 10_000
"""Keys that one object may have."""
_SAFE_DIGITS = 18
"""Characters of an integer that fits 64 bits whatever they are."""
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
        value = _parsed(body.decode())
    except RecursionError:
        raise MalformedJson("the body is nested too deeply") from None
    except UnicodeDecodeError:
        raise MalformedJson("the body is not UTF-8") from None
    except ValueError as error:
        raise MalformedJson(f"the body is not JSON: {error}") from None
    return convert(value, kind)


def _parsed(text: str) -> object:
    """Return the value of a JSON text, looked through unless nothing in it could be wrong."""
    is_plain = "\\u" not in text and text.count("{") + text.count("[") <= MAX_DEPTH
    with suppress(_Unsure):
        if is_plain:
            return _PLAIN.decode(text)
    value = _ANY.decode(text)
    check_json(value, pointer="")
    return value


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


class _Unsure(Exception):
    """An integer that may not fit 64 bits was met."""


def _short_integer(digits: str) -> int:
    if len(digits) > _SAFE_DIGITS:
        raise _Unsure
    return int(digits)


_ANY = strict_decoder(max_keys=MAX_KEYS)
_PLAIN = strict_decoder(max_keys=MAX_KEYS, parse_int=_short_integer)
