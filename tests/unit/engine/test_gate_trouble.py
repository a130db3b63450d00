"""What the gate makes of complaints: a wait that is asked for, too many calls, a key that is not accepted."""

from __future__ import annotations

import asyncio

import pytest

from cuewire.engine.lane import CLEAN_S, MAX_PAUSE_S, PROBE_S
from cuewire.model.errors import AuthenticationFailed, LimitReached, RateLimited
from cuewire.model.limits import Limit
from tests.support.gates import ELSEWHERE, MODEL, OTHER, Bench, limited
from tests.support.virtual_time import virtually

TOO_MANY = RateLimited("slow down", status=429)
NOT_ACCEPTED = AuthenticationFailed("the key is wrong", hint="check the key in OPENAI_API_KEY", status=401)
NOT_ALLOWED = AuthenticationFailed("not this model", hint="check the key in OPENAI_API_KEY", status=403)


def asked_to_wait(seconds: float) -> RateLimited:
    return RateLimited("slow down", status=429, retry_after_s=seconds)


async def failed(bench: Bench, error: BaseException, **how: object) -> None:
    """Make a call that ends so."""
    with pytest.raises(type(error)) as ended:
        await bench.call(error=error, **how)  # type: ignore[arg-type]
    assert ended.value is error


@virtually
async def test_no_call_of_a_key_leaves_before_the_wait_is_over_that_one_of_them_was_asked_for() -> None:
    bench = Bench.make()
    await failed(bench, asked_to_wait(7))

    calls = [bench.start(f"{number}", model=model) for number, model in enumerate([MODEL, OTHER, MODEL])]
    elsewhere = await bench.call("elsewhere", model=ELSEWHERE)
    seen = bench.state()
    await asyncio.gather(*calls)

    assert elsewhere == 0
    assert (seen.hold, seen.held_for_s, seen.waiting) == ("paused", 7, 3)
    assert [bench.left[name] for name in "012"] == [7, 7, 7]
    assert bench.state().hold == "none"


@virtually
async def test_calls_that_have_less_time_are_refused_at_once_and_told_how_long_it_lasts() -> None:
    bench = Bench.make()
    await failed(bench, asked_to_wait(7))
    await bench.later(2)

    with pytest.raises(LimitReached) as refused:
        await bench.call(patience_s=4.9)

    assert (bench.clock.monotonic(), refused.value.retry_after_s) == (2, 5)
    assert "provider 'openai' asked to wait, for 5.0 s more" in str(refused.value)
    assert bench.state().refused == 1


@virtually
async def test_a_wait_without_end_is_cut_and_the_longest_one_counts() -> None:
    bench = Bench.make(limited(max_wait_s=1_000))
    first, second = bench.start(error=asked_to_wait(1e9), takes_s=1), bench.start(error=asked_to_wait(3), takes_s=2)
    await asyncio.gather(first, second, return_exceptions=True)

    await bench.call("next")

    assert bench.left["next"] == 1 + MAX_PAUSE_S


@virtually
async def test_calls_that_wait_already_wait_on_when_the_provider_asks_to() -> None:
    bench = Bench.make(limited(openai=Limit(max_concurrency=1)))
    running = bench.start(takes_s=5, error=asked_to_wait(10))
    await bench.later(1)
    waiting, impatient = bench.start("waiting"), bench.start("impatient", patience_s=8)
    ended = await asyncio.gather(running, waiting, impatient, return_exceptions=True)

    assert isinstance(ended[2], LimitReached)
    assert "asked to wait" in ended[2].message
    assert bench.left["waiting"] == 15


@virtually
async def test_calls_that_wait_for_a_rate_wait_for_a_pause_too_that_comes_meanwhile() -> None:
    bench = Bench.make(limited(openai=Limit(requests_per_minute=6)))
    running = bench.start(takes_s=9, error=asked_to_wait(20))
    await bench.later(0)
    waiting = bench.start("waiting")
    await asyncio.gather(running, waiting, return_exceptions=True)

    assert bench.left["waiting"] == 29


@virtually
async def test_each_complaint_halves_the_calls_at_a_time_and_a_round_of_successes_adds_one() -> None:
    bench = Bench.make()
    many = [bench.start(takes_s=1, error=TOO_MANY) for _ in range(64)]
    await asyncio.gather(*many, return_exceptions=True)
    after_one = bench.state()
    await failed(bench, TOO_MANY)
    after_two = bench.state().at_once

    rounds = []
    for _ in range(3):
        await asyncio.gather(*(bench.call() for _ in range(bench.state().at_once or 0)))
        rounds.append(bench.state().at_once)

    assert (after_one.hold, after_one.at_once) == ("slowed", 32)
    assert after_two == 1
    assert rounds == [2, 3, 4]


@virtually
async def test_a_complaint_about_a_call_that_left_before_the_last_one_says_nothing_new() -> None:
    bench = Bench.make()
    early = [bench.start(takes_s=5, error=TOO_MANY) for _ in range(8)]
    await bench.later(0)
    await failed(bench, TOO_MANY)
    once = bench.state().at_once
    await asyncio.gather(*early, return_exceptions=True)

    assert (once, bench.state().at_once) == (4, 4)


@virtually
async def test_what_was_too_many_is_allowed_again_when_nothing_was_complained_of_for_long() -> None:
    bench = Bench.make()
    many = [bench.start(takes_s=1, error=TOO_MANY) for _ in range(200)]
    await asyncio.gather(*many, return_exceptions=True)
    await bench.later(CLEAN_S)

    rounds = 0
    while bench.state().hold == "slowed":
        await asyncio.gather(*(bench.call(takes_s=1) for _ in range(bench.state().at_once or 0)))
        rounds += 1

    assert (rounds, bench.state().at_once) == (2, None)


@virtually
async def test_a_single_call_that_was_too_many_leaves_no_trace_after_a_success() -> None:
    bench = Bench.make(limited(openai=Limit(max_concurrency=5)))

    await failed(bench, TOO_MANY)
    slowed = bench.state().at_once
    await bench.call()

    assert (slowed, bench.state().at_once, bench.state().hold) == (1, 5, "none")


@virtually
async def test_a_storm_ends_and_all_is_as_before_within_two_windows() -> None:
    bench = Bench.make(limited(max_wait_s=600))
    storm_s, most = 60.0, 64

    async def client() -> None:
        while bench.clock.monotonic() < storm_s + 2 * CLEAN_S:
            passage = bench.gate.passage(MODEL, [], {}, patience=lambda: None)
            try:
                async with passage:
                    passage.leave()
                    is_storm = bench.clock.monotonic() < storm_s
                    await bench.later(1)
                    if is_storm:
                        raise TOO_MANY
            except RateLimited:
                await bench.later(1)

    clients = [asyncio.ensure_future(client()) for _ in range(most)]
    await bench.later(storm_s - 1)
    in_storm = bench.state()
    await asyncio.gather(*clients)

    assert (in_storm.hold, in_storm.at_once) == ("slowed", 1)
    assert (bench.state().hold, bench.state().at_once) == ("none", None)


@virtually
async def test_a_key_that_is_not_accepted_is_tried_now_and_then_and_all_others_are_told() -> None:
    bench = Bench.make()
    await failed(bench, NOT_ACCEPTED)
    await bench.later(10)

    with pytest.raises(AuthenticationFailed) as refused:
        await bench.call(model=OTHER)
    seen = bench.state()
    assert await bench.call(model=ELSEWHERE) == 0
    await bench.later(PROBE_S - 10)
    await failed(bench, NOT_ACCEPTED)
    with pytest.raises(AuthenticationFailed, match=r"tried again in 30 s"):
        await bench.call()

    assert (refused.value.status, bench.clock.monotonic()) == (401, PROBE_S)
    assert refused.value.message == "provider 'openai' is not asked, as it does not accept the key (401)"
    assert refused.value.hint == "check the key in OPENAI_API_KEY; it is tried again in 20 s"
    assert (seen.hold, seen.held_for_s, seen.refused, seen.reason) == ("key_refused", 20, 1, "the key is wrong")


@virtually
async def test_a_key_that_is_accepted_again_is_used_again() -> None:
    bench = Bench.make()
    await failed(bench, NOT_ACCEPTED)
    await bench.later(PROBE_S)

    probe = bench.start(takes_s=1)
    await bench.later(0.5)
    with pytest.raises(AuthenticationFailed):
        await bench.call()
    await probe

    assert await bench.call() == 0
    assert bench.state().hold == "none"


@virtually
async def test_a_model_that_a_key_may_not_use_is_left_alone_and_no_other_one() -> None:
    bench = Bench.make()
    await failed(bench, NOT_ALLOWED)

    with pytest.raises(AuthenticationFailed) as refused:
        await bench.call()
    others = await bench.call(model=OTHER)
    await bench.later(PROBE_S)
    await bench.call()

    assert refused.value.message == "model 'openai/gpt-4o-mini' is not asked, as it does not accept the key (403)"
    assert others == 0
    assert [state.hold for state in bench.gate.states()] == ["none", "none"]


@virtually
async def test_what_a_call_ends_with_that_never_left_says_nothing_of_the_provider() -> None:
    bench = Bench.make()

    for error in (NOT_ACCEPTED, asked_to_wait(9)):
        with pytest.raises(type(error)):
            async with bench.gate.passage(MODEL, [], {}, patience=lambda: None):
                raise error

    assert (bench.state().hold, await bench.call()) == ("none", 0)
