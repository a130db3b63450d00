"""Dates and instants as models write them: ISO 8601 and nothing else, and the one form in which we give them."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

_DAY = r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]{1,9})?)?"
_OFFSET = r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)"
DATE = rf"{_DAY}(?:[Tt ]{_TIME}{_OFFSET}?)?"
"""What dates look like, as a regular expression of Python and of JSON Schema; it takes February to have 31 days."""
_PARTS = re.compile(rf"(?P<day>{_DAY})(?:[Tt ](?P<time>{_TIME})(?P<offset>{_OFFSET})?)?")


def canonical_date(text: str) -> str | None:
    """Return the one form of an ISO 8601 date or date-time, None for any other text.

    A date is as it was: 2026-11-21. A time has seconds, and no more digits behind them than say something. One with an
    offset is in UTC, so that equal instants are equal texts: 2026-11-21T13:30:00Z. One without stays without.
    """
    found = _PARTS.fullmatch(text)
    if found is None:
        return None
    try:
        day = date.fromisoformat(found["day"])
    except ValueError:
        return None
    if found["time"] is None:
        return day.isoformat()
    clock, _, fraction = found["time"].replace(",", ".").partition(".")
    moment = datetime.fromisoformat(f"{day.isoformat()}T{clock}")
    ending = f".{digits}" if (digits := fraction.rstrip("0")) else ""
    if found["offset"] is None:
        return moment.isoformat() + ending
    try:
        return f"{(moment - _offset(found['offset'])).isoformat()}{ending}Z"
    except OverflowError:  # before the first year, or after the last one
        return None


def _offset(text: str) -> timedelta:
    if text in "Zz":
        return timedelta()
    ahead = timedelta(hours=int(text[1:3]), minutes=int(text[3:].removeprefix(":") or 0))
    return -ahead if text[0] == "-" else ahead
