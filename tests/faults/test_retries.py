"""A provider that fails, over real HTTP: what is asked again, after which wait, and how many calls that makes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any, TypeAlias

import pytest

import cuewire
from cuewire.model.errors import ProviderError
from cuewire.model.executions import ExecutionDetail
from tests.support.model_server import Action, Close, Hang, Reset, Send, delta, head, plain, stream
from tests.support.policy_models import Desk, listen, opened, said

MODEL = "openai/gpt-4o-mini"
RUNS = 1_000
AMPLIFICATION = 1.2
RETRIES_AT_ONCE = 10
"""What may come on top: retries that are allowed at a provider that was well."""
Publish: TypeAlias = Callable[..., Any]


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with Desk() as running:
        assert isinstance(running, Desk)
        yield running


@pytest.fixture
async def app(desk: Desk, tmp_path: Path) -> AsyncIterator[cuewire.App]:
    async with opened(desk, tmp_path, CUEWIRE_TIMEOUTS__FIRST_BYTE_S="0.4", CUEWIRE_TIMEOUTS__IDLE_S="0.4") as running:
        yield running


async def publish(app: cuewire.App, **retry: Any) -> None:
    """Publish a prompt that is asked again so."""
    policy = {"retry": {"delay_ms": 0, "jitter": False, **retry}}
    await app.prompts.publish("triage", "Bug?", model=MODEL, policy=policy)


async def ran(app: cuewire.App) -> ExecutionDetail:
    """Run it, well or not, and return its record."""
    try:
        result = await app.run("triage")
    except ProviderError as error:
        return await app.executions.get(error.execution_id or "")
    return await app.executions.get(result.id)


def failing(*scripts: Sequence[Action]) -> Callable[[Any], Sequence[Action]]:
    """Answer by the scripts, one after another, and well after them."""
    ahead = [*scripts]
    return lambda _: ahead.pop(0) if ahead else said("fine")


@pytest.mark.contract("S4-13", "S4-26", "S4-27", "S4-28", "S4-29", "S4-30")
@pytest.mark.parametrize(
    ("strategy", "waits"),
    [("fixed", [0, 40, 40, 40]), ("linear", [0, 40, 80, 120]), ("exponential", [0, 40, 80, 160])],
)
@pytest.mark.parametrize("cap_ms", [30_000, 90])
async def test_waits_before_retries_follow_the_strategy_the_base_and_the_cap(
    app: cuewire.App, desk: Desk, strategy: str, waits: list[int], cap_ms: int
) -> None:
    desk.reply = lambda _: said("down", status=503)
    await publish(app, max_retries=3, strategy=strategy, delay_ms=40, cap_ms=cap_ms)

    record = await ran(app)

    expected = [min(wait, cap_ms) for wait in waits]
    assert [(call.purpose, call.delay_ms) for call in record.calls] == [
        ("retry" if place else "first", wait) for place, wait in enumerate(expected)
    ]
    assert len(desk.received) == 4
    assert all(gap >= wait * 0.9 for gap, wait in zip(desk.gaps_ms, expected[1:], strict=True))


@pytest.mark.contract("S4-26")
@pytest.mark.parametrize("most", [0, 1, 5])
async def test_there_are_as_many_retries_as_the_policy_says_and_a_success_ends_them(
    app: cuewire.App, desk: Desk, most: int
) -> None:
    desk.reply = failing(*[said("down", status=500)] * 3)
    await publish(app, max_retries=most)

    record = await ran(app)

    assert (record.status, len(record.calls)) == (("succeeded", 4) if most == 5 else ("failed", most + 1))
    assert [call.number for call in record.calls] == [*range(1, len(record.calls) + 1)]


@pytest.mark.contract("S2-21", "S4-31")
@pytest.mark.parametrize(
    ("script", "calls", "code"),
    [
        *((said("down", status=status), 3, None) for status in (429, 500, 502, 503, 504, 529)),
        *(
            (said("no", status=status), 1, code)
            for status, code in [
                (400, "request_rejected"),
                (401, "authentication_failed"),
                (402, "out_of_credit"),
                (403, "authentication_failed"),
                (404, "model_not_served"),
                (422, "request_rejected"),
            ]
        ),
        ([Reset()], 3, None),
        ([Close()], 3, None),
        ([Hang()], 3, None),
        ([Send(head(length=500)), Close()], 3, None),
        (plain(b"<html>welcome</html>"), 2, "protocol_error"),
        (plain(b'{"choices": [{"message": {"content": "\xff\xfe'), 2, "protocol_error"),
        (plain({"choices": []}), 2, "protocol_error"),
    ],
)
async def test_what_another_call_may_cure_is_repeated_and_nothing_else(
    app: cuewire.App, desk: Desk, script: list[Action], calls: int, code: str | None
) -> None:
    desk.reply = failing(*[script] * 2)
    await publish(app, max_retries=4)

    record = await ran(app)

    assert len(record.calls) == len(desk.received) == calls
    assert (record.status, record.error_code) == (("failed", code) if code else ("succeeded", None))


async def test_an_answer_that_broke_off_is_asked_for_again_only_if_nobody_has_heard_of_it(
    app: cuewire.App, desk: Desk
) -> None:
    broken = stream(delta("It is "), Reset())
    nothing = stream(Close())
    desk.reply = failing(broken, nothing)
    await publish(app, max_retries=3)

    heard: list[str] = []
    with pytest.raises(ProviderError) as failed:
        await listen(app.stream("triage"), heard)
    before = len(desk.received)
    whole = await app.stream("triage").result()

    record = await app.executions.get(failed.value.execution_id or "")
    assert ("".join(heard), record.text, record.error_code) == ("It is ", "It is ", "incomplete_answer")
    assert (before, whole.text, len(desk.received)) == (1, "fine", 3)


@pytest.mark.contract("S4-31")
@pytest.mark.parametrize(
    ("headers", "least_ms"),
    [
        ({"Retry-After": "0.3"}, 300),
        ({"retry-after-ms": "300", "Retry-After": "9"}, 300),
        ({"Retry-After": "soon"}, 0),
        ({"Retry-After": "-5"}, 0),
    ],
)
async def test_no_call_is_made_earlier_than_a_busy_provider_allows(
    app: cuewire.App, desk: Desk, headers: dict[str, str], least_ms: int
) -> None:
    desk.reply = failing(said("slow down", status=429, headers=headers))
    await publish(app, max_retries=1)

    record = await ran(app)

    assert (record.status, record.calls[1].delay_ms) == ("succeeded", least_ms)
    assert desk.gaps_ms[0] >= least_ms * 0.99


async def test_a_date_to_come_back_at_is_kept(app: cuewire.App, desk: Desk) -> None:
    date = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
    desk.reply = failing(said("slow down", status=429, headers={"Retry-After": format_datetime(date, usegmt=True)}))
    await publish(app, max_retries=1)

    record = await ran(app)

    assert record.status == "succeeded"
    assert datetime.now(UTC) >= date


@pytest.mark.parametrize("value", ["1000000000", "31", "1e300", "Fri, 31 Dec 9999 23:59:59 GMT"])
async def test_a_provider_that_wants_to_be_left_alone_for_too_long_is_not_asked_again(
    app: cuewire.App, desk: Desk, value: str
) -> None:
    desk.reply = failing(said("slow down", status=429, headers={"Retry-After": value}))
    await publish(app, max_retries=3)

    async with asyncio.timeout(5):
        record = await ran(app)

    assert (record.status, record.error_code, len(desk.received)) == ("failed", "rate_limited", 1)


@pytest.mark.contract("S4-37")
@pytest.mark.parametrize("breaker", [True, False])
async def test_f3_when_nothing_works_there_are_at_most_a_fifth_more_calls_than_runs(
    desk: Desk, tmp_path: Path, *, breaker: bool
) -> None:
    desk.reply = lambda _: said("down", status=500)
    places = asyncio.Semaphore(50)

    async def one(app: cuewire.App) -> ExecutionDetail:
        async with places:
            return await ran(app)

    async with opened(desk, tmp_path) as app:  # a busy machine may keep the first byte longer than other tests wait
        await publish(app, max_retries=3)
        if not breaker:
            await app.breakers.turn(MODEL, "closed")
        records = await asyncio.gather(*(one(app) for _ in range(RUNS)))

    calls = sum(len(record.calls) for record in records)
    assert {record.status for record in records} == {"failed"}
    assert calls == len(desk.received)
    assert calls <= (AMPLIFICATION * RUNS + RETRIES_AT_ONCE if not breaker else RUNS / 5)
    assert breaker or calls >= RUNS
