"""F14: a breaker that is half open lets a few calls try, however many wait, and all of them once those have worked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from cuewire.clock import SystemClock
from cuewire.engine.breaker import Breaker, BreakerSettings
from cuewire.model.errors import ProviderFault, ProviderUnavailable
from cuewire.model.requests import parse_model
from cuewire.outbound.lazy import open_transport
from cuewire.ports import Provider
from cuewire.providers.openai_compatible import OpenAICompatible
from tests.contract.test_provider import request
from tests.support.policy_models import Desk, said

WAITERS, PROBES = 100, 3
SETTINGS = BreakerSettings(min_calls=5, open_s=0.5, probes=PROBES)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with Desk(lambda _: said("down", status=500)) as running:
        assert isinstance(running, Desk)
        yield running


@pytest.fixture
async def provider(desk: Desk) -> AsyncIterator[Provider]:
    transport = open_transport(origins=[desk.origin])
    yield OpenAICompatible("tiny", base_url=desk.url, key=None, transport=transport, clock=SystemClock())
    await transport.close()


async def ask(provider: Provider, breaker: Breaker) -> str:
    """Ask as a candidate does, and say what became of it."""
    try:
        with breaker.call():
            return (await provider.call(request(), listener=None)).text
    except ProviderUnavailable:
        return "refused"
    except ProviderFault:
        return "failed"


async def half_open(provider: Provider, desk: Desk) -> Breaker:
    """Let a breaker open, and wait until calls may try again."""
    breaker = Breaker(parse_model("tiny/tiny-1"), SETTINGS, clock=SystemClock())
    assert [await ask(provider, breaker) for _ in range(5)] == ["failed"] * 5
    assert [await ask(provider, breaker) for _ in range(5)] == ["refused"] * 5
    await asyncio.sleep((breaker.state().tries_again_in_s or 0) + 0.02)
    assert breaker.status() == "half_open"
    desk.received.clear()
    return breaker


async def test_f14_of_a_hundred_who_wait_no_more_than_the_probes_go_through(provider: Provider, desk: Desk) -> None:
    breaker = await half_open(provider, desk)
    desk.holds, desk.reply = lambda _: True, lambda _: said("fine")

    waiters = [asyncio.ensure_future(ask(provider, breaker)) for _ in range(WAITERS)]
    await desk.until(PROBES)
    await asyncio.wait(waiters, timeout=0.1)
    desk.release(PROBES)
    ends = await asyncio.gather(*waiters)

    assert (ends.count("fine"), ends.count("refused"), desk.peak) == (PROBES, WAITERS - PROBES, PROBES)
    assert len(desk.received) == PROBES
    assert breaker.status() == "closed"
    desk.holds = lambda _: False
    assert await asyncio.gather(*(ask(provider, breaker) for _ in range(WAITERS))) == ["fine"] * WAITERS


async def test_f14_a_probe_that_fails_sends_everybody_away_again(provider: Provider, desk: Desk) -> None:
    breaker = await half_open(provider, desk)

    ends = await asyncio.gather(*(ask(provider, breaker) for _ in range(WAITERS)))

    assert (len(desk.received), ends.count("refused")) == (ends.count("failed"), WAITERS - len(desk.received))
    assert 1 <= len(desk.received) <= PROBES
    assert breaker.status() == "open"
