"""Answers that were given before: what an idempotency key brings back instead of a second call."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from cuewire.model.errors import StillRunning
from cuewire.model.executions import FINAL, ExecutionDetail
from cuewire.model.failures import stored_error
from cuewire.model.results import Result
from cuewire.ports import ExecutionStore, Listener

CUT_SHORT = ("cancelled", "interrupted")
_FIRST_WAIT_S, _LONGEST_WAIT_S, _PATIENCE_S = 0.02, 0.5, 120.0


class StoredResults:
    """Gives back the end of an earlier execution."""

    def __init__(self, executions: ExecutionStore) -> None:
        self._executions = executions
        self._waits: dict[str, _Wait] = {}

    async def replay(self, execution_id: str, *, listener: Listener | None) -> Result | None:
        """Return the result of an execution, or raise the error that it ended with; waits while it runs.

        None if it was cut short, by whoever asked for it or by the end of their process: nobody else did that to this
        caller, who may have the idempotency key now. Raises StillRunning when it has not ended after two minutes.
        """
        execution = await self._ended(execution_id)
        if execution.status in CUT_SHORT:
            return None
        if execution.status != "succeeded":
            raise stored_error(execution)
        if listener and execution.text:
            await listener(execution.text)
        return replace(execution.result(), stored=True, called_ms=0.0)

    async def _ended(self, execution_id: str) -> ExecutionDetail:
        """Return an execution that has ended; those who wait for the same one ask together."""
        wait = self._waits.get(execution_id)
        if wait is None:
            wait = self._waits[execution_id] = _Wait(asyncio.ensure_future(self._asked(execution_id)))
            wait.asking.add_done_callback(lambda _: self._forget(execution_id, wait))
        wait.waiting += 1
        try:
            return await asyncio.shield(wait.asking)
        finally:
            wait.waiting -= 1
            if not wait.waiting:
                self._forget(execution_id, wait)
                wait.asking.cancel()

    def _forget(self, execution_id: str, wait: _Wait) -> None:
        if self._waits.get(execution_id) is wait:
            del self._waits[execution_id]

    async def _asked(self, execution_id: str) -> ExecutionDetail:
        waited, wait = 0.0, _FIRST_WAIT_S
        while True:
            execution = await self._executions.get(execution_id)
            if execution.status in FINAL:
                return execution
            if waited >= _PATIENCE_S:
                raise StillRunning(
                    f"execution {execution_id} holds this idempotency key and still runs", hint="ask again later"
                )
            await asyncio.sleep(wait)
            waited, wait = waited + wait, min(wait * 2, _LONGEST_WAIT_S)


class _Wait:
    """One execution that is waited for, by how many."""

    __slots__ = ("asking", "waiting")

    def __init__(self, asking: asyncio.Task[ExecutionDetail]) -> None:
        self.asking = asking
        self.waiting = 0
