"""Whatever is planned, however it goes and wherever it is cut: each candidate ends once, and sums are sums."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuewire.caches.alone import Alone
from cuewire.clock import SystemClock
from cuewire.engine.breaker import Breakers
from cuewire.engine.budgets import CallBudget, RetryBudgets
from cuewire.engine.call import Caller
from cuewire.engine.candidate import CandidateTrip, Means, Task
from cuewire.engine.groups import Ends, run_groups
from cuewire.engine.probes import Probes
from cuewire.engine.record import Records
from cuewire.engine.tally import Tally
from cuewire.model.candidates import CandidateEnd, CandidateStatus
from cuewire.model.errors import ModelNotFound, ProviderFault, RateLimited, RequestRejected
from cuewire.model.executions import Closing, Opening
from cuewire.model.orders import parse_order
from cuewire.model.outputs import NumberOutput
from cuewire.model.plans import Candidate, Group, Plan
from cuewire.model.policies import Groups, Judge, Policy, Retry
from cuewire.model.prices import Rates, Tier
from cuewire.model.prompts import Message, PromptVersion
from cuewire.model.requests import ChatMessage, ModelRef, ModelRequest
from cuewire.model.results import Answer
from cuewire.model.usage import Usage
from cuewire.ports import Listener
from tests.support.gates import open_gate

GROUP_POLICIES = ("all", "until_success", "until_score", "race")
RUNNABLE: tuple[CandidateStatus, ...] = ("valid", "invalid", "failed", "timed_out")
MOST_TICKS = 6
SCORE = 8.0


@dataclass(frozen=True)
class Course:
    """How a candidate goes: after so many turns of the event loop it ends so, or with a fault of ours."""

    ticks: int
    status: CandidateStatus | Literal["fault"]


class Fault(Exception):
    """A mistake of ours."""


@dataclass
class Traced:
    """Trips that go as they should, and what was seen of them."""

    courses: Sequence[Course]
    began: list[int] = field(default_factory=list)
    running: set[int] = field(default_factory=set)
    peak: int = 0
    prior: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def begin(self, candidate: Candidate) -> Going:
        """Return the trip of a candidate."""
        return Going(candidate, self)


class Going:
    """A trip that goes as a course says."""

    def __init__(self, candidate: Candidate, trace: Traced) -> None:
        self._candidate = candidate
        self._trace = trace

    async def run(self, prior: Sequence[CandidateEnd]) -> CandidateStatus:
        index, trace = self._candidate.index, self._trace
        trace.began.append(index)
        trace.running.add(index)
        trace.peak = max(trace.peak, len(trace.running))
        trace.prior[index] = tuple(end.index for end in prior)
        try:
            await turns(trace.courses[index].ticks)
        finally:
            trace.running.discard(index)
        status = trace.courses[index].status
        if status == "fault":
            raise Fault
        return status

    def end(self, status: CandidateStatus, *, place: int, reason: str = "") -> CandidateEnd:
        candidate = self._candidate
        return CandidateEnd(
            index=candidate.index,
            group=candidate.group,
            priority=candidate.priority,
            model=str(candidate.model),
            status=status,
            reason=reason,
            place=place,
        )


async def turns(count: int) -> None:
    """Let the event loop turn so often."""
    for _ in range(count):
        await asyncio.sleep(0)


def planned(sizes: Sequence[int]) -> Plan:
    """Return a plan with groups of these sizes."""
    groups, index = [], 0
    for number, size in enumerate(sizes):
        members = []
        for _ in range(size):
            model = ModelRef(provider="scripted", model=f"m{index}")
            members.append(Candidate(index=index, model=model, parameters={}, reason="", group=number))
            index += 1
        groups.append(Group(candidates=tuple(members)))
    return Plan(groups=tuple(groups), max_calls=256)


def courses(status: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Course]]:
    """Draw a course for each of as many candidates as a plan can have."""
    one = st.builds(Course, ticks=st.integers(0, MOST_TICKS), status=status)
    return st.lists(one, min_size=12, max_size=12)


async def cut_after(running: Coroutine[Any, Any, None], ticks: int | None) -> BaseException | None:
    """Run something, cancelled after so many turns of the event loop; return what it ended with."""
    task = asyncio.create_task(running)
    if ticks is not None:
        await turns(1 + ticks)  # the first one lets it begin
        task.cancel()
    try:
        await task
    except (asyncio.CancelledError, Fault) as error:
        return error
    return None


def policy_of(name: Any, at_once: int = 8) -> Policy:
    """Return a policy that runs groups so."""
    groups = Groups(policy=name, score=SCORE if name == "until_score" else None)
    return Policy(groups=groups, at_once=at_once, selection=Judge(prompt="jury"))


@given(
    sizes=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    drawn=courses(st.sampled_from((*RUNNABLE, *RUNNABLE, "fault"))),
    name=st.sampled_from(GROUP_POLICIES),
    at_once=st.integers(1, 4),
    cut=st.none() | st.integers(0, 30),
    score=st.sampled_from((None, 3.0, 9.0)),
)
def test_each_candidate_ends_exactly_once_whatever_happens(
    sizes: list[int], drawn: list[Course], name: str, at_once: int, cut: int | None, score: float | None
) -> None:
    plan, trace = planned(sizes), Traced(drawn)
    ends = Ends(plan, trace.begin)
    given_scores: list[float | None] = []

    async def scored(_: Sequence[CandidateEnd]) -> float | None:
        given_scores.append(score)
        return score

    error = asyncio.run(cut_after(run_groups(plan, policy_of(name, at_once), ends, score=scored), cut))

    found = {end.index: end.status for end in ends.all}
    assert [end.place for end in ends.all] == [*range(len(plan.candidates))]
    assert sorted(found) == [candidate.index for candidate in plan.candidates]
    assert len(trace.began) == len(set(trace.began))
    assert not trace.running, "something is left behind"
    assert trace.peak <= at_once
    for index, status in found.items():
        assert status != "skipped" or index not in trace.began
        assert status == drawn[index].status or status in ("cancelled", "skipped")
        assert status == drawn[index].status or error is not None or name != "all"
    _check_order(plan, trace, [end.index for end in ends.all])
    if error is None:
        _check_enough(plan, found, name, given_scores)
    elif isinstance(error, Fault):
        assert any(drawn[index].status == "fault" for index in trace.began)


def _check_order(plan: Plan, trace: Traced, order: Sequence[int]) -> None:
    """Check that no group began before the one before it had ended, of all of which it was told."""
    before: set[int] = set()
    for group in plan.groups:
        members = {candidate.index for candidate in group.candidates}
        for index in members & set(trace.began):
            assert set(trace.prior[index]) == before
            assert all(order.index(other) < order.index(index) for other in before)
        before |= members


def _check_enough(plan: Plan, found: dict[int, CandidateStatus], name: str, scores: Sequence[float | None]) -> None:
    """Check that a group was skipped if, and only if, there was enough before it."""
    is_valid = False
    looks = iter(scores)
    is_enough = False
    for group in plan.groups:
        statuses = [found[candidate.index] for candidate in group.candidates]
        if not is_enough and is_valid:
            is_enough = name in ("until_success", "race") or (name == "until_score" and (next(looks) or 0) >= SCORE)
        assert (set(statuses) == {"skipped"}) is is_enough
        is_valid = is_valid or "valid" in statuses
        if name != "race" and not is_enough:
            assert "cancelled" not in statuses
    assert next(looks, None) is None


@given(drawn=courses(st.sampled_from(RUNNABLE)), size=st.integers(2, 6))
def test_a_race_is_won_by_the_first_valid_one_and_no_other_goes_on(drawn: list[Course], size: int) -> None:
    plan, trace = planned([size]), Traced(drawn)
    ends = Ends(plan, trace.begin)

    asyncio.run(cut_after(run_groups(plan, policy_of("race"), ends), None))

    valid = [course.ticks for course in drawn[:size] if course.status == "valid"]
    winner = ends.winner
    assert (winner is None) is (not valid)
    if winner is not None:
        assert drawn[winner.index].ticks == min(valid)
        assert all(drawn[end.index].ticks <= min(valid) for end in ends.all if end.status in RUNNABLE)


async def test_a_fault_of_ours_reaches_whoever_waits_as_it_was_raised() -> None:
    plan = planned([3, 1])
    ends = Ends(plan, Traced([Course(2, "valid"), Course(0, "fault"), *[Course(1, "valid")] * 2]).begin)

    with pytest.raises(Fault):
        await run_groups(plan, policy_of("all"), ends)

    assert {end.index: end.status for end in ends.all} == {
        0: "cancelled",
        1: "cancelled",
        2: "cancelled",
        3: "cancelled",
    }
    reasons = {end.index: end.reason for end in ends.all}
    assert (reasons[1], reasons[3]) == ("a fault inside Cuewire ended it", "the execution ended before it began")


VERSION = PromptVersion(
    id=1,
    prompt_id=1,
    prompt="count",
    number=1,
    messages=(Message("user", "How many?"),),
    variables={},
    model=None,
    parameters={},
    output=NumberOutput(),
    content_hash="",
    note="",
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
)


class Models:
    """Providers whose only one answers each model by its own list, the last again and again."""

    def __init__(self, scripts: Sequence[Sequence[str]]) -> None:
        self.asked = 0
        self.lost = 0
        self._scripts = [[*script] for script in scripts]

    def get(self, name: str) -> Models:
        return self

    async def call(self, request: ModelRequest, *, listener: Listener | None) -> Answer:
        script = self._scripts[int(request.model[1:])]
        self.asked += 1
        said = script.pop(0) if len(script) > 1 else script[0]
        await turns(len(said))
        match said:
            case "busy":
                raise RateLimited("slow down", status=429)
            case "down":
                raise ProviderFault("down", status=500)
            case "no":
                raise RequestRejected("no", status=400)
            case "lost":
                self.lost += 1
                raise ModelNotFound("there is no such model")
        return Answer(text=said, finish_reason="stop", usage=Usage(input_tokens=10, output_tokens=len(said)))


class Prices:
    """A price book with one price."""

    def rates(self, model: ModelRef, at: Any) -> Rates | None:
        return Rates(tiers=(Tier(above=0, input=0.25, output=0.5, cached=0.25),), source="test")


@dataclass
class Kept:
    """A recorder that keeps how executions end."""

    closed: list[Closing] = field(default_factory=list)

    def open(self, opening: Opening) -> None:
        """Take note of nothing."""

    async def close(self, closing: Closing) -> None:
        self.closed.append(closing)


@given(
    sizes=st.lists(st.integers(1, 3), min_size=1, max_size=2),
    scripts=st.lists(
        st.lists(st.sampled_from(("1", "22", "many", "busy", "down", "no", "lost")), min_size=1, max_size=4),
        min_size=6,
        max_size=6,
    ),
    policy=st.builds(
        Policy,
        groups=st.builds(Groups, policy=st.sampled_from(("all", "until_success", "race"))),
        retry=st.builds(Retry, max_retries=st.integers(0, 2), delay_ms=st.just(0)),
        max_repairs=st.integers(0, 2),
        at_once=st.just(2),
        max_calls=st.integers(1, 20),
    ),
    cut=st.none() | st.integers(0, 60),
)
def test_what_candidates_used_and_cost_is_the_sum_over_their_calls(
    sizes: list[int], scripts: list[list[str]], policy: Policy, cut: int | None
) -> None:
    plan, providers = planned(sizes), Models(scripts)

    ends, closing = asyncio.run(_worked(plan, policy, providers, cut))

    assert sorted(end.index for end in ends) == [candidate.index for candidate in plan.candidates]
    assert len({call.number for call in closing.calls}) == len(closing.calls) == providers.asked - providers.lost
    assert policy.max_calls is not None
    assert providers.asked <= policy.max_calls
    for end in ends:
        own = [call for call in closing.calls if call.candidate == end.index]
        costs = [call.cost_usd for call in own]
        assert end.calls == len(own) <= (1 + policy.retry.max_retries) * (1 + policy.max_repairs)
        assert end.cost_usd == (None if None in costs else sum(cost or 0 for cost in costs))
        assert (end.usage.output_tokens or 0) == sum(call.usage.output_tokens or 0 for call in own)
        assert end.status != "skipped" or not own
        assert (end.value is not None) is (end.status == "valid")
    known = [end.cost_usd for end in ends]
    assert closing.cost_usd == (None if None in known else pytest.approx(sum(cost or 0 for cost in known)))


async def _worked(
    plan: Plan, policy: Policy, providers: Models, cut: int | None
) -> tuple[tuple[CandidateEnd, ...], Closing]:
    """Run the candidates of a plan until they have ended or are cut, and return their ends and the record's."""
    clock, kept = SystemClock(), Kept()
    record = await Records(kept, clock, Tally()).open(parse_order("p", None), VERSION)  # type: ignore[arg-type]
    assert not isinstance(record, str)
    means = Means(
        caller=Caller(providers, Prices(), clock),  # type: ignore[arg-type]
        breakers=Breakers(clock=clock),
        probes=Probes(Alone()),
        gate=open_gate(clock=clock),
        retries=RetryBudgets(),
        clock=clock,
    )
    asked = (ChatMessage(role="user", content="How many?"),)
    task = Task(
        policy=policy, output=NumberOutput(), messages=asked, record=record, calls=CallBudget(policy.max_calls or 0)
    )
    ends = Ends(plan, lambda candidate: CandidateTrip(candidate, task, means))

    await cut_after(run_groups(plan, policy, ends), cut)
    await record.fail(asyncio.CancelledError())

    return ends.all, kept.closed[0]
