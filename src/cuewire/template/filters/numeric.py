"""Numbers of any kind as exact decimals, rounded half up, within a range that is written in few characters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal, DivisionByZero, InvalidOperation
from typing import Any

from cuewire.model.errors import TemplateError, TemplateLimitExceeded
from cuewire.template.filters.entry import MISSING, Filter, Growth, is_missing, prompt_filter, whole

MAX_EXPONENT = 200
"""Numbers from 1e200 on are refused, and digits beyond the 200th decimal place: nobody reads them."""
MAX_DIGITS = 30
WRITTEN = Growth(0, 320)
"""What a number takes as text: 201 digits, 66 separators, 30 decimal places, signs."""
NOT_AVAILABLE = "N/A"

_EXACT = Context(prec=1_000, rounding=ROUND_HALF_UP, traps=[InvalidOperation, DivisionByZero])
"""Ours: the context of the thread belongs to the program that we are part of."""
_DIVIDING = Context(prec=50, rounding=ROUND_HALF_UP, traps=[InvalidOperation, DivisionByZero])
_ONE = Decimal(1)
_ROUNDINGS = {"common": ROUND_HALF_UP, "ceil": ROUND_CEILING, "floor": ROUND_FLOOR}
_NUMBER = re.compile(r"[+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?")
_NO_NUMBER = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)
_MAX_WRITTEN = 400


def number_filter(*, free: Sequence[str] = (), name: str = "") -> Callable[[Callable[..., Any]], Filter]:
    """Make a function of an exact decimal a custom filter, with "N/A" for what is missing."""
    return prompt_filter(rule=WRITTEN, takes=decimal_of, missing=NOT_AVAILABLE, free=free, name=name)


def decimal_of(value: Any) -> Decimal:
    """Return a number, or a text that is one, as it is written: 1.005 is 1.005, not the float beside it.

    Returns MISSING for what is missing. Raises TemplateError, TemplateLimitExceeded.
    """
    missing: Decimal = MISSING
    if is_missing(value):
        return missing
    if type(value) is int:
        if value.bit_length() > 3 * MAX_EXPONENT + 70:
            raise _too_large()
        return _within(Decimal(value))
    if type(value) is float:
        return _within(Decimal(repr(value)))
    if not isinstance(value, str):
        raise TemplateError(
            "only a number or a text that is one can be used here", hint="test it with 'is number_like'"
        )
    if len(value) > _MAX_WRITTEN:
        raise _too_large()
    text = value.strip()
    if _NO_NUMBER.fullmatch(text):
        return missing
    if not _NUMBER.fullmatch(text):
        raise TemplateError(f"{text[:40]!r} is no number", hint="test it with 'is number_like'")
    return _within(_EXACT.create_decimal(text))


def is_number(value: Any) -> bool:
    """Tell whether `decimal_of` gives a number."""
    try:
        return decimal_of(value) is not MISSING
    except TemplateError:
        return False


def decimals_of(values: Any) -> list[Decimal]:
    """Return the numbers of a list, without what is missing in it. Raises TemplateError."""
    if not isinstance(values, Iterable) or isinstance(values, str | dict):
        raise TemplateError("only a list of numbers can be used here", hint="make a list with | pluck('field')")
    return [number for number in map(decimal_of, values) if number is not MISSING]


def rounded(number: Decimal, digits: int, method: str = "common") -> Decimal:
    """Return a number with so many decimal places; there is no negative zero."""
    result = number.quantize(_ONE.scaleb(-digits, _EXACT), _ROUNDINGS[method], _EXACT)
    return result or result.copy_abs()


def times(left: Decimal, right: Decimal | int) -> Decimal:
    """Multiply exactly."""
    return _EXACT.multiply(left, right)


def minus(left: Decimal, right: Decimal) -> Decimal:
    """Subtract exactly."""
    return _EXACT.subtract(left, right)


def quotient(left: Decimal, right: Decimal | int) -> Decimal:
    """Divide, to fifty digits."""
    return _DIVIDING.divide(left, right)


def total(numbers: Iterable[Decimal]) -> Decimal:
    """Add, to a thousand digits: exactly."""
    result = Decimal(0)
    for number in numbers:
        result = _EXACT.add(result, number)
    return result


def root(number: Decimal) -> Decimal:
    """Return the square root, to fifty digits."""
    return _DIVIDING.sqrt(number)


def written(number: Decimal, digits: Any, *, thousands: Any = False, sign: Any = False) -> str:
    """Write a number with so many decimal places, half rounded up."""
    result = rounded(number, whole("digits", digits, 0, MAX_DIGITS))
    plus = "+" if sign and result > 0 else ""
    return f"{plus}{result:,f}" if thousands else f"{plus}{result:f}"


def plain_number(number: Decimal, *, is_whole: bool) -> int | float:
    """Return a number as templates know them."""
    return int(number) if is_whole else float(number)


def _within(number: Decimal) -> Decimal:
    if not number.is_finite() or (number and number.adjusted() >= MAX_EXPONENT):
        raise _too_large()
    if int(number.as_tuple().exponent) < -_MAX_WRITTEN:
        return rounded(number, _MAX_WRITTEN)
    return number


def _too_large() -> TemplateLimitExceeded:
    return TemplateLimitExceeded(f"a number has more than {MAX_EXPONENT} digits", hint="use smaller numbers")
