"""What executions may cost in a day: seen before the first call, counted here and, now and then, in the record."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from cuewire.engine.spend import KEPT_S, Spending, unknown_worst
from cuewire.model.errors import BudgetExceeded, StoreUnavailable
from cuewire.model.executions import Opening
from cuewire.model.limits import SpendCaps
from tests.support.stores import opening
from tests.support.virtual_time import NOON, VirtualClock, virtually

MIDNIGHT = NOON.replace(hour=0)


class Record:
    """What the record says: the same to everybody, after a while."""

    def __init__(self, spent_usd: float = 0.0, *, takes_s: float = 0.0) -> None:
        self.spent = spent_usd
        self.takes_s = takes_s
        self.asked: list[tuple[datetime, str | None, str | None]] = []
        self.is_away = False

    async def spent_usd(self, *, since: datetime, prompt: str | None = None, actor: str | None = None) -> float:
        self.asked.append((since, prompt, actor))
        spent = self.spent
        await asyncio.sleep(self.takes_s)
        if self.is_away:
            raise StoreUnavailable("it is away")
        return spent


def spending(record: Record, usd_per_day: float | None = 1.0, **prompts: float) -> Spending:
    return Spending(SpendCaps(usd_per_day=usd_per_day, prompts=prompts), record, clock=VirtualClock())


def by(prompt: str, actor: str = "local") -> Opening:
    return opening(1, prompt=prompt, actor=actor)


async def spend(
    caps: Spending,
    cost_usd: float | None,
    *,
    prompt: str = "triage",
    actor: str = "local",
    worst: float | None = None,
) -> None:
    """Run an execution that costs so much."""
    reserved = await caps.reserve(by(prompt, actor), lambda: (worst, ""))
    assert reserved is not None
    reserved.settle(cost_usd)


@virtually
async def test_without_caps_nobody_asks_the_record() -> None:
    record = Record()
    caps = spending(record, None, other=1.0)

    assert await caps.reserve(by("triage"), unknown_worst) is None
    assert record.asked == []


@virtually
async def test_what_is_spent_today_is_what_the_record_says_and_what_ended_here_since() -> None:
    record = Record(0.5)
    caps = spending(record)

    await spend(caps, 0.3)
    await spend(caps, 0.3)
    with pytest.raises(BudgetExceeded) as refused:
        await spend(caps, 0.1)

    assert record.asked == [(MIDNIGHT, None, None)]
    assert refused.value.message == "executions may cost $1 a day, $1.1000 is spent"
    assert refused.value.hint == "raise spend.usd_per_day, or wait until 2026-11-22 00:00 UTC"


@virtually
async def test_an_execution_that_could_cost_more_than_is_left_is_refused_before_it_begins() -> None:
    caps = spending(Record(0.5))

    with pytest.raises(BudgetExceeded, match=r"\$0\.5000 is spent; this one can cost \$0\.6000"):
        await caps.reserve(by("triage"), lambda: (0.6, ""))

    assert await caps.reserve(by("triage"), lambda: (0.5, "")) is not None


@virtually
async def test_what_runs_counts_with_the_most_that_it_can_cost_and_then_with_what_it_did() -> None:
    caps = spending(Record())
    running = await caps.reserve(by("triage"), lambda: (0.8, ""))
    assert running is not None

    with pytest.raises(BudgetExceeded, match=r"\$0\.0000 is spent, and what runs can cost \$0\.8000; this one"):
        await caps.reserve(by("triage"), lambda: (0.3, ""))
    running.settle(0.1)

    assert await caps.reserve(by("triage"), lambda: (0.9, "")) is not None


@virtually
async def test_what_an_execution_cost_of_which_nobody_knows_counts_as_the_most_until_the_record_is_asked() -> None:
    caps = spending(Record())
    await spend(caps, None, worst=1.0)

    with pytest.raises(BudgetExceeded):
        await spend(caps, 0.0)
    await asyncio.sleep(KEPT_S)

    await spend(caps, 0.0)


@virtually
async def test_where_nobody_knows_what_one_can_cost_the_cap_ends_what_comes_after_it() -> None:
    caps = spending(Record())

    await spend(caps, 5.0)

    with pytest.raises(BudgetExceeded, match=r"\$5\.0000 is spent; raise"):
        await caps.reserve(by("triage"), unknown_worst)


@virtually
async def test_what_costs_nothing_is_never_refused() -> None:
    caps = spending(Record(5.0))

    assert await caps.reserve(by("triage"), lambda: (0.0, "")) is not None


@virtually
async def test_a_prompt_has_its_own_cap_beside_that_of_all() -> None:
    record = Record()
    caps = spending(record, 1.0, triage=0.2)

    await spend(caps, 0.2)
    with pytest.raises(BudgetExceeded) as own:
        await spend(caps, 0.1)
    await spend(caps, 0.8, prompt="other")
    with pytest.raises(BudgetExceeded, match="executions may cost"):
        await spend(caps, 0.1, prompt="other")

    assert own.value.message.startswith("executions of prompt 'triage' may cost $0.2 a day")
    assert own.value.hint.startswith('raise spend.prompts."triage"')
    assert record.asked == [(MIDNIGHT, None, None), (MIDNIGHT, "triage", None)]


@virtually
async def test_an_actor_has_a_cap_beside_that_of_the_prompt_and_another_one_has_none() -> None:
    record = Record()
    caps = Spending(SpendCaps(prompts={"triage": 1.0}, actors={"key:ci": 0.2}), record, clock=VirtualClock())

    await spend(caps, 0.1, actor="key:ci")
    await spend(caps, 0.5, actor="key:web")
    with pytest.raises(BudgetExceeded) as own:
        await spend(caps, 0.1, actor="key:ci", prompt="other", worst=0.15)
    await spend(caps, 0.5, actor="key:web")
    with pytest.raises(BudgetExceeded, match="executions of prompt 'triage' may cost"):
        await spend(caps, 0.1, actor="key:web")

    assert own.value.message.startswith("executions asked for by 'key:ci' may cost $0.2 a day, $0.1000 is spent")
    assert own.value.hint.startswith('raise spend.actors."key:ci"')
    assert record.asked == [(MIDNIGHT, "triage", None), (MIDNIGHT, None, "key:ci")]


@virtually
async def test_what_other_processes_spend_is_seen_after_a_few_seconds() -> None:
    record = Record()
    caps = spending(record)
    await spend(caps, 0.4)

    record.spent = 1.0
    await spend(caps, 0.0)
    await asyncio.sleep(KEPT_S)
    with pytest.raises(BudgetExceeded, match=r"\$1\.0000 is spent"):
        await spend(caps, 0.0)


@virtually
async def test_what_ends_while_the_record_is_asked_is_not_lost() -> None:
    record = Record(takes_s=1)
    caps = spending(record)
    running = await caps.reserve(by("triage"), unknown_worst)
    assert running is not None
    await asyncio.sleep(2 * KEPT_S + 20)

    asking = asyncio.ensure_future(caps.reserve(by("triage"), unknown_worst))
    await asyncio.sleep(0.5)
    running.settle(2.0)
    refused = await asyncio.gather(asking, return_exceptions=True)

    assert isinstance(refused[0], BudgetExceeded)


@virtually
async def test_those_who_come_while_the_record_is_asked_again_do_not_wait_and_nobody_asks_twice() -> None:
    record = Record(takes_s=0.1)
    caps = spending(record)
    first = await asyncio.gather(*(caps.reserve(by("triage"), unknown_worst) for _ in range(5)))
    asked_first = len(record.asked)
    await asyncio.sleep(KEPT_S)

    asking = asyncio.ensure_future(caps.reserve(by("triage"), unknown_worst))
    await asyncio.sleep(0)
    begin = asyncio.get_running_loop().time()
    await asyncio.gather(*(caps.reserve(by("triage"), unknown_worst) for _ in range(5)))
    waited_s = asyncio.get_running_loop().time() - begin
    await asking

    assert (len(first), asked_first, len(record.asked), waited_s) == (5, 1, 2, 0)


@virtually
async def test_a_record_that_takes_long_is_asked_less_often() -> None:
    record = Record(takes_s=1)
    caps = spending(record)
    await spend(caps, 0.0)

    await asyncio.sleep(18.9)
    await spend(caps, 0.0)
    asked = len(record.asked)
    await asyncio.sleep(0.2)
    await spend(caps, 0.0)

    assert (asked, len(record.asked)) == (1, 2)


@virtually
async def test_a_record_that_is_away_is_asked_by_the_next_one_again() -> None:
    record = Record(2.0)
    caps = spending(record)
    record.is_away = True
    with pytest.raises(StoreUnavailable):
        await spend(caps, 0.0)

    record.is_away = False
    with pytest.raises(BudgetExceeded):
        await spend(caps, 0.0)


@virtually
async def test_a_new_day_begins_at_midnight_with_nothing_spent() -> None:
    record = Record(1.0)
    caps = spending(record)
    with pytest.raises(BudgetExceeded):
        await spend(caps, 0.0)

    record.spent = 0.0
    await asyncio.sleep(timedelta(hours=12).total_seconds())
    await spend(caps, 0.5)

    assert record.asked[-1] == (MIDNIGHT + timedelta(days=1), None, None)
