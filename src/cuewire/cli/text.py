"""How values look as text. Pure; what is unknown is a dash, never 0."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

UNKNOWN = "-"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """Return the text without what would steer a terminal: control and bidirectional override characters."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n"))


def one_line(text: str, *, width: int) -> str:
    """Return the text in one line of at most `width` characters, for a terminal."""
    line = " ".join(printable(text).split())
    return line if len(line) <= width else line[: width - 1] + "…"


def count(number: int | None) -> str:
    """Return a count."""
    return UNKNOWN if number is None else f"{number:,}"


def usd(amount: float | None) -> str:
    """Return an amount of money, small ones with as many digits as say something."""
    if amount is None:
        return UNKNOWN
    digits = 2 if amount >= 1 or amount == 0 else 6 if amount >= 0.000_01 else 9
    text = f"{amount:,.{digits}f}"
    return "$" + (text.rstrip("0").rstrip(".") if digits > 2 else text)


def milliseconds(duration_ms: float | None) -> str:
    """Return a duration."""
    if duration_ms is None:
        return UNKNOWN
    if duration_ms < 10:
        return f"{duration_ms:.1f} ms"
    return f"{duration_ms:,.0f} ms" if duration_ms < 10_000 else f"{duration_ms / 1_000:,.1f} s"


def moment(time: datetime | None) -> str:
    """Return a point in time, in UTC as recorded."""
    return UNKNOWN if time is None else f"{time:%Y-%m-%d %H:%M:%S}"


def percent(share: float) -> str:
    """Return a share in whole percent."""
    return f"{share * 100:.0f} %"


def points(share: float) -> str:
    """Return a difference of shares in percentage points, with its sign."""
    return f"{share * 100:+.0f}"


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as lines whose columns begin at the same place."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
