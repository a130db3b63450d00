"""The record of executions, as an actor may see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeVar, get_args

from msgspec.structs import replace

from cuewire.engine.live import MAX_WINDOW, LiveExecutions
from cuewire.model.actors import LOCAL, Actor
from cuewire.model.errors import InvalidInput
from cuewire.model.executions import Execution, ExecutionDetail, Status
from cuewire.model.ids import check_execution_id, no_execution
from cuewire.model.live import OnChange
from cuewire.model.outcomes import Outcome, OutcomeValue, check_outcomes
from cuewire.model.pages import Page, check_limit
from cuewire.model.references import check_name
from cuewire.ports import ExecutionStore, OutcomeStore
from cuewire.registry.access import authorize, may
from cuewire.registry.subscriptions import Reader, Subscription, subscription

Seen = TypeVar("Seen", bound=Execution)


class Executions:
    """Implements `ExecutionsFace` over the stores, for an actor: what is not for them is not there."""

    def __init__(
        self, executions: ExecutionStore, outcomes: OutcomeStore, *, live: LiveExecutions, actor: Actor = LOCAL
    ) -> None:
        self._executions = executions
        self._outcomes = outcomes
        self._live = live
        self._actor = actor

    def by(self, actor: Actor) -> Executions:
        """Return the record as the actor may see it."""
        return Executions(self._executions, self._outcomes, live=self._live, actor=actor)

    async def get(self, execution_id: str) -> ExecutionDetail:
        """Return one execution with all that was stored, and may be seen."""
        authorize(self._actor, "executions:read")
        return self._shown(await self._mine(execution_id))

    async def with_outcomes(self, execution_id: str) -> tuple[ExecutionDetail, Sequence[Outcome]]:
        """Return the same, and what was reported of it."""
        found = await self.get(execution_id)
        return found, await self._outcomes.list(found.id)

    async def answered(self, execution_id: str) -> ExecutionDetail:
        """Return one execution for who takes up its stream: no more than its answer is for them."""
        authorize(self._actor, "executions:body")
        return await self._mine(execution_id)

    async def status(self, execution_id: str) -> Status:
        """Return how it stands with an execution: as much of the record as who runs prompts is told."""
        authorize(self._actor, "run")
        return (await self._mine(execution_id)).status

    async def check_seen(self, execution_id: str) -> None:
        """Raise ExecutionNotFound for one of a prompt that is not for the actor; looks only if some are not."""
        if self._actor.prompts is not None:
            await self._mine(execution_id)

    async def list(
        self,
        *,
        limit: int = 100,
        after: str | None = None,
        prompt: str | None = None,
        status: Status | None = None,
    ) -> Page[Execution]:
        """Return executions, newest first."""
        authorize(self._actor, "executions:read")
        _check_wanted(prompt, status)
        return await self._listed(limit=limit, after=after, prompt=prompt, status=status)

    def subscribe(
        self,
        *,
        limit: int = 50,
        prompt: str | None = None,
        status: Status | None = None,
        after: str | None = None,
        on_change: OnChange[Execution] | None = None,
    ) -> Subscription[Execution]:
        """Follow the newest executions; see `ExecutionsFace.subscribe`."""
        reader = self.follow(limit=limit, prompt=prompt, status=status, after=after)
        return subscription(reader, after=after, on_change=on_change)

    def follow(
        self, *, limit: int = 50, prompt: str | None = None, status: Status | None = None, after: str | None = None
    ) -> Reader[Execution]:
        """Return what reads the same changes, for who has many to tell."""
        authorize(self._actor, "executions:read")
        _check_wanted(prompt, status)
        check_limit(limit, most=MAX_WINDOW)

        async def look() -> tuple[Execution, ...]:
            return (await self._listed(limit=limit, prompt=prompt, status=status)).items

        key = limit, prompt, status, self._actor.prompts, self._sees_bodies
        return self._live.follow(look, key=key, after=after)

    async def outcomes(self, execution_id: str) -> Sequence[Outcome]:
        """Return what was reported of an execution."""
        return (await self.with_outcomes(execution_id))[1]

    async def report(
        self, execution_id: str, outcomes: Mapping[str, OutcomeValue], *, at: datetime
    ) -> Sequence[Outcome]:
        """Store what became of an execution, and return that as it is stored."""
        found = check_execution_id(execution_id)
        checked = check_outcomes(outcomes)
        await self.check_seen(found)
        reported = [
            Outcome(execution_id=found, name=name, value=value, reported_at=at)
            for name, value in sorted(checked.items())
        ]
        await self._outcomes.report(reported)
        return reported

    @property
    def _sees_bodies(self) -> bool:
        return may(self._actor, "executions:body")

    def _shown(self, execution: Seen) -> Seen:
        return execution if self._sees_bodies else execution.without_bodies()

    async def _mine(self, execution_id: str) -> ExecutionDetail:
        found = await self._executions.get(check_execution_id(execution_id))
        if not self._actor.sees(found.prompt):
            raise no_execution(execution_id)
        return found

    async def _listed(
        self, *, limit: int, prompt: str | None, status: Status | None, after: str | None = None
    ) -> Page[Execution]:
        found = await self._executions.list(
            limit=limit, after=after, prompt=prompt, status=status, among=self._actor.prompts
        )
        return replace(found, items=tuple(map(self._shown, found.items)))


def _check_wanted(prompt: str | None, status: Status | None) -> None:
    if prompt is not None:
        check_name(prompt)
    if status is not None and status not in get_args(Status):
        raise InvalidInput(
            f"{str(status)[:40]!r} is not a status", field="/status", hint=f"one of {', '.join(get_args(Status))}"
        )
