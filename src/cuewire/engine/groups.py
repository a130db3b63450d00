"""Runs the groups of a plan: one after another, the candidates of a group side by side. Each ends exactly once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeAlias

from cuewire.model.candidates import CandidateEnd, CandidateStatus
from cuewire.model.plans import Candidate, Group, Plan
from cuewire.model.policies import Policy

Score: TypeAlias = Callable[[Sequence[CandidateEnd]], Awaitable[float | None]]
"""Returns the score of the best of the candidates that have ended, None if none has one."""


class Trip(Protocol):
    """What becomes of one candidate."""

    async def run(self, prior: Sequence[CandidateEnd]) -> CandidateStatus:
        """Ask for the answer, knowing how those of earlier groups ended; what fails is told in the status."""
        ...

    def end(self, status: CandidateStatus, *, place: int, reason: str = "") -> CandidateEnd:
        """Return how it ended, also before `run` was called."""
        ...


class Ends:
    """How the candidates of a plan ended, in the order in which they did."""

    def __init__(self, plan: Plan, begin: Callable[[Candidate], Trip]) -> None:
        self._trips = {candidate.index: begin(candidate) for candidate in plan.candidates}
        self._ended: dict[int, CandidateEnd] = {}

    @property
    def all(self) -> tuple[CandidateEnd, ...]:
        """Those that have ended."""
        return tuple(self._ended.values())

    @property
    def winner(self) -> CandidateEnd | None:
        """The first that was valid."""
        return next((end for end in self._ended.values() if end.status == "valid"), None)

    def trip(self, index: int) -> Trip:
        """Return the trip of a candidate."""
        return self._trips[index]

    def add(self, index: int, status: CandidateStatus, *, reason: str = "") -> CandidateEnd:
        """Note how a candidate ended, unless it has."""
        if index not in self._ended:
            self._ended[index] = self._trips[index].end(status, place=len(self._ended), reason=reason)
        return self._ended[index]

    def close(self, status: CandidateStatus, reason: str) -> None:
        """Note the same end for all that have none."""
        for index in self._trips:
            self.add(index, status, reason=reason)


async def run_groups(plan: Plan, policy: Policy, ends: Ends, *, score: Score | None = None) -> None:
    """Run the candidates until enough is known; in `ends` each of them has ended then, whatever this ends with."""
    try:
        for group in plan.groups:
            if enough := await _enough(policy, ends, score):
                ends.close("skipped", enough)
                return
            await _run_group(group, policy, ends)
    finally:
        ends.close("cancelled", "the execution ended before it began")


async def _enough(policy: Policy, ends: Ends, score: Score | None) -> str:
    """Return why no further group has to run, "" if one has to."""
    winner = ends.winner
    match policy.groups.policy:
        case "until_success" | "race" if winner is not None:
            return f"candidate {winner.index} is valid"
        case "until_score" if winner is not None and score is not None:
            best, wanted = await score(ends.all), policy.groups.score
            if best is not None and wanted is not None and best >= wanted:
                return f"a candidate scored {best:g}"
    return ""


async def _run_group(group: Group, policy: Policy, ends: Ends) -> None:
    gate = asyncio.Semaphore(policy.at_once)
    prior = ends.all
    tasks: dict[int, asyncio.Task[None]] = {}

    async def one(index: int) -> None:
        async with gate:
            end = await _run_one(index, prior, ends)
        if end.status == "valid" and policy.groups.policy == "race":
            for other, task in tasks.items():
                if other != index:
                    task.cancel()

    try:
        async with asyncio.TaskGroup() as running:
            for candidate in group.candidates:
                tasks[candidate.index] = running.create_task(one(candidate.index))
    except BaseExceptionGroup as faults:  # a fault of ours: whoever waits gets it as it was raised
        raise faults.exceptions[0] from None
    if policy.groups.policy == "race" and (winner := ends.winner) is not None:
        for candidate in group.candidates:
            ends.add(candidate.index, "skipped", reason=f"candidate {winner.index} was faster")


async def _run_one(index: int, prior: Sequence[CandidateEnd], ends: Ends) -> CandidateEnd:
    try:
        return ends.add(index, await ends.trip(index).run(prior))
    except asyncio.CancelledError:
        ends.add(index, "cancelled")
        raise
    except BaseException:
        ends.add(index, "cancelled", reason="a fault inside Cuewire ended it")
        raise
