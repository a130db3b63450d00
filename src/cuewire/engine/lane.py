"""The way to one provider or one model: how many calls are on it, and what holds further ones up.

Counted in this process alone. Calls that wait do so in the order in which they came.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from math import ceil, inf
from typing import Any

from cuewire.engine.allowance import Charge, Stock
from cuewire.engine.sizes import Said, tokens_of
from cuewire.engine.telling import tell
from cuewire.model.errors import AuthenticationFailed, LimitReached, RateLimited
from cuewire.model.limits import Counted, Hold, Limit, LimitState, Rate
from cuewire.ports import Clock

MAX_PAUSE_S = 120.0
"""The longest wait that a provider can ask for."""
PROBE_S = 30.0
"""How often a key that was not accepted is tried again."""
CLEAN_S = 60.0
"""After so long without a complaint the ceiling rises with each success as if it were a round of them."""
NO_LIMIT = Limit()


class Ceiling:
    """How many calls at a time a provider gets that has complained of too many; None is as many as there come.

    Each complaint halves it, but that of a call which left before the last one did, for that says nothing new. A round
    of successes raises it by one. When it is above what was too many it is gone.
    """

    __slots__ = ("_complained_at", "_peak", "_successes", "most", "period")

    def __init__(self) -> None:
        self.most: int | None = None
        self.period = 0
        self._peak = self._successes = 0
        self._complained_at = -inf

    def complained(self, running: int, *, period: int, now: float) -> None:
        """Take a complaint about a call that left in that period, while so many were running."""
        self._complained_at = now
        if period == self.period:
            self.period += 1
            self._successes = 0
            self._peak = max(self._peak, running)
            self.most = max(1, (running if self.most is None else min(running, self.most)) // 2)

    def succeeded(self, now: float) -> None:
        """Take a success."""
        if self.most is None:
            return
        self._successes += 1
        if self._successes >= self.most or now - self._complained_at >= CLEAN_S:
            self.most, self._successes = self.most + 1, 0
        if self.most > self._peak:
            self.most, self._peak = None, 0


class Lane:
    """The way to a provider, as `openai`, or a model, as `openai/gpt-4o`; `is_clear` if nothing holds calls up."""

    __slots__ = (
        *("name", "limit", "requests", "tokens", "ceiling", "running", "waiting", "refused", "turn", "is_clear"),
        *("_clock", "_changed", "_paused_until", "_rejection", "_tries_at"),
    )

    def __init__(self, name: str, limit: Limit = NO_LIMIT, *, clock: Clock) -> None:
        self.name = name
        self.limit = limit
        self._clock = clock
        self.requests = _stock(name, "requests", limit.requests_per_minute)
        self.tokens = _stock(name, "tokens", limit.tokens_per_minute)
        self.ceiling = Ceiling()
        self.running = self.waiting = self.refused = 0
        self.turn = asyncio.Lock()
        self.is_clear = limit == NO_LIMIT
        self._changed = asyncio.Event()
        self._paused_until = 0.0
        self._rejection: AuthenticationFailed | None = None
        self._tries_at = 0.0

    @property
    def is_idle(self) -> bool:
        """Tell whether a new one would do as well."""
        return self.is_clear and not self.running and not self.refused

    def charges(self, said: Said, parameters: Mapping[str, Any]) -> list[Charge]:
        """Return what a call takes of the rates, for all that is known; never more than may be used at once."""
        found = [] if self.requests is None else [Charge(self.requests, 1.0)]
        if (stock := self.tokens) is not None:
            tokens = tokens_of(said, parameters, typical=stock.typical)
            found.append(Charge(stock, min(float(tokens), stock.rate.room)))
        return found

    def check_key(self) -> None:
        """Let one call through now and then if the key was not accepted. Raises AuthenticationFailed for all others."""
        if (rejection := self._rejection) is None:
            return
        now = self._clock.monotonic()
        if now >= self._tries_at:
            self._tries_at = now + PROBE_S
            return
        self.refused += 1
        what = f"model {self.name!r} is not asked" if "/" in self.name else f"provider {self.name!r} is not asked"
        raise AuthenticationFailed(
            f"{what}, as it does not accept the key ({rejection.status})",
            hint=f"{rejection.hint}; it is tried again in {ceil(self._tries_at - now)} s",
            status=rejection.status,
            provider_code=rejection.provider_code,
        )

    def check_queue(self, charges: Sequence[Charge], *, until: float) -> None:
        """Raise LimitReached if a call that came now would have to wait beyond that time, for all that is known."""
        now = self._clock.monotonic()
        if self._paused_until > max(now, until):
            raise self._paused(self._paused_until - now)
        if not self.waiting:
            return
        for stock, amount in charges:
            each_s = (stock.typical or amount) * stock.rate.interval_s
            if (wait_s := stock.wait_s(now) + self.waiting * each_s) > until - now:
                self.refused += 1
                rate = f"{stock.rate.per_minute:g} {stock.unit} a minute"
                raise LimitReached(
                    f"{self.waiting} calls wait for {self.name!r}, which is held to {rate}",
                    hint="allow the run more time, make fewer calls at once, or raise the limit",
                    retry_after_s=wait_s,
                )

    @property
    def has_room(self) -> bool:
        """Whether a call may leave now, as far as rates do not count."""
        return not self._held_s()

    async def until_room(self) -> None:
        """Return when a call may leave. Whoever asks has the turn."""
        while held_s := self._held_s():
            self._changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(None if held_s == inf else held_s):
                    await self._changed.wait()

    @asynccontextmanager
    async def in_turn(self) -> AsyncIterator[None]:
        """Wait for the turn, and have it."""
        self.waiting += 1
        self.is_clear = False
        try:
            async with self.turn:
                yield
        finally:
            self.waiting -= 1
            self.look()

    def ended(self) -> None:
        """Count a call that was running and has ended."""
        self.running -= 1
        if self.waiting:
            self._changed.set()

    def succeeded(self) -> None:
        """Take the success of a call: the key is accepted, and there may be more calls at a time."""
        self._rejection = None
        self.ceiling.succeeded(self._clock.monotonic())
        self.look()

    def complained(self, error: RateLimited, *, period: int) -> None:
        """Take a complaint of too many calls: fewer at a time, and none at all for as long as the provider asks."""
        now = self._clock.monotonic()
        self.ceiling.complained(self.running, period=period, now=now)
        if error.retry_after_s:
            self._paused_until = max(self._paused_until, now + min(error.retry_after_s, MAX_PAUSE_S))
        tell(logging.INFO, "limit.slowed", of=self.name, at_once=self._at_once, paused_s=error.retry_after_s)
        self.look()

    def rejected(self, error: AuthenticationFailed) -> None:
        """Take word that the key is not accepted."""
        self._rejection = error
        self._tries_at = self._clock.monotonic() + PROBE_S
        tell(logging.INFO, "limit.key_refused", of=self.name, http_status=error.status)
        self.look()

    def look(self) -> None:
        """See whether anything holds calls up still, and let the first one that waits see too."""
        is_held = self._rejection or self.ceiling.most is not None or self._clock.monotonic() < self._paused_until
        self.is_clear = not is_held and not self.waiting and self.limit == NO_LIMIT
        self._changed.set()

    def late(self, within_s: float) -> LimitReached:
        """Return what a call ends with that has waited for as long as it could, and count it."""
        if (pause_s := self._paused_until - self._clock.monotonic()) > 0:
            return self._paused(pause_s)
        self.refused += 1
        most = self._at_once
        why = f"{most} at a time" if most is not None and self.running >= most else "its limits"
        return LimitReached(
            f"calls to {self.name!r} are held to {why}, and this one waited {within_s:.1f} s",
            hint="allow the run more time, make fewer calls at once, or raise the limit",
        )

    def state(self, counted: Counted) -> LimitState:
        """Return what there is to know of it."""
        now = self._clock.monotonic()
        rejection, pause_s = self._rejection, self._paused_until - now
        hold: Hold = "none"
        if rejection:
            hold, pause_s = "key_refused", self._tries_at - now
        elif pause_s > 0:
            hold = "paused"
        elif self.ceiling.most is not None:
            hold = "slowed"
        return LimitState(
            name=self.name,
            hold=hold,
            running=self.running,
            waiting=self.waiting,
            refused=self.refused,
            at_once=self._at_once,
            max_concurrency=self.limit.max_concurrency,
            requests_per_minute=self.limit.requests_per_minute,
            tokens_per_minute=self.limit.tokens_per_minute,
            counted=counted,
            held_for_s=max(0.0, pause_s),
            reason=rejection.message if rejection else "",
        )

    @property
    def _at_once(self) -> int | None:
        most, ceiling = self.limit.max_concurrency, self.ceiling.most
        if ceiling is None:
            return most
        return ceiling if most is None else min(most, ceiling)

    def _held_s(self) -> float:
        """Return for how long no call may leave, as far as is known: infinitely if that depends on those that run."""
        now = self._clock.monotonic()
        if now < self._paused_until:
            return self._paused_until - now
        most = self._at_once
        return inf if most is not None and self.running >= most else 0.0

    def _paused(self, pause_s: float) -> LimitReached:
        self.refused += 1
        return LimitReached(
            f"provider {self.name!r} asked to wait, for {pause_s:.1f} s more",
            hint="allow the run more time, or let it fail over to another provider",
            retry_after_s=pause_s,
        )


def _stock(name: str, unit: str, per_minute: int | None) -> Stock | None:
    return None if per_minute is None else Stock(Rate(name=f"{name} {unit}", per_minute=per_minute), unit=unit)
