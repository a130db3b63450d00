"""The blocking form of the record: executions, and what happened to the registry."""

from __future__ import annotations

import builtins
from functools import partial
from typing import TYPE_CHECKING

from cuewire.blocking.live import BlockingSubscription, BlockingSubscriptions
from cuewire.blocking.loop import Loop
from cuewire.model.breakers import BreakerState, BreakerTurn
from cuewire.model.cache import CacheEntry, CacheMatch, CacheStats, Trust
from cuewire.model.events import Event
from cuewire.model.executions import Execution, ExecutionDetail, Status
from cuewire.model.limits import LimitState
from cuewire.model.live import OnChange
from cuewire.model.outcomes import Outcome
from cuewire.model.pages import Page

if TYPE_CHECKING:
    from cuewire.ports import BreakersFace, CacheFace, EventsFace, ExecutionsFace, LimitsFace


class BlockingExecutions:
    """The blocking form of `ExecutionsFace`."""

    def __init__(self, executions: ExecutionsFace, loop: Loop, subscriptions: BlockingSubscriptions) -> None:
        self._executions = executions
        self._loop = loop
        self._subscriptions = subscriptions

    def get(self, execution_id: str) -> ExecutionDetail:
        """Return one execution with all that was stored."""
        return self._loop.run(self._executions.get(execution_id))

    def list(
        self,
        *,
        limit: int = 100,
        after: str | None = None,
        prompt: str | None = None,
        status: Status | None = None,
    ) -> Page[Execution]:
        """Return executions, newest first."""
        return self._loop.run(self._executions.list(limit=limit, after=after, prompt=prompt, status=status))

    def subscribe(
        self,
        *,
        limit: int = 50,
        prompt: str | None = None,
        status: Status | None = None,
        after: str | None = None,
        on_change: OnChange[Execution] | None = None,
    ) -> BlockingSubscription[Execution]:
        """Follow the newest executions; see `ExecutionsFace.subscribe`."""
        subscribe = partial(self._executions.subscribe, limit=limit, prompt=prompt, status=status, after=after)
        return self._subscriptions.follow(subscribe, after=after, on_change=on_change)

    def outcomes(self, execution_id: str) -> builtins.list[Outcome]:
        """Return what was reported of an execution."""
        return [*self._loop.run(self._executions.outcomes(execution_id))]


class BlockingBreakers:
    """The blocking form of `BreakersFace`."""

    def __init__(self, breakers: BreakersFace, loop: Loop) -> None:
        self._breakers = breakers
        self._loop = loop

    def list(self) -> builtins.list[BreakerState]:
        """Return how all of them are, by model."""
        return [*self._loop.run(self._breakers.list())]

    def turn(self, model: str, status: BreakerTurn) -> BreakerState:
        """Open or close one by hand, or leave it to itself again."""
        return self._loop.run(self._breakers.turn(model, status))


class BlockingLimits:
    """The blocking form of `LimitsFace`."""

    def __init__(self, limits: LimitsFace, loop: Loop) -> None:
        self._limits = limits
        self._loop = loop

    def list(self) -> builtins.list[LimitState]:
        """Return how all of them are, by name."""
        return [*self._loop.run(self._limits.list())]


class BlockingCache:
    """The blocking form of `CacheFace`."""

    def __init__(self, cache: CacheFace, loop: Loop) -> None:
        self._cache = cache
        self._loop = loop

    def list(self, *, limit: int = 100, after: str | None = None) -> Page[CacheEntry]:
        """Return entries, the newest first, also those that have expired."""
        return self._loop.run(self._cache.list(limit=limit, after=after))

    def stats(self) -> CacheStats:
        """Return what there is, and what it was good for."""
        return self._loop.run(self._cache.stats())

    def clear(self, prompt: str | None = None, *, number: int | None = None) -> int:
        """Remove the entries of a prompt, or of one of its versions, or all; see `CacheFace.clear`."""
        return self._loop.run(self._cache.clear(prompt, number=number))

    def matches(
        self, prompt: str | None = None, *, undecided: bool = False, limit: int = 100, after: str | None = None
    ) -> Page[CacheMatch]:
        """Return answers to similar questions that were not given but got anew; see `CacheFace.matches`."""
        return self._loop.run(self._cache.matches(prompt, undecided=undecided, limit=limit, after=after))

    def decide(self, execution_id: str, verdict: str) -> CacheMatch:
        """Say whether the earlier answer would have been `right` or `wrong`; see `CacheFace.decide`."""
        return self._loop.run(self._cache.decide(execution_id, verdict))

    def trust(self, prompt: str) -> Trust:
        """Return how often answers to similar questions would have been right; see `CacheFace.trust`."""
        return self._loop.run(self._cache.trust(prompt))


class BlockingEvents:
    """The blocking form of `EventsFace`."""

    def __init__(self, events: EventsFace, loop: Loop) -> None:
        self._events = events
        self._loop = loop

    def list(self, *, limit: int = 100, after: int = 0) -> builtins.list[Event]:
        """Return what happened, oldest first; `after` is the id of the last event seen."""
        return [*self._loop.run(self._events.list(limit=limit, after=after))]
