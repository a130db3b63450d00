"""What an author can write: the inputs that templates of each type usually read, and the words of the language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cuewire.model.template_types import CatalogueVariable, TemplateType, Word
from cuewire.template import filters
from cuewire.template.builtin_tests import BUILTIN_TESTS
from cuewire.template.functions import GUIDE


def _variable(
    name: str, kind: str, description: str, example: Any, *, aliases: tuple[str, ...] = (), **more: Any
) -> CatalogueVariable:
    schema = {"type": kind, "description": description, "examples": [example], **more}
    return CatalogueVariable(name=name, json_schema=schema, aliases=aliases)


COMMON = (
    _variable("symbol", "string", "The instrument that the prompt is about.", "AAPL"),
    _variable("current_price", "number", "Its latest price.", 187.32),
    _variable("timeframe", "string", "The length of one bar.", "1D"),
    _variable("exchange", "string", "Where it is traded.", "NASDAQ"),
    _variable("now", "string", "The time of the render, in UTC.", "2026-01-31T23:30:00+00:00", readOnly=True),
    _variable("today", "string", "The date of the render, in UTC.", "2026-01-31", readOnly=True),
)
INDICATORS = (
    _variable("rsi", "number", "Relative strength index, 0 to 100.", 62.4),
    _variable("atr", "number", "Average true range, in units of the price.", 3.15),
    _variable(
        "macd",
        "object",
        "Moving average convergence divergence: line, signal and histogram.",
        {"line": 1.24, "signal": 0.98, "histogram": 0.26},
    ),
    _variable("ma20", "number", "Mean of the last 20 closing prices.", 183.9),
    _variable("ma50", "number", "Mean of the last 50 closing prices.", 179.55),
    _variable("ma200", "number", "Mean of the last 200 closing prices.", 171.02),
    _variable("supertrend", "object", "Supertrend: its value and direction.", {"value": 178.4, "direction": "up"}),
    _variable(
        "bollinger",
        "object",
        "Bollinger bands: upper, middle and lower.",
        {"upper": 191.2, "middle": 183.9, "lower": 176.6},
    ),
    _variable("open", "number", "Opening price of the last bar.", 185.1),
    _variable("high", "number", "Highest price of the last bar.", 188.45),
    _variable("low", "number", "Lowest price of the last bar.", 184.6),
    _variable("close", "number", "Closing price of the last bar.", 187.32),
    _variable("volume", "number", "Units traded in the last bar.", 51_230_400),
)
STRATEGY = (_variable("strategy", "string", "The trading strategy that the prompt serves.", "swing_trading"),)
CONSOLIDATION = (
    _variable(
        "daily_analysis",
        "string",
        "The analysis of the daily chart.",
        "Uptrend above the 20-day mean; RSI 62.",
        aliases=("analysis_daily",),
    ),
    _variable(
        "weekly_analysis",
        "string",
        "The analysis of the weekly chart.",
        "Consolidation below the resistance at 190.",
        aliases=("analysis_weekly",),
    ),
)
PREVIOUS = (
    _variable(
        "previous_analyses",
        "array",
        "Earlier analyses of the same symbol, newest first.",
        [{"date": "2026-01-30", "signal": "hold", "summary": "Waiting for a close above 185."}],
    ),
)
RETRIEVED = (
    _variable("question", "string", "What the user asks.", "How do I reset my password?"),
    _variable(
        "context",
        "string",
        "Passages that were found for the question.",
        "[1] Passwords are reset under Settings, Security.",
    ),
    _variable(
        "sources",
        "array",
        "The passages with where they come from.",
        [{"title": "Handbook", "text": "Passwords are reset under Settings, Security.", "score": 0.83}],
    ),
)

TEMPLATE_TYPES: Mapping[str, TemplateType] = {
    kind.name: kind
    for kind in (
        TemplateType(
            name="analysis",
            description="Reads indicators of one symbol and says what they mean.",
            variables=COMMON + INDICATORS + STRATEGY + PREVIOUS + RETRIEVED,
        ),
        TemplateType(
            name="consolidation",
            description="Joins analyses of several timeframes into one.",
            variables=COMMON + CONSOLIDATION + STRATEGY + PREVIOUS + RETRIEVED,
        ),
        TemplateType(
            name="decision",
            description="Decides from analyses what to do.",
            variables=COMMON + INDICATORS + CONSOLIDATION + STRATEGY + PREVIOUS + RETRIEVED,
        ),
        TemplateType(
            name="general",
            description="Any other prompt.",
            variables=COMMON + PREVIOUS + RETRIEVED,
        ),
        TemplateType(
            name="system_message",
            description="Tells a model who it is and how it answers.",
            variables=COMMON + STRATEGY,
        ),
    )
}
"""The types that we bring, by name."""


def words() -> tuple[Word, ...]:
    """Return all filters, functions and tests that templates can use, by kind and family."""
    return (
        *(Word(kind="filter", **entry._asdict()) for entry in filters.catalogue()),
        *(_word(*entry) for entry in (*GUIDE, *BUILTIN_TESTS)),
    )


def _word(name: str, signature: str, description: str, example: str, result: str) -> Word:
    is_test = name.startswith("is ")
    return Word(
        kind="test" if is_test else "function",
        family="Tests" if is_test else "Functions",
        name=name.removeprefix("is "),
        signature=signature,
        description=description,
        example=example,
        result=result,
    )
