"""JSON documents of other programs, read strictly: no doubled keys, nothing that is not finite, no bottomless nesting.

Characters that no database can store become U+FFFD, and that is reported: a document is not lost for one of them.
"""

from __future__ import annotations

import json
from math import isfinite
from typing import Any

from cuewire.files.losses import Losses
from cuewire.model.errors import InvalidInput
from cuewire.model.text import check_json, cleaned


def read(data: bytes, *, losses: Losses) -> Any:
    """Return the value. Raises InvalidInput."""
    try:
        value = _READER.decode(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise InvalidInput("the file is not UTF-8") from None
    except RecursionError:
        raise InvalidInput("the JSON is nested too deeply") from None
    except ValueError as error:
        raise InvalidInput(f"the file is not JSON: {str(error)[:200]}") from None
    try:
        check_json(value, pointer="")
    except InvalidInput:
        value = _cleaned(value, losses)
        check_json(value, pointer="")
    return value


def _cleaned(value: Any, losses: Losses, depth: int = 0) -> Any:
    if isinstance(value, str):
        text, count = cleaned(value)
        if count:
            losses.add(f"{count} characters", "no database can store them; U+FFFD stands in their place")
        return text
    if depth > 100:
        return value  # refused by who checks it
    if isinstance(value, dict):
        return {key: _cleaned(item, losses, depth + 1) for key, item in value.items()}
    return [_cleaned(item, losses, depth + 1) for item in value] if isinstance(value, list) else value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("an object has the same key twice")
    return made


def _finite(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise ValueError("a number is too large")
    return number


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


_READER = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite, object_pairs_hook=_unique)
