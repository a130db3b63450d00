"""The gate that each model call goes through: it leaves when no limit holds it up, or ends without having been made.

What providers complain of is learned here: a wait that they ask for, too many calls, a key that they do not accept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, TypeAlias, TypeVar

from cuewire.engine.allowance import Allowance, Charge
from cuewire.engine.lane import NO_LIMIT, Lane
from cuewire.engine.sizes import Said
from cuewire.model.embeddings import Embeddings
from cuewire.model.errors import AuthenticationFailed, CuewireError, LimitReached, ProviderError, RateLimited
from cuewire.model.limits import KEPT_S, Limits, LimitState
from cuewire.model.requests import ModelRef
from cuewire.model.results import Answer
from cuewire.ports import Clock

A = TypeVar("A", Answer, Embeddings)
Patience: TypeAlias = Callable[[], float | None]
"""Returns how many seconds a call may wait; None is as long as any."""
MAX_LANES = 1_000
"""Providers, and models, that are watched at most."""


class Gate:
    """The gate of all calls of this process."""

    def __init__(self, limits: Limits, *, allowance: Allowance, clock: Clock) -> None:
        self.clock = clock
        self.allowance = allowance
        self.max_wait_s = limits.max_wait_s
        most = limits.max_calls_at_once
        self.places = None if most is None else asyncio.Semaphore(most)
        self._most = most
        self._waiting = 0
        self._providers = {name: Lane(name, limit, clock=clock) for name, limit in limits.providers.items()}
        self._models = {name: Lane(name, limit, clock=clock) for name, limit in limits.models.items()}

    def passage(self, model: ModelRef, said: Said, parameters: Mapping[str, Any], *, patience: Patience) -> Passage:
        """Return the context to make one call in.

        Entering waits until no limit holds the call up. Raises LimitReached if that takes longer than the call may
        wait, at once where that can be known; AuthenticationFailed while the provider does not accept the key.
        """
        lane = self._providers.get(model.provider)
        if lane is None:
            lane = self._watched(self._providers, model.provider)
        own = self._models.get(str(model)) if self._models else None
        return Passage(self, (lane,) if own is None else (own, lane), (model, said, parameters, patience))

    def states(self) -> tuple[LimitState, ...]:
        """Return how all limits are, by name."""
        counted = self.allowance.counted
        lanes = sorted([*self._providers.values(), *self._models.values()], key=lambda lane: lane.name)
        states = [lane.state(counted) for lane in lanes]
        if self.places is not None:
            states.insert(0, self._of_all(states))
        return tuple(states)

    async def list(self) -> Sequence[LimitState]:
        """Return how all of them are; see `LimitsFace.list`."""
        return self.states()

    async def close(self) -> None:
        """Let go of the limiter."""
        await self.allowance.close()

    @property
    def is_full(self) -> bool:
        """Whether there is no place among all calls."""
        return self.places is not None and self.places.locked()

    async def place(self) -> asyncio.Semaphore | None:
        """Wait for a place among all calls; return what it must be given back to, if there is a limit to them."""
        if (places := self.places) is not None:
            self._waiting += 1
            try:
                await places.acquire()
            finally:
                self._waiting -= 1
        return places

    def lane_of(self, model: ModelRef) -> Lane:
        """Return the lane of a model alone."""
        return self._models.get(str(model)) or self._watched(self._models, str(model))

    def _watched(self, lanes: dict[str, Lane], name: str) -> Lane:
        """Return a new lane.

        If there are too many, those are forgotten of which there is nothing to know, else all that have no limits.
        """
        if len(lanes) >= MAX_LANES:
            kept = {each: lane for each, lane in lanes.items() if not lane.is_idle}
            if len(kept) >= MAX_LANES:
                kept = {each: lane for each, lane in kept.items() if lane.limit != NO_LIMIT}
            lanes.clear()
            lanes.update(kept)
        lane = lanes[name] = Lane(name, clock=self.clock)
        return lane

    def _of_all(self, states: Sequence[LimitState]) -> LimitState:
        of_providers = [state for state in states if "/" not in state.name]
        return LimitState(
            name="all",
            hold="none",
            running=sum(state.running for state in of_providers),
            waiting=self._waiting,
            refused=sum(state.refused for state in states),
            at_once=self._most,
            max_concurrency=self._most,
            requests_per_minute=None,
            tokens_per_minute=None,
            counted="here",
        )


class Passage:
    """The context of one call. `lanes` are those of its model, if that is watched, and its provider."""

    __slots__ = ("_asked", "_charges", "_gate", "_has_left", "_lanes", "_period", "_place", "_tokens", "_waited_s")

    def __init__(
        self, gate: Gate, lanes: tuple[Lane, ...], asked: tuple[ModelRef, Said, Mapping[str, Any], Patience]
    ) -> None:
        self._gate = gate
        self._lanes = lanes
        self._asked = asked
        self._charges: list[Charge] | None = None
        self._tokens: int | None = None
        self._place: asyncio.Semaphore | None = None
        self._has_left = False
        self._period = 0
        self._waited_s = 0.0

    async def __aenter__(self) -> Passage:
        lanes = self._lanes
        lane = lanes[-1]
        if len(lanes) > 1 or not lane.is_clear or self._gate.places is not None:
            await self._wait()
        else:
            lane.running += 1
        self._period = lane.ceiling.period
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            for lane in self._lanes:
                if not lane.is_clear:
                    lane.succeeded()
        elif self._has_left:
            self._failed(error)
        for lane in self._lanes:
            lane.ended()
        if self._place is not None:
            self._place.release()
        if self._charges:
            await self._settle(self._charges, error)

    def leave(self) -> float:
        """Note that the call is made now, and return for how many milliseconds it was held up."""
        self._has_left = True
        return self._waited_s * 1_000

    def answered(self, answer: A) -> A:
        """Note what the call used, and return its answer."""
        self._tokens = answer.usage.total_tokens
        return answer

    async def _wait(self) -> None:
        """Wait for whatever holds the call up, no longer than it may."""
        gate, lanes, (_, said, parameters, patience) = self._gate, self._lanes, self._asked
        began = gate.clock.monotonic()
        patience_s = patience()
        within_s = gate.max_wait_s if patience_s is None else min(patience_s, gate.max_wait_s)
        until = began + within_s
        for lane in lanes:
            lane.check_key()
        charges = [lane.charges(said, parameters) for lane in lanes]
        for lane, its in zip(lanes, charges, strict=True):
            lane.check_queue(its, until=until)
        together = [charge for its in charges for charge in its]
        if await self._is_let_through(together):
            return
        try:
            async with asyncio.timeout(within_s):
                await self._in_turn(charges, together, until=until)
        except TimeoutError:
            raise lanes[-1].late(within_s) from None
        self._waited_s = gate.clock.monotonic() - began

    async def _is_let_through(self, charges: list[Charge]) -> bool:
        """Leave at once if nobody waits and there is room everywhere; nothing else runs while this looks."""
        gate = self._gate
        for lane in self._lanes:
            if lane.waiting or not lane.has_room:
                return False
        if gate.is_full or not await gate.allowance.has_at_once(charges):
            return False
        self._place = await gate.place()
        self._go(charges)
        return True

    async def _in_turn(self, charges: Sequence[Sequence[Charge]], together: list[Charge], *, until: float) -> None:
        """Take the turn of each lane once it has room, so that the calls of one model do not keep others waiting."""
        async with AsyncExitStack() as turns:
            for lane, its in zip(self._lanes, charges, strict=True):
                await turns.enter_async_context(lane.in_turn())
                await lane.until_room()
                await self._gathered(lane, its, until=until)
            while not await self._placed(together, until=until):
                for lane in self._lanes:
                    await lane.until_room()
                await self._gathered(self._lanes[-1], together, until=until)
            self._go(together)

    def _go(self, charges: list[Charge]) -> None:
        self._gate.allowance.take(charges)
        self._charges = charges
        for lane in self._lanes:
            lane.running += 1

    async def _placed(self, charges: Sequence[Charge], *, until: float) -> bool:
        """Take a place among all calls, and tell whether there is still room everywhere else by then."""
        gate = self._gate
        place, is_placed = await gate.place(), False
        try:
            await gate.allowance.gather(charges, until=min(until, gate.clock.monotonic() + KEPT_S))
            is_placed = all(lane.has_room for lane in self._lanes)
        except LimitReached:
            return False
        finally:
            if is_placed:
                self._place = place
            elif place is not None:
                place.release()
        return is_placed

    async def _gathered(self, lane: Lane, charges: Sequence[Charge], *, until: float) -> None:
        try:
            await self._gate.allowance.gather(charges, until=until)
        except LimitReached:
            lane.refused += 1
            raise

    def _failed(self, error: BaseException) -> None:
        """Learn from the end of a call that was made."""
        lane = self._lanes[-1]
        if isinstance(error, RateLimited):
            lane.complained(error, period=self._period)
        elif isinstance(error, AuthenticationFailed):
            (self._gate.lane_of(self._asked[0]) if error.status == 403 else lane).rejected(error)

    async def _settle(self, charges: Sequence[Charge], error: BaseException | None) -> None:
        """Give back what was not used, and take what was used beyond what was charged."""
        was_made = self._has_left and (error is None or _may_have_been_sent(error))
        is_refused = isinstance(error, ProviderError) and 400 <= error.status < 500
        for stock, charged in charges:
            used = charged if was_made else 0.0
            if was_made and stock.unit == "tokens":
                used = 0.0 if is_refused else charged if self._tokens is None else float(self._tokens)
            stock.used(used, booked=charged)
        await self._gate.allowance.settle([stock for stock, _ in charges])


def _may_have_been_sent(error: BaseException) -> bool:
    """Tell whether the provider may have heard of the call; a fault of the settings comes before it does."""
    return error.was_sent if isinstance(error, ProviderError) else not isinstance(error, CuewireError)
