"""How long a provider asks to wait, from the headers of its answer. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite


def retry_after_s(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Return the wait in seconds, never negative; None if nothing usable is said.

    Reads `retry-after-ms`, then `Retry-After` as seconds or as a date (RFC 9110, section 10.2.3). Whoever waits puts a
    bound on absurd values: they are a statement, and so they are kept.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return max(0.0, milliseconds / 1_000)
    text = headers.get("Retry-After")
    seconds = _number(text)
    if seconds is not None:
        return max(0.0, seconds)
    try:
        date = parsedate_to_datetime(text or "")
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds())


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if isfinite(number) else None
