"""Each place where rates are counted, as several processes see it, on an event loop that stays."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from itertools import count

from cuewire.clock import SystemClock
from cuewire.limiters.local import LocalLimiter
from cuewire.limiters.redis import RedisLimiter
from cuewire.model.limits import Rate
from cuewire.ports import Limiter
from cuewire.stores.limits import PostgresLimiter
from cuewire.stores.postgres import PostgresDatabase
from tests.support import postgres
from tests.support.redis_server import redis_server

LIMITERS = ("local", "redis", "postgres")
SHARED = LIMITERS[1:]
PROCESSES = 3
_numbers = count(1)


@dataclass(frozen=True)
class Limiters:
    """What each process counts with; `runner` has the loop that they belong to. A process that counts alone is one."""

    kind: str
    runner: asyncio.Runner
    each: Sequence[Limiter]


def new_rate(per_minute: float) -> Rate:
    """Return a rate that nobody has used."""
    return Rate(name=f"rate {next(_numbers)}", per_minute=per_minute)


@contextmanager
def opened_limiters(kind: str) -> Iterator[Limiters]:
    """Open the place, and close it."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        try:
            yield Limiters(kind, runner, runner.run(_opened(kind, stack)))
        finally:
            runner.run(stack.aclose())


async def _opened(kind: str, stack: AsyncExitStack) -> Sequence[Limiter]:
    clock = SystemClock()
    if kind == "local":
        return [LocalLimiter(clock)]
    if kind == "redis":
        url = stack.enter_context(redis_server())
        limiters: list[Limiter] = [RedisLimiter(url, clock=clock) for _ in range(PROCESSES)]
    else:
        url = await stack.enter_async_context(postgres.database())
        databases = [await PostgresDatabase.open(url, clock=clock) for _ in range(PROCESSES)]
        for database in databases:
            stack.push_async_callback(database.close)
        limiters = [PostgresLimiter(database) for database in databases]
    for limiter in limiters:
        stack.push_async_callback(limiter.close)
    return limiters
