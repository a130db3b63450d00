"""The plan of an execution: which candidates it asks for, in which groups, and why. Made before the first call."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec

from cuewire.model.requests import ModelRef
from cuewire.model.values import Value


class Candidate(Value, frozen=True):
    """One answer that will be asked for. `fallbacks` are the endpoints to go to when its own has failed, in order."""

    index: int
    model: ModelRef
    parameters: dict[str, Any]
    reason: str
    group: int = 0
    priority: int = 0
    fallbacks: tuple[ModelRef, ...] = ()


class Group(Value, frozen=True):
    """Candidates that run side by side, in the order in which they begin."""

    candidates: tuple[Candidate, ...]


class Plan(Value, frozen=True):
    """Groups run one after another. `max_calls` bounds the calls that the groups can lead to, judges included.

    `notes` say what of the policy does not count here, and why. `max_usd` is the most that it can cost, None where that
    is not known.
    """

    groups: tuple[Group, ...]
    max_calls: int
    notes: tuple[str, ...] = ()
    max_usd: float | None = None

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """All candidates, in order."""
        return tuple(candidate for group in self.groups for candidate in group.candidates)

    @property
    def only(self) -> Candidate | None:
        """The one candidate, None if there are several."""
        if len(self.groups) == 1 and len(self.groups[0].candidates) == 1:
            return self.groups[0].candidates[0]
        return None

    @property
    def hash(self) -> str:
        """What tells this plan from all others: which calls it can lead to, not what is said of them."""
        return sha256(msgspec.json.encode((self.groups, self.max_calls), order="deterministic")).hexdigest()
