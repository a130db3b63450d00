"""The gate of model calls, and where its rates are counted: in Redis, in PostgreSQL, or in this process."""

from __future__ import annotations

from cuewire.config import Settings
from cuewire.engine.allowance import Allowance
from cuewire.engine.gate import Gate
from cuewire.limiters.local import LocalLimiter
from cuewire.model.errors import MissingExtra
from cuewire.ports import Clock, Limiter
from cuewire.stores.database import OpenDatabase


def make_gate(settings: Settings, server: OpenDatabase | None, *, clock: Clock) -> Gate:
    """Return the gate of all calls; the caller closes it. Raises ConfigError, MissingExtra.

    `server` is the database if other processes use it too, as they do on PostgreSQL.
    """
    limits = settings.limits
    rated = [*limits.providers.values(), *limits.models.values()]
    has_rates = any(limit.requests_per_minute or limit.tokens_per_minute for limit in rated)
    local = LocalLimiter(clock)
    limiter = (has_rates and _shared(settings, server, clock=clock)) or local
    return Gate(limits, allowance=Allowance(limiter, fallback=local, clock=clock), clock=clock)


def _shared(settings: Settings, server: OpenDatabase | None, *, clock: Clock) -> Limiter | None:
    """Return where several processes count rates together, if they can; what is not used is not imported."""
    if settings.redis_url:
        try:
            from cuewire.limiters.redis import RedisLimiter
        except ModuleNotFoundError as error:
            raise MissingExtra(
                f"redis_url is set, and {error.name} is not installed", hint="install it: pip install 'cuewire[redis]'"
            ) from None
        return RedisLimiter(settings.redis_url, clock=clock)
    if server is None:
        return None
    from cuewire.stores.limits import PostgresLimiter

    return PostgresLimiter(server)
