"""The gate of model calls, on time that passes by itself: who waits, for how long, in which order, and who does not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cuewire.engine.gate import MAX_LANES
from cuewire.model.errors import LimitReached, ModelNotFound, NetworkError, ProviderFault, RequestRejected
from cuewire.model.limits import Limit, Limits
from cuewire.model.requests import ModelRef, parse_model
from tests.support.gates import ELSEWHERE, MODEL, OTHER, Bench, limited
from tests.support.virtual_time import virtually

RATE = Limit(requests_per_minute=60)
TOKENS = Limit(tokens_per_minute=6_000)
"""A hundred a second, and five hundred at once."""


@virtually
async def test_without_limits_nothing_waits_and_calls_are_counted() -> None:
    bench = Bench.make()

    calls = [bench.start(takes_s=1) for _ in range(100)]
    await bench.later(0.5)
    running = bench.state().running
    waits = await asyncio.gather(*calls)

    assert (running, bench.peak, set(waits)) == (100, 100, {0})
    assert (bench.state().running, bench.state().hold, bench.state().counted) == (0, "none", "here")


@virtually
async def test_calls_beyond_the_concurrency_of_a_provider_wait_in_order() -> None:
    bench = Bench.make(limited(openai=Limit(max_concurrency=2)))

    calls = [bench.start(f"{number}", takes_s=10) for number in range(6)]
    elsewhere = bench.start("elsewhere", model=ELSEWHERE, takes_s=10)
    await bench.later(1)
    seen = bench.state()
    waits = await asyncio.gather(*calls, elsewhere)

    assert (seen.running, seen.waiting, seen.at_once) == (2, 4, 2)
    assert waits == [0, 0, 10, 10, 20, 20, 0]
    assert [*bench.left] == ["0", "1", "elsewhere", "2", "3", "4", "5"]


@virtually
async def test_calls_beyond_a_rate_leave_as_it_allows_in_the_order_in_which_they_came() -> None:
    bench = Bench.make(limited(openai=RATE))

    waits = await asyncio.gather(*(bench.call(f"{number}") for number in range(10)))

    assert waits == pytest.approx([0, 0, 0, 0, 0, 1, 2, 3, 4, 5])
    assert [*bench.left] == [f"{number}" for number in range(10)]


@virtually
async def test_nine_tenths_and_more_of_a_rate_are_used_when_enough_ask() -> None:
    bench = Bench.make(limited(1e6, openai=Limit(requests_per_minute=600, tokens_per_minute=60_000)))

    how: dict[str, Any] = {"parameters": {"max_tokens": 400}, "tokens": 101}
    await asyncio.gather(*(bench.call(f"{number}", takes_s=number % 5, **how) for number in range(2_000)))

    minutes = max(bench.left.values()) / 60
    assert 0.95 <= 2_000 * 101 / 60_000 / minutes <= 1.01
    assert [*bench.left] == [f"{number}" for number in range(2_000)]


@virtually
async def test_a_call_that_would_wait_longer_than_it_can_is_refused_at_once() -> None:
    bench = Bench.make(limited(max_wait_s=8.5, openai=RATE))
    waiting = [bench.start(f"{number}") for number in range(10)]
    await bench.later(0)

    with pytest.raises(LimitReached) as impatient:
        await bench.call(patience_s=3)
    others = [bench.start(f"other {number}") for number in range(3)]
    await bench.later(0)
    with pytest.raises(LimitReached) as beyond:
        await bench.call()

    assert bench.clock.monotonic() == 0
    assert impatient.value.retry_after_s == pytest.approx(6)
    assert "60 requests a minute" in impatient.value.message
    assert beyond.value.retry_after_s == pytest.approx(9)
    assert bench.state().refused == 2
    await asyncio.gather(*waiting, *others)


@virtually
async def test_the_first_one_that_a_rate_holds_up_is_told_which_and_what_to_do() -> None:
    bench = Bench.make(Limits(models={"openai/gpt-4o-mini": RATE}, providers={"openai": TOKENS}))
    for _ in range(5):
        await bench.call(parameters={"max_tokens": 0})

    with pytest.raises(LimitReached) as of_model:
        await bench.call(patience_s=0.5, parameters={"max_tokens": 0})
    with pytest.raises(LimitReached) as of_provider:
        await bench.call(model=OTHER, parameters={"max_tokens": 599}, patience_s=0.01)

    assert "60 requests a minute at 'openai/gpt-4o-mini' has no room for 1.0 s" in of_model.value.message
    assert of_model.value.hint.endswith('raise models."openai/gpt-4o-mini".requests_per_minute')
    assert "6000 tokens a minute at 'openai'" in of_provider.value.message
    assert of_provider.value.hint.endswith("raise providers.openai.tokens_per_minute")
    assert (bench.state("openai").refused, bench.state("openai/gpt-4o-mini").refused) == (1, 1)


@virtually
async def test_a_call_that_waits_for_others_to_end_gives_up_when_its_time_is_over() -> None:
    bench = Bench.make(limited(max_wait_s=30, openai=Limit(max_concurrency=1)))
    first = bench.start(takes_s=100)
    await bench.later(0)

    with pytest.raises(LimitReached) as late:
        await bench.call(patience_s=7)

    assert bench.clock.monotonic() == 7
    assert late.value.message == "calls to 'openai' are held to 1 at a time, and this one waited 7.0 s"
    assert (bench.state().waiting, bench.state().refused) == (0, 1)
    await first


@virtually
async def test_a_call_without_any_time_leaves_if_it_can_and_never_waits() -> None:
    bench = Bench.make(limited(openai=Limit(max_concurrency=1)))

    assert await bench.call(patience_s=0) == 0
    running = bench.start(takes_s=5)
    await bench.later(0)
    with pytest.raises(LimitReached):
        await bench.call(patience_s=0)

    assert bench.clock.monotonic() == 0
    await running


@virtually
async def test_one_that_is_cancelled_while_it_waits_takes_nothing_and_holds_nobody_up() -> None:
    bench = Bench.make(limited(openai=Limit(requests_per_minute=6, max_concurrency=3)))
    await bench.call()
    calls = [bench.start(f"{number}") for number in range(4)]
    await bench.later(1)

    for call in calls[:3]:
        call.cancel()
    last = await calls[3]
    await bench.later(10)

    assert last == pytest.approx(10)
    assert await bench.call() == 0
    assert (bench.state().running, bench.state().waiting) == (0, 0)


@virtually
async def test_one_that_waits_for_much_and_gives_up_keeps_nobody_from_little() -> None:
    bench = Bench.make(limited(openai=TOKENS))
    await bench.call(parameters={"max_tokens": 499})
    much = bench.start("much", parameters={"max_tokens": 499})
    await bench.later(1)

    much.cancel()
    await bench.later(0)

    assert await bench.call(parameters={"max_tokens": 49}) == 0


@virtually
async def test_the_calls_of_a_limited_model_keep_no_other_model_waiting() -> None:
    bench = Bench.make(Limits(models={"openai/gpt-4o-mini": RATE}, providers={"openai": Limit(max_concurrency=9)}))

    slow = [bench.start(f"slow {number}") for number in range(8)]
    await bench.later(0.5)
    waited = await bench.call("quick", model=OTHER)

    assert waited == 0
    assert await asyncio.gather(*slow) == pytest.approx([0, 0, 0, 0, 0, 1, 2, 3])


@virtually
async def test_a_call_of_a_limited_model_waits_for_its_provider_too() -> None:
    limits = Limits(models={"openai/gpt-4o-mini": RATE}, providers={"openai": Limit(requests_per_minute=30)})
    bench = Bench.make(limits)

    waits = await asyncio.gather(*(bench.call(f"{number}") for number in range(4)))

    assert waits == pytest.approx([0, 0, 1, 3], abs=0.01)


@virtually
async def test_all_calls_together_have_a_limit_and_providers_take_turns() -> None:
    bench = Bench.make(Limits(max_calls_at_once=2))

    calls = [
        bench.start(f"{model.provider} {number}", model=model, takes_s=10)
        for number in range(3)
        for model in (MODEL, ELSEWHERE)
    ]
    await bench.later(5)
    seen = bench.state("all")
    await asyncio.gather(*calls)

    assert (bench.peak, seen.running, seen.waiting, seen.at_once) == (2, 2, 2, 2)
    assert [*bench.left] == [f"{name} {number}" for number in range(3) for name in ("openai", "anthropic")]
    assert bench.state("all").running == 0


@virtually
async def test_a_provider_that_is_held_up_takes_no_place_of_others() -> None:
    bench = Bench.make(limited(at_once=1, openai=Limit(requests_per_minute=6)))
    await bench.call()

    held = bench.start("held")
    await bench.later(1)
    assert await bench.call(model=ELSEWHERE, takes_s=3) == 0

    assert await held == pytest.approx(10)


@virtually
async def test_a_call_that_waits_long_for_a_place_is_still_within_its_rate() -> None:
    bench = Bench.make(limited(at_once=1, openai=Limit(requests_per_minute=6)))
    long = bench.start("long", model=ELSEWHERE, takes_s=50)
    await bench.later(0)

    first, second = bench.start("first"), bench.start("second")
    await asyncio.gather(long, first, second)

    assert (bench.left["first"], bench.left["second"]) == pytest.approx((50, 60), abs=1.01)


@virtually
async def test_a_place_is_for_others_while_what_a_call_used_has_to_be_made_up_for() -> None:
    bench = Bench.make(limited(at_once=1, openai=TOKENS))
    none = {"max_tokens": 0}
    dear = bench.start("dear", parameters=none, tokens=3_000, takes_s=5)
    await bench.later(0)
    held, other = bench.start("held", parameters=none), bench.start("other", model=ELSEWHERE)
    await asyncio.gather(dear, held, other)

    assert bench.left["other"] == 5
    assert bench.left["held"] == pytest.approx(30, abs=0.1)


@virtually
async def test_a_place_is_given_back_by_who_is_cancelled_just_then() -> None:
    bench = Bench.make(Limits(max_calls_at_once=1))
    running = bench.start(takes_s=5)
    await bench.later(0)
    waiting = bench.start(takes_s=5)
    await bench.later(1)

    waiting.cancel()
    await running

    assert await bench.call() == 0
    assert bench.state("all").waiting == 0


@pytest.mark.parametrize(
    ("error", "is_charged"),
    [
        (None, True),
        (ProviderFault("it failed", status=500), True),
        (RequestRejected("no", status=400), True),
        (NetworkError("no connection", was_sent=False), False),
        (ModelNotFound("no provider is called so"), False),
    ],
)
@virtually
async def test_a_call_of_which_the_provider_never_heard_is_given_back(
    error: BaseException | None, is_charged: bool
) -> None:
    bench = Bench.make(limited(openai=Limit(requests_per_minute=6)))

    await asyncio.gather(bench.call(error=error), return_exceptions=True)

    assert await bench.call() == pytest.approx(10 if is_charged else 0)


@virtually
async def test_a_call_that_is_refused_behind_the_gate_is_given_back() -> None:
    bench = Bench.make(limited(openai=Limit(requests_per_minute=6)))

    with pytest.raises(ProviderFault):
        async with bench.gate.passage(MODEL, [], {}, patience=lambda: None):
            raise ProviderFault("its breaker is open")

    assert await bench.call() == 0


@pytest.mark.parametrize(
    ("used", "error", "wait_s"),
    [
        (500, None, 5),  # as guessed
        (100, None, 1),  # less: the rest is given back
        (900, None, 9),  # more: who comes next pays
        (None, None, 5),  # nobody knows
        (0, RequestRejected("no", status=400), 0),  # nothing is counted for what is refused
        (0, ProviderFault("it failed", status=500), 5),
    ],
)
@virtually
async def test_the_tokens_that_were_really_used_are_what_counts(
    used: int | None, error: BaseException | None, wait_s: float
) -> None:
    bench = Bench.make(limited(openai=TOKENS))

    await asyncio.gather(bench.call(parameters={"max_tokens": 499}, tokens=used, error=error), return_exceptions=True)

    assert await bench.call(parameters={"max_tokens": 499}, tokens=0) == pytest.approx(wait_s)


@virtually
async def test_a_call_larger_than_a_burst_leaves_on_its_own_and_is_paid_by_the_next() -> None:
    bench = Bench.make(limited(openai=TOKENS))

    first = await bench.call(parameters={"max_tokens": 5_000}, tokens=3_000)
    second = await bench.call(parameters={"max_tokens": 0})

    assert first == 0
    assert second == pytest.approx(25.01, abs=0.05)


@virtually
async def test_providers_that_callers_make_up_do_not_fill_the_memory() -> None:
    bench = Bench.make(limited(openai=RATE))
    busy = bench.start(model=parse_model("busy/x"), takes_s=1)
    await bench.later(0)

    for number in range(MAX_LANES + 5):
        await bench.call(model=ModelRef(provider=f"made-up-{number}", model="x"))

    names = {state.name for state in bench.gate.states()}
    assert len(names) <= MAX_LANES
    assert {"openai", "busy"} <= names
    await busy


@virtually
async def test_where_all_that_is_known_matters_it_is_forgotten_rather_than_to_grow() -> None:
    bench = Bench.make(limited(openai=RATE))
    calls = [
        bench.start(model=ModelRef(provider=f"busy-{number}", model="x"), takes_s=1) for number in range(MAX_LANES - 1)
    ]
    await bench.later(0)

    await bench.call(model=ModelRef(provider="one-more", model="x"))

    assert [state.name for state in bench.gate.states()] == ["one-more", "openai"]
    await asyncio.gather(*calls)


@virtually
async def test_the_list_and_the_end_are_there_for_the_faces() -> None:
    bench = Bench.make(limited(openai=RATE))

    listed = await bench.gate.list()
    await bench.gate.close()

    assert [(state.name, state.requests_per_minute, state.tokens_per_minute) for state in listed] == [
        ("openai", 60, None)
    ]
