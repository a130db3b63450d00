"""Circuit breakers as they are seen from outside: how the way to one endpoint stands."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias, get_args

from cuewire.model.errors import InvalidInput
from cuewire.model.values import Value

BreakerStatus: TypeAlias = Literal["closed", "open", "half_open"]
BreakerTurn: TypeAlias = Literal["open", "closed", "reset"]
"""What can be done by hand: stop all calls, let all through, or leave it to how the calls end again."""


class BreakerState(Value, frozen=True):
    """A breaker as it is now. Of the `calls` that ended within the window, so many were faults or slow.

    `tries_again_in_s` is how long no call goes through: 0 unless it is open, None if it was opened by hand. `refused`
    counts the calls that did not go through since the process began.
    """

    model: str
    status: BreakerStatus
    is_forced: bool
    since: datetime
    calls: int
    failures: int
    slow: int
    tries_again_in_s: float | None
    refused: int = 0


def check_turn(turn: object) -> BreakerTurn:
    """Return what is to be done if that can be done by hand, else raise InvalidInput."""
    for known in get_args(BreakerTurn):
        if turn == known:
            found: BreakerTurn = known
            return found
    raise InvalidInput(f"{str(turn)[:40]!r} is no status", field="/status", hint="one of open, closed, reset")
