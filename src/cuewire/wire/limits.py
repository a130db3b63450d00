"""Limits of model calls as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from cuewire.model.limits import Counted, Hold, LimitState
from cuewire.wire.shapes import Shape, read, shown


class LimitShape(Shape, frozen=True):
    """What holds calls up in the process that replies: those to a provider, a model, or `all`.

    `hold` is `paused` while the provider asked to wait, `slowed` while it gets fewer calls at a time because it
    complained, `key_refused` while it does not accept the key; `held_for_s` says how long that lasts, or until a key is
    tried again. Rates are `counted` in this process (`here`), with all others (`shared`), or, while the common place is
    away, as this process's `share`. `refused` calls were not made since the process began.
    """

    name: str
    hold: Hold
    running: int
    waiting: int
    refused: int
    at_once: int | None
    max_concurrency: int | None
    requests_per_minute: int | None
    tokens_per_minute: int | None
    counted: Counted
    held_for_s: float
    reason: str

    @classmethod
    def of(cls, state: LimitState) -> LimitShape:
        """Return the state as JSON."""
        return shown(state, cls)

    def state(self) -> LimitState:
        """Return the state that the JSON says."""
        return read(self, LimitState)


class LimitList(Shape, frozen=True):
    """The limits of all providers that the process has called, or that have some, by name."""

    items: tuple[LimitShape, ...]

    @classmethod
    def of(cls, states: Sequence[LimitState]) -> LimitList:
        """Return the states as JSON."""
        return cls(items=tuple(map(LimitShape.of, states)))
