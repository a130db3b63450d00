"""Numbers rounded and written out. All take numbers and texts that are numbers, and compute in exact decimals."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from cuewire.template.filters.entry import choice, whole
from cuewire.template.filters.numeric import (
    MAX_DIGITS,
    number_filter,
    plain_number,
    quotient,
    rounded,
    times,
    written,
)

_MAX_PRECISION = 100
_STEPS = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}


@number_filter(name="round")
def rounded_number(value: Decimal, precision: int = 0, method: str = "common") -> Any:
    """Round a number half up, or with `method` 'ceil' or 'floor'. A negative `precision` rounds to tens and more.

    The result is a number; a whole number stays whole.

    {{ 2.675 | round(2) }} gives 2.68
    """
    places = whole("precision", precision, -_MAX_PRECISION, _MAX_PRECISION)
    result = rounded(value, places, choice("method", method, ("common", "ceil", "floor")))
    return plain_number(result, is_whole=value.as_tuple().exponent == 0)


@number_filter(name="abs")
def absolute(value: Decimal) -> Any:
    """Drop the sign of a number. The result is a number.

    {{ -2.5 | abs }} gives 2.5
    """
    return plain_number(value.copy_abs(), is_whole=value.as_tuple().exponent == 0)


@number_filter()
def number(value: Decimal, digits: int = 2, thousands: bool = True) -> str:
    """Write a number with `digits` decimal places, and with commas between thousands.

    {{ 1234.565 | number }} gives 1,234.57
    """
    return written(value, digits, thousands=thousands)


@number_filter()
def signed(value: Decimal, digits: int = 2) -> str:
    """Write a number with its sign; zero has none.

    {{ 1.25 | signed }} gives +1.25
    """
    return written(value, digits, sign=True)


@number_filter()
def compact(value: Decimal, digits: int = 1) -> str:
    """Write a large number short, in thousands (K), millions (M), thousand millions (B) or million millions (T).

    Below a thousand it is written without zeros at the end.

    {{ 3400000 | compact }} gives 3.4M
    """
    whole("digits", digits, 0, MAX_DIGITS)
    shown, letter = value, ""
    for letter, size in _STEPS.items():  # noqa: B007  # the step that fits is used below
        shown = rounded(quotient(value, size), digits)
        if shown.copy_abs() < 1000:
            break
    text = written(shown, digits, thousands=True)
    return text + letter if letter or "." not in text else text.rstrip("0").rstrip(".")


@number_filter()
def basis_points(value: Decimal, digits: int = 0) -> str:
    """Write a fraction in hundredths of a percent.

    {{ 0.0125 | basis_points }} gives 125 bps
    """
    return f"{written(times(value, 10_000), digits)} bps"
