"""The blocking form of the record: executions, and what happened to the registry."""

from __future__ import annotations

import builtins
from functools import partial
from typing import TYPE_CHECKING

from cuewire.blocking.live import BlockingSubscription, BlockingSubscriptions
from cuewire.blocking.loop import Loop
from cuewire.model.events import Event
from cuewire.model.executions import Execution, ExecutionDetail, Status
from cuewire.model.live import OnChange
from cuewire.model.outcomes import Outcome
from cuewire.model.pages import Page

if TYPE_CHECKING:
    from cuewire.ports import EventsFace, ExecutionsFace


class BlockingExecutions:
    """The blocking form of `ExecutionsFace`."""

    def __init__(self, executions: ExecutionsFace, loop: Loop, subscriptions: BlockingSubscriptions) -> None:
        self._executions = executions
        self._loop = loop
        self._subscriptions = subscriptions

    def get(self, execution_id: str) -> ExecutionDetail:
        """Return one execution with all that was stored."""
        return self._loop.run(self._executions.get(execution_id))

    def list(
        self,
        *,
        limit: int = 100,
        after: str | None = None,
        prompt: str | None = None,
        status: Status | None = None,
    ) -> Page[Execution]:
        """Return executions, newest first."""
        return self._loop.run(self._executions.list(limit=limit, after=after, prompt=prompt, status=status))

    def subscribe(
        self,
        *,
        limit: int = 50,
        prompt: str | None = None,
        status: Status | None = None,
        after: str | None = None,
        on_change: OnChange[Execution] | None = None,
    ) -> BlockingSubscription[Execution]:
        """Follow the newest executions; see `ExecutionsFace.subscribe`."""
        subscribe = partial(self._executions.subscribe, limit=limit, prompt=prompt, status=status, after=after)
        return self._subscriptions.follow(subscribe, after=after, on_change=on_change)

    def outcomes(self, execution_id: str) -> builtins.list[Outcome]:
        """Return what was reported of an execution."""
        return [*self._loop.run(self._executions.outcomes(execution_id))]


class BlockingEvents:
    """The blocking form of `EventsFace`."""

    def __init__(self, events: EventsFace, loop: Loop) -> None:
        self._events = events
        self._loop = loop

    def list(self, *, limit: int = 100, after: int = 0) -> builtins.list[Event]:
        """Return what happened, oldest first; `after` is the id of the last event seen."""
        return [*self._loop.run(self._events.list(limit=limit, after=after))]
