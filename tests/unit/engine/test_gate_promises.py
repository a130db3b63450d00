"""Whatever comes to the gates of one process or several, in whatever order: no limit is passed, nobody is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from cuewire.limiters.local import LocalLimiter
from cuewire.model.errors import LimitReached, ProviderFault, RateLimited
from cuewire.model.limits import Limit, Limits, Rate
from tests.support.gates import ELSEWHERE, MODEL, OTHER, Bench
from tests.support.virtual_time import VirtualClock, run_virtually

FINE = 1e-3
COUNTS = st.none() | st.sampled_from([1, 2, 5])
LIMIT = st.builds(
    Limit,
    max_concurrency=COUNTS,
    requests_per_minute=st.none() | st.sampled_from([6, 60, 600]),
    tokens_per_minute=st.none() | st.sampled_from([600, 6_000, 60_000]),
)
LIMITS = st.builds(
    Limits,
    max_calls_at_once=COUNTS,
    max_wait_s=st.sampled_from([5.0, 300.0]),
    providers=st.fixed_dictionaries({"openai": LIMIT}),
    models=st.fixed_dictionaries({}, optional={"openai/gpt-4o-mini": LIMIT}),
)
End = Literal["well", "failed", "too_many", "wait"]
_ERRORS = {
    "failed": ProviderFault("it failed", status=500),
    "too_many": RateLimited("slow down", status=429),
    "wait": RateLimited("slow down", status=429, retry_after_s=5),
}


@dataclass(frozen=True)
class Coming:
    """A call to come: when, where, for how long, and how it ends. With `leaves_s` its caller goes before it has left.

    One that is too many takes no tokens to speak of: what it does not use would be given back, and used again.
    """

    at_s: float
    model: int
    takes_s: float
    tokens: int
    end: End
    patience_s: float | None
    leaves_s: float | None

    @property
    def takes(self) -> int:
        """The tokens that it takes."""
        return 1 if self.end in ("too_many", "wait") else self.tokens


COMING = st.builds(
    Coming,
    at_s=st.sampled_from([0.0, 0.0, 0.3, 2.0, 15.0]) | st.floats(0, 30),
    model=st.integers(0, 2),
    takes_s=st.sampled_from([0.0, 0.5, 4.0]) | st.floats(0, 10),
    tokens=st.sampled_from([2, 10, 100, 2_000]),
    end=st.sampled_from(["well", "well", "well", "failed", "too_many", "wait"]),
    patience_s=st.none() | st.floats(0, 60),
    leaves_s=st.none() | st.none() | st.floats(0, 20),
)


@dataclass
class Trace:
    """What was seen: calls that left, with where they went and what they took, and how many ran at a time."""

    left: list[tuple[float, int, int]]
    peaks: dict[str, int]
    refused: int = 0


async def make(bench: Bench, coming: Coming, number: int, trace: Trace) -> None:
    """Make a call, and note what becomes of it."""
    await bench.later(coming.at_s)
    model = (MODEL, OTHER, ELSEWHERE)[coming.model]
    asked = bench.clock.monotonic()
    how = {"takes_s": coming.takes_s, "tokens": coming.takes, "error": _ERRORS.get(coming.end)}
    parameters = {"max_tokens": coming.takes - 1}
    call = bench.start(f"{number}", model=model, parameters=parameters, patience_s=coming.patience_s, **how)
    if coming.leaves_s is not None:
        await bench.later(coming.leaves_s)
        if f"{number}" not in bench.left:
            call.cancel()
    (ended,) = await asyncio.gather(call, return_exceptions=True)
    if isinstance(ended, LimitReached):
        trace.refused += 1
        patience_s = 300.0 if coming.patience_s is None else coming.patience_s
        assert bench.clock.monotonic() - asked <= patience_s + FINE + (coming.leaves_s or 0.0)
    elif f"{number}" in bench.left:
        trace.left.append((bench.left[f"{number}"], coming.model, coming.takes))
    for state in bench.gate.states():
        trace.peaks[state.name] = max(trace.peaks.get(state.name, 0), state.running)


def most_beyond(lines: Sequence[tuple[float, float]], rate: Rate) -> float:
    """Return by how much more than its time's worth left in any time."""
    worst, lines = 0.0, sorted(lines)
    for first, (begin, _) in enumerate(lines):
        total = 0.0
        for end, amount in lines[first:]:
            total += amount
            worst = max(worst, total - (end - begin) / rate.interval_s)
    return worst


def check_rates(limit: Limit, left: Sequence[tuple[float, int, int]]) -> None:
    """See that no rate was passed by more than one burst, where a call counts as a burst at most."""
    given_back = sum(tokens == 1 for _, _, tokens in left)
    if limit.requests_per_minute:
        rate = Rate(name="r", per_minute=limit.requests_per_minute)
        assert most_beyond([(at, 1.0) for at, _, _ in left], rate) <= rate.burst + FINE
    if limit.tokens_per_minute:
        rate = Rate(name="t", per_minute=limit.tokens_per_minute)
        lines = [(at, min(float(tokens), rate.room)) for at, _, tokens in left]
        assert most_beyond(lines, rate) <= rate.burst + given_back + FINE


@settings(deadline=None, max_examples=150)
@given(LIMITS, st.lists(COMING, max_size=25))
def test_no_limit_is_passed_and_nothing_is_left_behind(limits: Limits, coming: list[Coming]) -> None:
    async def run() -> tuple[Bench, Trace]:
        bench, trace = Bench.make(limits), Trace([], {})
        await asyncio.gather(*(make(bench, each, number, trace) for number, each in enumerate(coming)))
        return bench, trace

    bench, trace = run_virtually(run())

    of_openai = [line for line in trace.left if line[1] < 2]
    check_rates(limits.providers["openai"], of_openai)
    check_rates(limits.models.get("openai/gpt-4o-mini", Limit()), [line for line in of_openai if line[1] == 0])
    assert bench.running == 0
    for state in bench.gate.states():
        assert (state.running, state.waiting) == (0, 0)
        assert trace.peaks.get(state.name, 0) <= (state.max_concurrency or len(coming))
    assert bench.gate.places is None or not bench.gate.is_full


@settings(deadline=None, max_examples=60)
@given(LIMIT, st.lists(COMING, min_size=2, max_size=25))
def test_calls_leave_in_the_order_in_which_they_came(limit: Limit, coming: list[Coming]) -> None:
    async def run() -> list[str]:
        bench = Bench.make(Limits(max_wait_s=1e9, providers={"openai": limit}))
        calls = []
        for number, each in enumerate(coming):
            parameters = {"max_tokens": each.tokens}
            calls.append(bench.start(f"{number}", takes_s=each.takes_s, parameters=parameters, tokens=each.tokens))
            await bench.later(each.at_s / 10)
        await asyncio.gather(*calls)
        return [*bench.left]

    assert run_virtually(run()) == [f"{number}" for number in range(len(coming))]


class InOnePlace(LocalLimiter):
    """Counts for several processes, who each book ahead."""

    block_s = 0.25


@settings(deadline=None, max_examples=60)
@given(LIMIT, st.lists(st.tuples(st.integers(0, 3), COMING), max_size=30))
def test_several_processes_pass_no_limit_together(limit: Limit, coming: list[tuple[int, Coming]]) -> None:
    async def run() -> Trace:
        place, trace = InOnePlace(VirtualClock()), Trace([], {})
        benches = [Bench.make(Limits(max_wait_s=300.0, providers={"openai": limit}), limiter=place) for _ in range(4)]
        await asyncio.gather(
            *(make(benches[process], each, number, trace) for number, (process, each) in enumerate(coming))
        )
        return trace

    trace = run_virtually(run())

    check_rates(limit, [line for line in trace.left if line[1] < 2])
    assert trace.peaks.get("openai", 0) <= (limit.max_concurrency or len(coming))


def test_several_processes_that_all_want_more_use_it_up_and_share_it() -> None:
    async def run() -> tuple[float, list[int]]:
        limits = Limits(max_wait_s=1e9, providers={"openai": Limit(requests_per_minute=600)})
        place = InOnePlace(VirtualClock())
        benches = [Bench.make(limits, limiter=place) for _ in range(4)]
        calls = [bench.start(f"{number}") for number in range(500) for bench in benches]
        await asyncio.sleep(120)
        left = [len(bench.left) for bench in benches]
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        return sum(left) / 1_200, left

    used, left = run_virtually(run())

    assert 0.95 <= used <= 1.06
    assert sum(left) ** 2 / (len(left) * sum(each**2 for each in left)) >= 0.95
