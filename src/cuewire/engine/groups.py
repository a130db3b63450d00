"""Runs the groups of a plan: one after another, the candidates of a group side by side.

Plans hold one candidate for now, which needs no task of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from cuewire.model.plans import Candidate, Plan

T = TypeVar("T")


async def run_groups(plan: Plan, call: Callable[[Candidate], Awaitable[T]]) -> T:
    """Return the answer that counts. Raises what the call raises."""
    (group,) = plan.groups
    (candidate,) = group.candidates
    return await call(candidate)
