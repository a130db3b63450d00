"""Times and dates inside templates: read from what inputs hold, and written the same on every machine.

Times print as ISO 8601. Formats are those of strftime, without widths and without the language of the system.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, TypeVar

from cuewire.model.errors import TemplateError, TemplateLimitExceeded
from cuewire.template.zones import zones

MAX_FORMAT = 200
MAX_WRITTEN = 10
"""How many times longer a written time can be than its format."""
_MAX_TEXT = 64

_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_DIRECTIVE = re.compile(r"%(-?.?)", re.DOTALL)


T = TypeVar("T", bound=datetime)


class Moment(datetime):
    """A time with its zone, which prints as ISO 8601, to the second."""

    def __str__(self) -> str:
        return self.isoformat(timespec="seconds")

    __repr__ = __str__


class Day(date):
    """A date that prints as ISO 8601."""

    def __str__(self) -> str:
        return self.isoformat()

    __repr__ = __str__


class Now(Moment):
    """The instant of the render: a time that is also a function."""

    def __call__(self, tz: str | None = None) -> Moment:
        """Return the time, in a time zone."""
        return in_zone(self, tz)


class Today(Day):
    """The day of the render in UTC: a date that is also a function."""

    def __call__(self, tz: str | None = None) -> Day:
        """Return the date, as it is in a time zone."""
        return self if tz is None else day_of(in_zone(self.at, tz))

    at: datetime


class Lapse(timedelta):
    """A length of time that prints as Python writes it."""

    __repr__ = timedelta.__str__


def now_and_today(at: datetime) -> dict[str, Any]:
    """Return what `now` and `today` are at an instant, which has a zone."""
    now = _as(Now, at.astimezone(UTC))
    today = Today(now.year, now.month, now.day)
    today.at = now
    return {"now": now, "today": today}


def moment_of(value: Any) -> Moment:
    """Read a time: ISO 8601 text, seconds since 1970, a time or a date, which begins at midnight.

    One without a zone is taken as UTC, so that all can be compared. Raises TemplateError.
    """
    match value:
        case datetime():
            return _as(Moment, value)
        case date():
            return _as(Moment, datetime.combine(value, time()))
        case str() if len(value) <= _MAX_TEXT:
            try:
                return _as(Moment, datetime.fromisoformat(value.strip()))
            except ValueError:
                pass
        case int() | float() if not isinstance(value, bool):
            try:
                return _as(Moment, datetime.fromtimestamp(value, UTC))
            except (OverflowError, ValueError, OSError):
                raise TemplateError("a number of seconds is beyond any date", hint="seconds, not ms?") from None
    raise TemplateError(
        f"{str(value)[:40]!r} is no time" if isinstance(value, str) else "this is no time",
        hint="write it as 2026-01-31 or 2026-01-31T12:00:00Z",
    )


def is_moment(value: Any) -> bool:
    """Tell whether `moment_of` can read a value."""
    try:
        moment_of(value)
    except TemplateError:
        return False
    return True


def day_of(value: datetime) -> Day:
    """Return the date of a time."""
    return Day(value.year, value.month, value.day)


def in_zone(value: datetime, tz: str | None) -> Moment:
    """Return the same instant in a time zone. Raises TemplateError."""
    if tz is None:
        return _as(Moment, value)
    there = zones().get(str(tz))
    try:
        return _as(Moment, value.astimezone(there))
    except OverflowError:
        raise TemplateError("a time is beyond any date in this time zone", hint="use a later or earlier one") from None


def written_at(value: date, pattern: Any) -> str:
    """Write a time or a date in a format of strftime. Raises TemplateError."""
    if not isinstance(pattern, str) or len(pattern) > MAX_FORMAT:
        raise TemplateLimitExceeded(f"a format has at most {MAX_FORMAT} characters", hint="write it shorter")
    moment = moment_of(value)

    def part(found: re.Match[str]) -> str:
        letter = found[1]
        write = _WRITE.get(letter[-1:])
        if write is None or (letter[:1] == "-" and letter[1:] not in _PADDED):
            raise _unknown(found[0])
        text = write(moment)
        return text.lstrip("0") or "0" if letter[:1] == "-" else text

    return _DIRECTIVE.sub(part, pattern)


def parse_date(text: Any, fmt: str | None = None) -> Moment:
    """Read a time, as ISO 8601 or in a format of strftime. Raises TemplateError."""
    if fmt is None:
        return moment_of(text)
    if len(str(fmt)) > MAX_FORMAT or len(str(text)) > _MAX_TEXT + MAX_FORMAT:
        raise TemplateLimitExceeded(f"a time has at most {_MAX_TEXT} characters", hint="cut off what is no time")
    found = re.fullmatch(_pattern(str(fmt)), str(text).strip(), re.IGNORECASE)
    if found is None:
        raise TemplateError(f"{str(text)[:40]!r} is not written as {str(fmt)[:40]!r}", hint="compare the two")
    parts = {name: value for name, value in found.groupdict().items() if value is not None}
    try:
        return _from_parts(parts)
    except (ValueError, OverflowError):
        raise TemplateError(f"{str(text)[:40]!r} is no time", hint="is the day in the month?") from None


def days_between(a: Any, b: Any) -> int:
    """Return how many days lie from one date to another, negative if the second is earlier."""
    return (day_of(moment_of(b)) - day_of(moment_of(a))).days


def lapse(days: float = 0, hours: float = 0, minutes: float = 0) -> Lapse:
    """Return a length of time, to add to a time."""
    made = timedelta(days=days, hours=hours, minutes=minutes)
    return Lapse(made.days, made.seconds, made.microseconds)


def _as(kind: type[T], value: datetime) -> T:
    return kind(
        value.year,
        value.month,
        value.day,
        value.hour,
        value.minute,
        value.second,
        value.microsecond,
        value.tzinfo or UTC,
        fold=value.fold,
    )


def _unknown(directive: str) -> TemplateError:
    return TemplateError(
        f"a format cannot hold {directive!r}", hint=f"it can hold %{', %'.join(_WRITE)}; and %-d for no zero before"
    )


def _offset(value: datetime) -> str:
    text = f"{value:%z}"
    return text[:5]


_WRITE: Mapping[str, Callable[[datetime], str]] = {
    "Y": lambda value: f"{value.year:04}",
    "m": lambda value: f"{value.month:02}",
    "d": lambda value: f"{value.day:02}",
    "H": lambda value: f"{value.hour:02}",
    "I": lambda value: f"{value.hour % 12 or 12:02}",
    "M": lambda value: f"{value.minute:02}",
    "S": lambda value: f"{value.second:02}",
    "f": lambda value: f"{value.microsecond:06}",
    "p": lambda value: "PM" if value.hour >= 12 else "AM",
    "y": lambda value: f"{value.year % 100:02}",
    "B": lambda value: _MONTHS[value.month - 1],
    "b": lambda value: _MONTHS[value.month - 1][:3],
    "A": lambda value: _DAYS[value.weekday()],
    "a": lambda value: _DAYS[value.weekday()][:3],
    "j": lambda value: f"{value.timetuple().tm_yday:03}",
    "V": lambda value: f"{value.isocalendar().week:02}",
    "G": lambda value: f"{value.isocalendar().year:04}",
    "u": lambda value: str(value.isoweekday()),
    "Z": lambda value: (value.tzname() or "")[:10],
    "z": _offset,
    "F": lambda value: f"{value.year:04}-{value.month:02}-{value.day:02}",
    "T": lambda value: f"{value.hour:02}:{value.minute:02}:{value.second:02}",
    "%": lambda _: "%",
}
_PADDED = frozenset("mdHIMSyjV")
_READ = {
    "Y": r"(?P<Y>[0-9]{4})",
    "m": r"(?P<m>[0-9]{1,2})",
    "d": r"(?P<d>[0-9]{1,2})",
    "H": r"(?P<H>[0-9]{1,2})",
    "I": r"(?P<I>[0-9]{1,2})",
    "M": r"(?P<M>[0-9]{1,2})",
    "S": r"(?P<S>[0-9]{1,2})",
    "f": r"(?P<f>[0-9]{1,6})",
    "p": r"(?P<p>AM|PM)",
    "y": r"(?P<y>[0-9]{2})",
    "B": f"(?P<B>{'|'.join(_MONTHS)})",
    "b": f"(?P<b>{'|'.join(month[:3] for month in _MONTHS)})",
    "z": r"(?P<z>Z|[+-][0-9]{2}:?[0-9]{2})",
    "%": "%",
}


def _pattern(fmt: str) -> str:
    parts, end, seen = [], 0, set()
    for found in _DIRECTIVE.finditer(fmt):
        letter = found[1]
        if letter not in _READ or letter in seen:
            raise TemplateError(
                f"a format to read cannot hold {found[0]!r}, or not twice", hint=f"it can hold %{', %'.join(_READ)}"
            )
        seen.add(letter if letter != "%" else "")
        parts += [re.escape(fmt[end : found.start()]), _READ[letter]]
        end = found.end()
    return "".join(parts) + re.escape(fmt[end:])


def _from_parts(parts: Mapping[str, str]) -> Moment:
    year = int(parts.get("Y", 2000 + int(parts["y"]) if "y" in parts else 1900))
    month = int(parts.get("m", 1))
    if name := parts.get("B") or parts.get("b"):
        month = 1 + [each[:3].lower() for each in _MONTHS].index(name[:3].lower())
    hour = int(parts.get("H", 0))
    if "I" in parts:
        hour = int(parts["I"]) % 12 + 12 * (parts.get("p", "").upper() == "PM")
    micros = int(parts.get("f", "0").ljust(6, "0"))
    moment = Moment(year, month, int(parts.get("d", 1)), hour, int(parts.get("M", 0)), int(parts.get("S", 0)), micros)
    return _as(Moment, moment.replace(tzinfo=_zone_of(parts["z"])) if "z" in parts else moment)


def _zone_of(text: str) -> tzinfo | None:
    return datetime.fromisoformat(f"2000-01-01T00:00:00{text.upper()}").tzinfo
