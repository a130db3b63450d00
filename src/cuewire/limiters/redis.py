"""Rates counted in Redis, for all processes that use the same: one script, on the clock of the server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from cuewire.model.errors import ConfigError, StoreUnavailable
from cuewire.model.limits import Booked, Booking
from cuewire.ports import Clock

BLOCK_S = 0.25
ANSWER_S = 0.5
"""How long anyone waits for Redis before each process keeps to its share."""
ALIVE_S = 60
"""A process that has booked nothing for so long does not count."""
_PREFIX = "cuewire:limit:"
_PROCESSES = "cuewire:limits:processes"

# As `book` in model/limits.py. KEYS: who is alive, then one of each rate. ARGV: who asks, for how long they count, how
# long they wait, then of each rate interval, room, amount, what is owed, what is given back, and since when. Times are
# in seconds.
_SCRIPT = """
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[2])
local start, last, rates = now, 0, {}
for at = 2, #KEYS do
  local place = 6 * at - 8
  local rate = {interval = tonumber(ARGV[place]), amount = tonumber(ARGV[place + 2])}
  local used = tonumber(redis.call('GET', KEYS[at]) or 0)
  if used == tonumber(ARGV[place + 5]) then used = used - ARGV[place + 4] * rate.interval end
  rate.used = math.max(used, now) + ARGV[place + 3] * rate.interval
  local from = rate.used + (rate.amount - ARGV[place + 1]) * rate.interval
  if rate.amount > 0 and from > start then start, last = from, at - 2 end
  rates[at] = rate
end
local reply = {string.format('%.9f', start - now), last, redis.call('ZCARD', KEYS[1])}
local is_booked = start - now <= tonumber(ARGV[3])
for at = 2, #KEYS do
  local rate = rates[at]
  local used = rate.used
  if is_booked and rate.amount > 0 then used = math.max(used, start) + rate.amount * rate.interval end
  reply[at + 2] = string.format('%.17g', used)
  redis.call('SET', KEYS[at], reply[at + 2], 'PX', math.ceil(math.max(used - now, 0) * 1000) + 1000)
end
return reply
"""


class RedisLimiter:
    """Implements `Limiter`. Rates are shared by all who use the same database of Redis and the same names."""

    block_s = BLOCK_S

    def __init__(self, url: str, *, clock: Clock) -> None:
        """Take the address, as in redis://host/0; nothing is opened yet. Raises ConfigError."""
        try:
            self._redis: Any = Redis.from_url(
                url, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S, retry=Retry(NoBackoff(), 0)
            )
        except ValueError:
            raise ConfigError(
                "redis_url is not the address of a Redis server",
                hint="write it as redis://host:6379/0, rediss:// for TLS, or unix:///path/to/socket",
                field="redis_url",
            ) from None
        self._script = self._redis.register_script(_SCRIPT)
        self._me = f"{clock.random_bits():020x}"

    async def book(self, bookings: Sequence[Booking], *, within_s: float) -> Booked:
        """Book amounts of several rates; see `Limiter.book`."""
        arguments: list[str | float] = [self._me, ALIVE_S, within_s]
        for rate, *said in bookings:
            arguments += [repr(float(number)) for number in (rate.interval_s, rate.room, *said)]
        keys = [_PROCESSES, *(_PREFIX + booking.rate.name for booking in bookings)]
        try:
            wait, last, processes, *marks = await self._script(keys=keys, args=arguments)
        except (RedisError, OSError, TimeoutError) as error:
            raise StoreUnavailable(
                f"Redis, where limits are counted, does not answer ({type(error).__name__})",
                hint="each process keeps to its share until it does; see redis_url",
            ) from error
        return Booked(float(wait), int(last), int(processes), [float(mark) for mark in marks])

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()
