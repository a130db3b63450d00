"""Circuit breakers, as those who may see and turn them do."""

from __future__ import annotations

from collections.abc import Sequence

from cuewire.engine.breaker import Breakers
from cuewire.model.actors import Actor
from cuewire.model.breakers import BreakerState, BreakerTurn, check_turn
from cuewire.model.requests import parse_model
from cuewire.registry.access import authorize
from cuewire.registry.history import History


class WatchedBreakers:
    """Implements `BreakersFace` over the breakers of this process, for an actor."""

    def __init__(self, breakers: Breakers, *, history: History, actor: Actor) -> None:
        self._breakers = breakers
        self._history = history
        self._actor = actor

    def by(self, actor: Actor) -> WatchedBreakers:
        """Return the breakers as another actor may use them."""
        return WatchedBreakers(self._breakers, history=self._history.by(actor), actor=actor)

    async def list(self) -> Sequence[BreakerState]:
        """Return how all of them are, by model."""
        authorize(self._actor, "metrics:read")
        return self._breakers.states()

    async def turn(self, model: str, status: BreakerTurn) -> BreakerState:
        """Open or close one by hand, or leave it to itself again: first in the history, then in fact."""
        authorize(self._actor, "scopes:write")
        wanted, breaker = check_turn(status), parse_model(model)
        await self._history.tell("breaker.turned", {"model": str(breaker), "to": wanted})
        return self._breakers.turn(breaker, wanted)
