"""The text rule where rows are made: JSON and text become what both databases can hold, or are refused with the place.

What a user gave is refused. What a model wrote is kept, with U+FFFD for each character that cannot be stored.
"""

from __future__ import annotations

import json
import re
from typing import Any

from cuewire.model.errors import InvalidInput
from cuewire.model.text import check_json, cleaned, is_storable

_SUSPECT = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
"""An escape that may stand for a NUL or half a surrogate pair; only a parser can tell."""


def user_text(text: str | None, *, pointer: str) -> str | None:
    """Return the text. Raises InvalidInput if no database can store it."""
    if text is not None and not is_storable(text):
        check_json(text, pointer=pointer)
    return text


def user_json(data: bytes, *, pointer: str) -> str:
    """Return JSON that a user gave, unchanged. Raises InvalidInput with the pointer of what cannot be stored."""
    try:
        text = data.decode()
        if "\x00" in text or (b"\\" in data and _SUSPECT.search(text)):
            check_json(json.loads(text), pointer=pointer)
    except ValueError as error:
        raise InvalidInput(f"not JSON that a database can store: {error}", field=pointer) from error
    return text


def model_text(text: str | None) -> tuple[str | None, int]:
    """Return text that a model wrote, made storable, and how many characters were replaced."""
    return (None, 0) if text is None else cleaned(text)


def model_json(data: bytes | None) -> tuple[str | None, int]:
    """Return JSON that holds what a model wrote, made storable, and how many characters were replaced."""
    if data is None:
        return None, 0
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("utf-8", "surrogateescape")
    else:
        if "\x00" not in text and not (b"\\" in data and _SUSPECT.search(text)):
            return text, 0
    try:
        value, replaced = _cleaned_value(json.loads(text))
    except (ValueError, RecursionError):  # no JSON that we can read, but never a reason to lose the row
        value, replaced = cleaned(text)
    else:
        if not replaced:
            return text, 0
    return json.dumps(value, ensure_ascii=False), replaced


def _cleaned_value(value: Any) -> tuple[Any, int]:
    if isinstance(value, str):
        return cleaned(value)
    if isinstance(value, list):
        items = [_cleaned_value(item) for item in value]
        return [item for item, _ in items], sum(count for _, count in items)
    if isinstance(value, dict):
        pairs = [(cleaned(key), _cleaned_value(item)) for key, item in value.items()]
        return {key[0]: item[0] for key, item in pairs}, sum(key[1] + item[1] for key, item in pairs)
    return value, 0
