from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuewire.engine.price import price_answer
from cuewire.model.prices import Rates, Tier
from cuewire.model.requests import ModelRef, parse_model
from cuewire.model.results import Answer
from cuewire.model.usage import Usage
from cuewire.prices.genai import GenaiPriceBook

MODEL = ModelRef(provider="openai", model="gpt-4o-mini")
RATES = Rates(
    tiers=(
        Tier(above=0, input=1e-6, output=2e-6, cached=1e-7),
        Tier(above=1_000, input=3e-6, output=4e-6, cached=3e-7),
    ),
    source="test",
)
TOKENS = st.integers(0, 10_000_000)


def answer(usage: Usage, cost_usd: float | None = None) -> Answer:
    return Answer(text="", finish_reason="stop", usage=usage, cost_usd=cost_usd)


def test_the_providers_own_cost_wins() -> None:
    cost = price_answer(MODEL, answer(Usage(input_tokens=1, output_tokens=1), cost_usd=0.5), RATES)

    assert (cost.usd, cost.basis) == (0.5, "reported by the provider")


@pytest.mark.parametrize(
    ("usage", "usd"),
    [
        (Usage(input_tokens=1_000, output_tokens=500), 1_000e-6 + 500 * 2e-6),
        (Usage(input_tokens=1_000, output_tokens=0, cached_tokens=400), 600e-6 + 400e-7),
        (Usage(input_tokens=1_001, output_tokens=1), 1_001 * 3e-6 + 4e-6),
        (Usage(input_tokens=10, output_tokens=0, cached_tokens=99), 10e-7),
        (Usage(input_tokens=0, output_tokens=0), 0.0),
    ],
)
def test_usage_is_charged_at_the_tier_of_its_input(usage: Usage, usd: float) -> None:
    assert price_answer(MODEL, answer(usage), RATES).usd == pytest.approx(usd, abs=1e-12)


@given(TOKENS, TOKENS, TOKENS)
def test_no_token_is_charged_twice_and_none_is_free(inputs: int, cached: int, outputs: int) -> None:
    usage = Usage(input_tokens=inputs, output_tokens=outputs, cached_tokens=cached)
    whole = price_answer(MODEL, answer(Usage(input_tokens=inputs, output_tokens=outputs)), RATES).usd

    usd = price_answer(MODEL, answer(usage), RATES).usd

    assert usd is not None
    assert whole is not None
    assert usd <= whole + 1e-12
    assert (usd == 0) == (inputs == outputs == 0)


@given(TOKENS, TOKENS, TOKENS, TOKENS)
def test_what_is_written_to_the_cache_is_charged_once(inputs: int, cached: int, written: int, hour: int) -> None:
    dear = Rates(
        tiers=(Tier(above=0, input=1e-6, output=0.0, cached=1e-7, cache_write=1.25e-6, cache_write_1h=2e-6),),
        source="test",
    )
    usage = Usage(
        input_tokens=inputs,
        output_tokens=0,
        cached_tokens=cached,
        cache_write_tokens=written,
        cache_write_1h_tokens=hour,
    )

    usd = price_answer(MODEL, answer(usage), dear).usd

    assert usd is not None
    assert inputs * 1e-7 - 1e-9 <= usd <= inputs * 2e-6 + 1e-9


@pytest.mark.parametrize("usage", [Usage(), Usage(input_tokens=1), Usage(output_tokens=1)])
def test_unknown_usage_makes_the_cost_unknown_and_says_so(usage: Usage) -> None:
    cost = price_answer(MODEL, answer(usage), RATES)

    assert cost.usd is None
    assert "no token counts" in cost.basis


def test_an_unknown_model_makes_the_cost_unknown_and_says_so() -> None:
    cost = price_answer(MODEL, answer(Usage(input_tokens=1, output_tokens=1)), None)

    assert cost.usd is None
    assert "openai/gpt-4o-mini" in cost.basis


def test_output_of_a_model_that_has_a_price_for_input_alone_makes_the_cost_unknown() -> None:
    rates = Rates(tiers=(Tier(above=0, input=1e-6, output=None, cached=1e-6),), source="test")

    vectors = price_answer(MODEL, answer(Usage(input_tokens=1_000, output_tokens=0)), rates)
    words = price_answer(MODEL, answer(Usage(input_tokens=1_000, output_tokens=1)), rates)

    assert vectors.usd == pytest.approx(1e-3)
    assert (words.usd, words.basis) == (None, "no price is known for the output of this model")


class TestGenaiPriceBook:
    @pytest.mark.parametrize(
        ("model", "day", "usage", "usd"),
        [
            (
                "openai/gpt-4o-mini",
                datetime(2026, 1, 1, tzinfo=UTC),
                Usage(input_tokens=10**6, output_tokens=10**6),
                0.75,
            ),
            (
                "google/gemini-2.5-flash",
                datetime(2026, 1, 1, tzinfo=UTC),
                Usage(input_tokens=10**6, output_tokens=0),
                0.3,
            ),
            (
                "gemini/gemini-2.5-flash",
                datetime(2026, 1, 1, tzinfo=UTC),
                Usage(input_tokens=10**6, output_tokens=0),
                0.3,
            ),
            (
                "openai/text-embedding-3-small",
                datetime(2026, 1, 1, tzinfo=UTC),
                Usage(input_tokens=10**6, output_tokens=0),
                0.02,
            ),
            ("local/smollm2-135m", datetime(2026, 1, 1, tzinfo=UTC), Usage(), 0.0),
        ],
    )
    def test_known_models_have_their_published_price(self, model: str, day: datetime, usage: Usage, usd: float) -> None:
        reference = parse_model(model)

        rates = GenaiPriceBook().rates(reference, day)

        assert price_answer(reference, answer(usage), rates).usd == pytest.approx(usd)

    def test_our_arithmetic_equals_the_packages(self) -> None:
        from genai_prices import Usage as TheirUsage
        from genai_prices import calc_price

        book, day = GenaiPriceBook(), datetime(2026, 11, 1, 12, tzinfo=UTC)
        for name, inputs, written, hour in (
            ("gpt-4o", 5_000, 0, 0),
            ("gpt-6.1-sol", 5_000, 3_000, 0),
            ("claude-sonnet-4-5", 300_000, 9_000, 4_000),
            ("claude-sonnet-4-5", 1_000, 500, 0),
            ("claude-haiku-5-5", 100_001, 50_000, 50_000),
        ):
            provider = "openai" if name.startswith("gpt") else "anthropic"
            theirs = calc_price(
                TheirUsage(
                    input_tokens=inputs,
                    output_tokens=700,
                    cache_read_tokens=200,
                    cache_write_tokens=written,
                    cache_write_1h_tokens=hour,
                ),
                model_ref=name,
                provider_id=provider,
                genai_request_timestamp=day,
            )
            usage = Usage(
                input_tokens=inputs,
                output_tokens=700,
                cached_tokens=200,
                cache_write_tokens=written,
                cache_write_1h_tokens=hour,
            )

            ours = price_answer(MODEL, answer(usage), book.rates(ModelRef(provider=provider, model=name), day))

            assert ours.usd == pytest.approx(float(theirs.total_price), abs=1e-9)

    @pytest.mark.parametrize("model", ["openai/no-such-model-9", "nowhere/x", "ollama/llama3"])
    def test_unknown_models_have_none(self, model: str) -> None:
        assert GenaiPriceBook().rates(parse_model(model), datetime(2026, 1, 1, tzinfo=UTC)) is None
