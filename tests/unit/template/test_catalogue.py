"""What the editor offers exists: every input has a type and an example, every word renders as it says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cuewire.model.template_types import Word
from cuewire.registry.schemas import compiled
from cuewire.template.catalogue import TEMPLATE_TYPES, words
from cuewire.template.compiled import CompiledTemplate
from cuewire.template.environment import prompt_environment
from cuewire.template.parse import parse
from cuewire.template.volatile import TIMES

AT = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)


def names(kind: str) -> set[str]:
    return {name for each in TEMPLATE_TYPES[kind].variables for name in (each.name, *each.aliases)}


@pytest.mark.contract("S3-076")
@pytest.mark.parametrize("kind", TEMPLATE_TYPES)
def test_every_type_has_the_common_variables(kind: str) -> None:
    assert {"symbol", "current_price", "timeframe", "now", "today", "exchange"} <= names(kind)
    assert TEMPLATE_TYPES[kind].description


@pytest.mark.contract("S3-077")
def test_analyses_have_the_indicators() -> None:
    assert {"rsi", "atr", "macd", "ma20", "strategy"} <= names("analysis")
    assert {"ma50", "ma200", "supertrend", "bollinger", "open", "high", "low", "close", "volume"} <= names("analysis")
    assert {"previous_analyses", "question", "context", "sources"} <= names("analysis")


def test_consolidations_know_the_analyses_by_both_names() -> None:
    kind = TEMPLATE_TYPES["consolidation"]

    assert {"daily_analysis", "weekly_analysis", "analysis_daily", "analysis_weekly"} <= names("consolidation")
    assert kind.find("analysis_daily") == kind.find("daily_analysis")
    assert kind.find("unheard_of") is None


@pytest.mark.parametrize("kind", TEMPLATE_TYPES)
def test_every_variable_is_described_and_its_example_is_of_its_type(kind: str) -> None:
    for variable in TEMPLATE_TYPES[kind].variables:
        assert variable.description.endswith(".")
        assert compiled(variable.json_schema).is_valid(variable.example)
        assert variable.name.isidentifier()


def test_what_the_renderer_gives_is_marked_so() -> None:
    given = {each.name for each in TEMPLATE_TYPES["general"].variables if each.json_schema.get("readOnly")}

    assert given == TIMES


@pytest.mark.contract("S3-078")
def test_the_words_are_those_that_templates_can_use() -> None:
    environment = prompt_environment()
    named: dict[str, set[str]] = {"filter": set(), "function": set(), "test": set()}
    for word in words():
        named[word.kind].add(word.name)

    assert {"round", "percent", "currency", "upper", "date"} <= named["filter"]
    assert named["filter"] == set(environment.filters)
    assert named["test"] == {name for name in environment.tests if name[0].isalpha()}
    assert environment.globals.keys() | TIMES <= named["function"]


@pytest.mark.parametrize("word", words(), ids=lambda word: f"{word.kind} {word.name}")
def test_each_word_is_described_and_does_what_its_example_shows(word: Word) -> None:
    assert word.name in word.signature
    assert word.description.endswith(".")
    assert CompiledTemplate(parse(word.example)).render({}, at=AT) == word.result
