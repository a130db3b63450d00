"""What answers of each wire format count and cost: whole and streamed, equal to 1e-9.

A file holds the format, an answer as `body`, the same as `events` of a stream (either may be absent), the rates in USD
per million tokens, and what must come out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cuewire.engine.price import price_answer
from cuewire.model.prices import Rates, Tier
from cuewire.model.requests import ModelRef
from cuewire.model.results import Answer
from cuewire.providers import anthropic_answer, gemini_answer, openai_answer
from cuewire.providers.upstream import Growing, ReadWhole

FILES = sorted((Path(__file__).parents[2] / "data" / "usage").glob("*.json"))
FORMATS: Mapping[str, tuple[ReadWhole, Callable[[], Growing]]] = {
    "openai": (openai_answer.read_whole, openai_answer.GrowingAnswer),
    "anthropic": (anthropic_answer.read_whole, anthropic_answer.GrowingMessage),
    "gemini": (gemini_answer.read_whole, gemini_answer.GrowingAnswer),
}


def answers(golden: Mapping[str, Any]) -> list[Answer]:
    """Read the answer of a file in each way in which it may come."""
    read_whole, grow = FORMATS[golden["format"]]
    found = []
    if "body" in golden:
        found.append(read_whole(msgspec.json.encode(golden["body"]), request_id=""))
    if "events" in golden:
        growing = grow()
        for event in golden["events"]:
            growing.add([msgspec.json.encode(event)])
        assert growing.error is None
        found.append(growing.finish(request_id=""))
    return found


def rates(golden: Mapping[str, Any]) -> Rates:
    """Return the file's rates per token."""
    tiers = [
        Tier(**{name: rate if name == "above" or rate is None else rate / 1_000_000 for name, rate in tier.items()})
        for tier in golden["rates"]
    ]
    return Rates(tiers=tuple(tiers), source="the file")


@pytest.mark.contract("S0-11", "S4-12")
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_answer_counts_and_costs_the_same_whole_and_streamed(file: Path) -> None:
    golden = json.loads(file.read_text())

    for answer in answers(golden):
        counts = {name: getattr(answer.usage, name) for name in golden["usage"]}
        cost = price_answer(ModelRef(provider=golden["provider"], model=golden["model"]), answer, rates(golden))

        assert counts == golden["usage"]
        assert cost.usd == (None if golden["cost_usd"] is None else pytest.approx(golden["cost_usd"], abs=1e-9))


def test_every_format_has_golden_answers() -> None:
    formats = [json.loads(file.read_text())["format"] for file in FILES]

    assert {format_: formats.count(format_) >= 12 for format_ in FORMATS} == dict.fromkeys(FORMATS, True)
    assert len(formats) >= 60
