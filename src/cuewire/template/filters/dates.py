"""Times and dates written out. All take ISO 8601 text, seconds since 1970, times, dates; one without a zone is UTC."""

from __future__ import annotations

from datetime import datetime as Datetime  # noqa: N812  # the name is a filter's
from datetime import timedelta
from decimal import Decimal
from typing import Any

from cuewire.model.errors import TemplateError
from cuewire.template.filters.entry import Constants, Growth, choice, prompt_filter
from cuewire.template.filters.numeric import NOT_AVAILABLE, WRITTEN, decimal_of, quotient, rounded
from cuewire.template.instants import MAX_WRITTEN, in_zone, moment_of, written_at

_UNITS = {"year": 31_536_000, "month": 2_592_000, "day": 86_400, "hour": 3_600, "minute": 60}
_LENGTHS = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}


def _formatted(arguments: Constants) -> Growth:
    return Growth(0, 40 + MAX_WRITTEN * len(str(arguments["fmt"])))


@prompt_filter(rule=_formatted, free=("tz",))
def date(value: Any, fmt: str = "%Y-%m-%d", tz: str | None = None) -> str:
    """Write a date, in the time zone `tz` if one is given. `fmt` is as in strftime, with English names.

    {{ '2026-01-31T23:30:00Z' | date('%d %B %Y', tz='Asia/Tokyo') }} gives 01 February 2026
    """
    return written_at(in_zone(moment_of(value), tz), fmt)


@prompt_filter(rule=_formatted, free=("tz",))
def datetime(value: Any, fmt: str = "%Y-%m-%d %H:%M:%S", tz: str | None = None) -> str:
    """Write a date and time, in the time zone `tz` if one is given. `fmt` is as in strftime, with English names.

    {{ 0 | datetime }} gives 1970-01-01 00:00:00
    """
    return written_at(in_zone(moment_of(value), tz), fmt)


@prompt_filter(rule=_formatted, free=("tz",))
def time(value: Any, fmt: str = "%H:%M", tz: str | None = None) -> str:
    """Write the time of day, in the time zone `tz` if one is given. `fmt` is as in strftime.

    {{ '2026-01-31T09:05:00' | time }} gives 09:05
    """
    return written_at(in_zone(moment_of(value), tz), fmt)


@prompt_filter(rule=Growth(0, 40), free=("reference",), needs_time=True)
def ago(value: Any, reference: Any = None, *, at: Datetime | None = None) -> str:
    """Tell how long a time lies before the `reference`, which is now unless given, in its largest unit.

    A month counts 30 days, a year 365.

    {{ '2026-01-28' | ago('2026-01-31') }} gives 3 days ago
    """
    if reference is None and at is None:
        raise TemplateError("it is not known what time it is", hint="give ago() a reference")
    passed = moment_of(at if reference is None else reference) - moment_of(value)
    seconds = abs(passed) // timedelta(seconds=1)
    for unit, size in _UNITS.items():
        if count := seconds // size:
            text = f"{count} {unit}{'s' if count > 1 else ''}"
            return f"{text} ago" if passed > timedelta() else f"in {text}"
    return "just now"


def _seconds(value: Any) -> Decimal | Any:
    if isinstance(value, timedelta):
        return decimal_of(f"{value // timedelta(microseconds=1)}e-6")
    return decimal_of(value)


@prompt_filter(rule=WRITTEN, takes=_seconds, missing=NOT_AVAILABLE)
def duration(value: Decimal, unit: str = "auto") -> str:
    """Write a number of seconds, or a length of time, in its two largest units, or in one `unit` alone.

    `unit` is auto, days, hours, minutes or seconds; one alone has up to two decimal places.

    {{ 8100 | duration }} gives 2h 15m
    """
    if choice("unit", unit, ("auto", *_LENGTHS)) != "auto":
        text = f"{rounded(quotient(value, _LENGTHS[unit]), 2):f}"
        return text.rstrip("0").rstrip(".") + unit[0]
    rest = int(rounded(value, 0))
    sign, rest = "-" if rest < 0 else "", abs(rest)
    parts: list[tuple[int, str]] = []
    for name, size in _LENGTHS.items():
        count, rest = divmod(rest, size)
        if count or parts:
            parts.append((count, name[0]))
    shown = [f"{count}{letter}" for count, letter in parts[:2] if count]
    return sign + " ".join(shown or ["0s"])
