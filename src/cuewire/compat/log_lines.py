"""The structured log record of an execution: one line of JSON, whatever it was given, without what looks like a key."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from itertools import islice
from math import isfinite

from cuewire.model.executions import MAX_ERROR_MESSAGE
from cuewire.model.secrets import redacted

_MAX_TEXT = 16 * MAX_ERROR_MESSAGE
"""Characters of a text that are looked at."""
_MAX_ITEMS = 100
_MAX_DEPTH = 16


def say(logger: logging.Logger, level: int, told: Mapping[str, object], **own: str) -> None:
    """Log the line. Raises nothing: whoever listens to the log may fail, the program goes on."""
    with suppress(Exception):
        logger.log(level, "%s", line_of(told, **own))


def line_of(told: Mapping[str, object], **own: str) -> str:
    """Return the line: our own fields as they are, then what was told.

    Texts of that are cut to 1,000 characters, lists and objects to 100 items; of what is no JSON the type is named.
    """
    return json.dumps({**own, **{name: _shown(value, 0) for name, value in told.items()}})


def _shown(value: object, depth: int) -> object:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return redacted(value[:_MAX_TEXT])[:MAX_ERROR_MESSAGE]
    if isinstance(value, int):
        return int(value) if value.bit_length() < 64 else f"<{value.bit_length()} bits>"
    if isinstance(value, float):
        return float(value) if isfinite(value) else str(float(value))
    if isinstance(value, Mapping) and depth < _MAX_DEPTH:
        items = islice(value.items(), _MAX_ITEMS)
        return {str(_shown(name, _MAX_DEPTH)): _shown(item, depth + 1) for name, item in items}
    if isinstance(value, list | tuple) and depth < _MAX_DEPTH:
        return [_shown(item, depth + 1) for item in value[:_MAX_ITEMS]]
    return f"<{type(value).__name__}>"
