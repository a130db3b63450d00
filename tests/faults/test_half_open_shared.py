"""F14: of three servers that agree in Redis no more than the probes of one try an endpoint, however many wait."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from itertools import count

import pytest

from cuewire.caches.redis_leases import RedisLeases
from cuewire.clock import SystemClock
from cuewire.engine.breaker import Breaker, BreakerSettings
from cuewire.engine.probes import Probes
from cuewire.model.errors import ProviderFault, ProviderUnavailable
from cuewire.model.requests import parse_model
from cuewire.outbound.lazy import open_transport
from cuewire.ports import Provider
from cuewire.providers.openai_compatible import OpenAICompatible
from tests.contract.test_provider import request
from tests.support.policy_models import Desk, said
from tests.support.redis_server import redis_server

SERVERS, WAITERS, PROBES = 3, 100, 2
SETTINGS = BreakerSettings(min_calls=5, open_s=0.2, probes=PROBES)
_names = count()


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with redis_server() as url:
        yield url


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk(lambda _: said("down", status=500))
    async with desk:
        yield desk


@pytest.fixture
async def provider(desk: Desk) -> AsyncIterator[Provider]:
    transport = open_transport(origins=[desk.origin])
    yield OpenAICompatible("tiny", base_url=desk.url, key=None, transport=transport, clock=SystemClock())
    await transport.close()


@pytest.fixture
async def servers(redis_url: str) -> AsyncIterator[list[Probes]]:
    database = f"test{next(_names)}"
    async with AsyncExitStack() as stack:
        leases = [RedisLeases(redis_url, database=database, clock=SystemClock()) for _ in range(SERVERS)]
        for each in leases:
            stack.push_async_callback(each.close)
        yield [Probes(each) for each in leases]


async def half_open(provider: Provider) -> Breaker:
    breaker = Breaker(parse_model("tiny/tiny-1"), SETTINGS, clock=SystemClock())
    for _ in range(SETTINGS.min_calls):
        with pytest.raises(ProviderFault), breaker.call():
            await provider.call(request(), listener=None)
    await asyncio.sleep((breaker.state().tries_again_in_s or 0) + 0.02)
    assert breaker.status() == "half_open"
    return breaker


async def attempt(provider: Provider, breaker: Breaker, probes: Probes) -> str:
    try:
        async with probes.of(breaker):
            with breaker.call():
                return (await provider.call(request(), listener=None)).text
    except ProviderUnavailable:
        return "refused"


async def test_f14_no_more_than_the_probes_go_through_of_all_that_wait_at_all_servers(
    provider: Provider, desk: Desk, servers: list[Probes]
) -> None:
    breakers = [await half_open(provider) for _ in servers]
    desk.received.clear()
    desk.reply, desk.holds = lambda _: said("well"), lambda _: True

    asking = [
        asyncio.ensure_future(attempt(provider, breaker, probes))
        for breaker, probes in zip(breakers, servers, strict=True)
        for _ in range(WAITERS)
    ]
    await desk.until(PROBES)
    while sum(task.done() for task in asking) < SERVERS * WAITERS - PROBES:
        await asyncio.wait([task for task in asking if not task.done()], return_when=asyncio.FIRST_COMPLETED)
    desk.release(PROBES)
    ended = Counter(await asyncio.gather(*asking))

    assert ended == {"well": PROBES, "refused": SERVERS * WAITERS - PROBES}
    assert len(desk.received) == PROBES


async def test_f14_a_place_is_free_again_when_its_call_has_ended(
    provider: Provider, desk: Desk, redis_url: str
) -> None:
    one, other = [RedisLeases(redis_url, database=f"test{_names}", clock=SystemClock()) for _ in range(2)]
    breakers = [await half_open(provider) for _ in range(2)]
    desk.reply = lambda _: said("well")

    first = [await attempt(provider, breakers[0], Probes(one)) for _ in range(PROBES)]
    await one.close()  # and so all that it gave back has arrived
    second = await attempt(provider, breakers[1], Probes(other))
    await other.close()

    assert [*first, second] == ["well"] * (PROBES + 1)
    assert breakers[0].status() == "closed"
