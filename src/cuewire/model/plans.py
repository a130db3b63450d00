"""The plan of an execution: which calls may be made, in which order, and why. Made before the first call."""

from __future__ import annotations

from typing import Any

from cuewire.model.requests import ModelRef
from cuewire.model.values import Value


class Candidate(Value, frozen=True):
    """One answer that will be asked for."""

    index: int
    model: ModelRef
    parameters: dict[str, Any]
    reason: str


class Group(Value, frozen=True):
    """Candidates that run side by side."""

    candidates: tuple[Candidate, ...]


class Plan(Value, frozen=True):
    """Groups run one after another; `max_calls` bounds the calls that the plan can lead to."""

    groups: tuple[Group, ...]
    max_calls: int
