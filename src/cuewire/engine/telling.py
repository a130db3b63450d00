"""A line of the log: a fixed name, then fields. Names and numbers only; what was asked and answered is in no line."""

from __future__ import annotations

import json
import logging
import re

logger = logging.getLogger("cuewire.engine")

_MAX_TEXT = 200
_PLAIN = re.compile(r"[\w./:@+*-]+", re.ASCII)


def is_told(level: int) -> bool:
    """Tell whether anybody would read it: for what is told of each call, and costs more to put together than to ask."""
    return logger.isEnabledFor(level)


def tell(level: int, event: str, **fields: object) -> None:
    """Log `event name=value ...` without the fields that are None; the log record also carries both as they are.

    A text that is more than a word is quoted, so that no value can look like another field or another line.
    """
    if logger.isEnabledFor(level):
        known = {name: value for name, value in fields.items() if value is not None}
        line = " ".join([event, *(f"{name}={_shown(value)}" for name, value in known.items())])
        logger.log(level, "%s", line, extra={"event": event, "fields": known})


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    text = str(value)
    return text if len(text) <= _MAX_TEXT and _PLAIN.fullmatch(text) else json.dumps(text[:_MAX_TEXT])
