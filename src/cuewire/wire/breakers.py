"""Circuit breakers as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from cuewire.model.breakers import BreakerState, BreakerStatus, BreakerTurn
from cuewire.wire.shapes import Instant, Request, Shape, read, shown


class BreakerShape(Shape, frozen=True):
    """The breaker of one model, in the process that replies; open, no call goes through.

    Of the `calls` that ended within its window, so many were `failures` or `slow`; `refused` did not go through since
    the process began. `tries_again_in_s` is null if it was opened by hand.
    """

    model: str
    status: BreakerStatus
    is_forced: bool
    since: Instant
    calls: int
    failures: int
    slow: int
    tries_again_in_s: float | None
    refused: int

    @classmethod
    def of(cls, state: BreakerState) -> BreakerShape:
        """Return the state as JSON."""
        return shown(state, cls)

    def state(self) -> BreakerState:
        """Return the state that the JSON says."""
        return read(self, BreakerState)


class BreakerList(Shape, frozen=True):
    """The breakers of all models that the process has called, by model."""

    items: tuple[BreakerShape, ...]

    @classmethod
    def of(cls, states: Sequence[BreakerState]) -> BreakerList:
        """Return the states as JSON."""
        return cls(items=tuple(map(BreakerShape.of, states)))


class BreakerRequest(Request, frozen=True):
    """Stop all calls to a model (`open`), let all through (`closed`), or leave it to how they end again (`reset`)."""

    model: str
    status: BreakerTurn
