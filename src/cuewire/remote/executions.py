"""The record on a server."""

from __future__ import annotations

from collections.abc import Sequence

from cuewire.model.executions import Execution, ExecutionDetail, Status
from cuewire.model.ids import check_execution_id
from cuewire.model.live import OnChange
from cuewire.model.outcomes import Outcome
from cuewire.model.pages import Page
from cuewire.ports import Subscription
from cuewire.remote.server import Server, path_of
from cuewire.remote.subscriptions import Subscriptions
from cuewire.wire.executions import ExecutionDetailShape, ExecutionPage, OutcomeList
from cuewire.wire.live import read_executions


class RemoteExecutions:
    """Implements `ExecutionsFace` on a server."""

    def __init__(self, server: Server, *, subscriptions: Subscriptions) -> None:
        self._server = server
        self._subscriptions = subscriptions

    async def get(self, execution_id: str) -> ExecutionDetail:
        """Return one execution with all that was stored."""
        return (
            await self._server.get(path_of("executions", check_execution_id(execution_id)), ExecutionDetailShape)
        ).detail()

    async def list(
        self,
        *,
        limit: int = 100,
        after: str | None = None,
        prompt: str | None = None,
        status: Status | None = None,
    ) -> Page[Execution]:
        """Return executions, newest first."""
        query = {"limit": limit, "after": after, "prompt": prompt, "status": status}
        return (await self._server.get("/executions", ExecutionPage, query=query)).page()

    def subscribe(
        self,
        *,
        limit: int = 50,
        prompt: str | None = None,
        status: Status | None = None,
        after: str | None = None,
        on_change: OnChange[Execution] | None = None,
    ) -> Subscription[Execution]:
        """Follow the newest executions; see `ExecutionsFace.subscribe`. Nothing is sent before somebody listens."""
        query = {"limit": limit, "prompt": prompt, "status": status}
        path = path_of("executions", "subscribe")
        return self._subscriptions.follow(path, query, read=read_executions, after=after, on_change=on_change)

    async def outcomes(self, execution_id: str) -> Sequence[Outcome]:
        """Return what was reported of an execution."""
        path = path_of("executions", check_execution_id(execution_id), "outcomes")
        return (await self._server.get(path, OutcomeList)).outcomes()
