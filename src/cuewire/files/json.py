"""JSON documents of other programs, read strictly: no doubled keys, nothing that is not finite, no bottomless nesting.

Characters that no database can store become U+FFFD, and that is reported: a document is not lost for one of them.
"""

from __future__ import annotations

from typing import Any

from cuewire.files.losses import Losses
from cuewire.files.plain_text import decoded, storable
from cuewire.model.errors import InvalidInput
from cuewire.model.text import check_json, strict_decoder


def read(data: bytes, *, losses: Losses) -> Any:
    """Return the value. Raises InvalidInput."""
    text = decoded(data)
    try:
        value = _READER.decode(text)
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
        return storable(value, losses=losses)
    if depth > 100:
        return value  # refused by who checks it
    if isinstance(value, dict):
        return {key: _cleaned(item, losses, depth + 1) for key, item in value.items()}
    return [_cleaned(item, losses, depth + 1) for item in value] if isinstance(value, list) else value


_READER = strict_decoder()
