"""Shares, money, risk and signals, as traders write them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from cuewire.model.errors import TemplateError
from cuewire.template.filters.entry import MISSING, choice, prompt_filter
from cuewire.template.filters.numeric import (
    WRITTEN,
    decimal_of,
    minus,
    number_filter,
    plain_number,
    quotient,
    times,
    written,
)

_CODE = re.compile(r"[A-Za-z]{3}")
_TRENDS = {
    1: "bullish bull up uptrend rising positive",
    -1: "bearish bear down downtrend falling negative",
    0: "neutral flat sideways none mixed",
}
_SIGNALS = {1: "buy long strong_buy bullish", -1: "sell short strong_sell bearish", 0: "hold wait neutral none"}
_TREND_LABELS = {
    "en": ("neutral", "bullish", "bearish"),
    "de": ("neutral", "steigend", "fallend"),
    "es": ("neutral", "alcista", "bajista"),
    "fr": ("neutre", "haussier", "baissier"),
    "ja": ("中立", "強気", "弱気"),
    "zh": ("中性", "看涨", "看跌"),
}
_SIGNAL_LABELS = {
    "en": ("hold", "buy", "sell"),
    "de": ("halten", "kaufen", "verkaufen"),
    "es": ("mantener", "comprar", "vender"),
    "fr": ("conserver", "acheter", "vendre"),
    "ja": ("保有", "買い", "売り"),
    "zh": ("持有", "买入", "卖出"),
}


@number_filter()
def percent(value: Decimal, digits: int = 2, scale: str = "fraction", sign: bool = False) -> str:
    """Write a fraction as percent, or with `scale='percent'` what is in percent already; `sign` writes a plus.

    {{ 0.055 | percent }} gives 5.50%
    """
    is_fraction = choice("scale", scale, ("fraction", "percent")) == "fraction"
    return written(times(value, 100) if is_fraction else value, digits, sign=sign) + "%"


@number_filter(free=("symbol",))
def currency(
    value: Decimal,
    symbol: str = "$",
    digits: int = 2,
    thousands: bool = True,
    position: str = "before",
) -> str:
    """Write an amount of money with its symbol before or after it; a minus comes first.

    A code of three letters is put with a space.

    {{ -1234.5 | currency }} gives -$1,234.50
    """
    return _money(written(value, digits, thousands=thousands), str(symbol), position)


@number_filter(free=("symbol",))
def format_currency(
    value: Decimal,
    symbol: str = "USD",
    digits: int = 2,
    thousands: bool = True,
    position: str = "before",
) -> str:
    """Write an amount of money as `currency` does, with a code for the symbol.

    {{ 1234.5 | format_currency('EUR') }} gives EUR 1,234.50
    """
    return _money(written(value, digits, thousands=thousands), str(symbol), position)


@number_filter()
def r_multiple(value: Decimal, digits: int = 2) -> str:
    """Write a profit or loss in units of the risk taken.

    {{ 2.5 | r_multiple }} gives 2.50R
    """
    return f"{written(value, digits)}R"


@number_filter(free=("previous",))
def change(value: Decimal, previous: Any, as_: str = "percent") -> Any:
    """Compare a number with the `previous` one: the change in percent, or with `as='absolute'` the difference.

    The result is a number. There is no change from a missing number, and none in percent from zero.

    {{ 110 | change(100) }} gives 10.0
    """
    is_percent = choice("as", as_, ("percent", "absolute")) == "percent"
    before = decimal_of(previous)
    if before is MISSING or (is_percent and not before):
        return MISSING
    difference = minus(value, before)
    if is_percent:
        return plain_number(quotient(times(difference, 100), before.copy_abs()), is_whole=False)
    return plain_number(difference, is_whole=difference.as_tuple().exponent == 0)


@prompt_filter(rule=WRITTEN)
def trend_label(value: Any, language: str = "en") -> str:
    """Name the direction of a number by its sign, or of a word such as 'up', 'bear' or 'flat'.

    `language` is en, de, es, fr, ja or zh.

    {{ -0.8 | trend_label }} gives bearish
    """
    return _TREND_LABELS[choice("language", language, list(_TREND_LABELS))][_direction(value, _TRENDS)]


@prompt_filter(rule=WRITTEN)
def signal_label(value: Any, language: str = "en") -> str:
    """Name the signal of a number by its sign, or of a word such as 'long', 'sell' or 'wait'.

    `language` is en, de, es, fr, ja or zh.

    {{ 1 | signal_label }} gives buy
    """
    return _SIGNAL_LABELS[choice("language", language, list(_SIGNAL_LABELS))][_direction(value, _SIGNALS)]


def _money(amount: str, symbol: str, position: Any) -> str:
    is_before = choice("position", position, ("before", "after")) == "before"
    sign, amount = ("-", amount[1:]) if amount.startswith("-") else ("", amount)
    space = " " if _CODE.fullmatch(symbol) else ""
    return f"{sign}{symbol}{space}{amount}" if is_before else f"{sign}{amount}{space}{symbol}"


def _direction(value: Any, words: dict[int, str]) -> int:
    """Return 1, -1 or 0; what cannot be told is an error, not neutral."""
    if isinstance(value, str):
        word = value.strip().lower().replace(" ", "_")
        for direction, known in words.items():
            if word in known.split():
                return direction
    try:
        number = decimal_of(value)
    except TemplateError:
        number = MISSING
    if number is MISSING:
        raise TemplateError("this is no number and none of the words that are known", hint="give a number or a word")
    return (number > 0) - (number < 0)
