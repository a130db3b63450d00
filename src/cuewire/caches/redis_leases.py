"""Which of all processes that use one database asks for an answer, as they agree in Redis.

A lease ends by itself when its holder has died. If Redis is away, each process asks for itself.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from cuewire.model.errors import ConfigError
from cuewire.ports import Clock

logger = logging.getLogger("cuewire.cache")

LEASE_S = 5.0
"""How long others wait for a holder that has died."""
_RENEW_S = LEASE_S / 3
_ANSWER_S = 0.5
_FIRST_LOOK_S, _MOST_S = 0.005, 0.1
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
_RENEW = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0"


class RedisLeases:
    """Implements `Leases` over a Redis server."""

    def __init__(self, url: str, *, database: str, clock: Clock) -> None:
        """Take the address of the server, and the name of the database whose answers are asked for. Opens nothing.

        Raises ConfigError.
        """
        try:
            self._redis: Any = Redis.from_url(
                url, socket_timeout=_ANSWER_S, socket_connect_timeout=_ANSWER_S, retry=Retry(NoBackoff(), 0)
            )
        except ValueError:
            raise ConfigError("redis_url is not the address of a Redis server", field="redis_url") from None
        self._release = self._redis.register_script(_RELEASE)
        self._renew = self._redis.register_script(_RENEW)
        self._prefix = f"cuewire:lease:{database}:"
        self._me = f"{clock.random_bits():020x}"
        self._held: dict[str, asyncio.Task[None]] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    async def take(self, key: str) -> bool:
        """Take the lease of a key; false if another process has it."""
        try:
            is_ours = await self._redis.set(self._prefix + key, self._me, nx=True, px=int(LEASE_S * 1_000))
        except (RedisError, OSError, TimeoutError) as error:
            logger.warning("lease.unavailable reason=%s", type(error).__name__)
            return True
        if is_ours:
            self._held[key] = asyncio.get_running_loop().create_task(self._keep(key))
        return bool(is_ours)

    async def wait(self, key: str) -> None:
        """Return when nobody has the lease of a key."""
        pause_s = _FIRST_LOOK_S
        with suppress(RedisError, OSError, TimeoutError):
            while await self._redis.exists(self._prefix + key):
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _MOST_S)

    def give_back(self, key: str) -> None:
        """Give back the lease of a key."""
        keeping = self._held.pop(key, None)
        if keeping is not None:
            keeping.cancel()
            task = asyncio.get_running_loop().create_task(self._let_go(key))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    async def close(self) -> None:
        """Give back all leases."""
        for key in [*self._held]:
            self.give_back(key)
        while self._leaving:
            await asyncio.wait(self._leaving)
        await self._redis.aclose()

    async def _let_go(self, key: str) -> None:
        with suppress(RedisError, OSError, TimeoutError):
            await self._release(keys=[self._prefix + key], args=[self._me])

    async def _keep(self, key: str) -> None:
        while True:
            await asyncio.sleep(_RENEW_S)
            with suppress(RedisError, OSError, TimeoutError):
                await self._renew(keys=[self._prefix + key], args=[self._me, int(LEASE_S * 1_000)])
