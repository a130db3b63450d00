"""A running execution whose answer arrives in pieces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from cuewire.model.results import Piece, Result
from cuewire.model.text import cleaned
from cuewire.ports import Listener

_HIGH_WATER = 262_144
"""Characters that may wait for a slow reader before the upstream is no longer read."""


class ExecutionStream:
    """Owns the task of one execution. What arrives while the reader is busy becomes one piece."""

    def __init__(self, run: Callable[[Listener], Coroutine[Any, Any, Result]]) -> None:
        self._run = run
        self._id = ""
        self._opened = asyncio.Event()
        self._task: asyncio.Task[Result] | None = None
        self._waiting: list[str] = []
        self._size = 0
        self._offset = 0
        self._arrived = asyncio.Event()
        self._taken = asyncio.Event()

    def __aiter__(self) -> AsyncIterator[Piece]:
        """Yield the pieces; leaving the loop early cancels the execution."""
        return self._pieces()

    def opened(self, execution_id: str) -> None:
        """Take note of the execution's id."""
        self._id = execution_id
        self._opened.set()

    async def id(self) -> str:
        """Return the execution's id once it has one; raises what `run` raises before that."""
        task = self._start()
        await self._opened.wait()
        if not self._id:
            task.result()
        return self._id

    async def result(self) -> Result:
        """Return the result; reads and drops the pieces that were not taken."""
        task = self._start()
        while not task.done():
            self._take()
            await self._wait()
        return task.result()

    async def aclose(self) -> None:
        """Cancel what still runs, and return when its record is closed."""
        if self._task and not self._task.done():
            if not self._task.cancelling():  # a second cancellation would cut the closing of the record short
                self._task.cancel()
            await asyncio.wait([self._task])

    async def _pieces(self) -> AsyncIterator[Piece]:
        task = self._start()
        try:
            while True:
                text = self._take()
                if text:
                    yield Piece(text=text, offset=self._offset - len(text))
                elif task.done():
                    break
                else:
                    await self._wait()
            task.result()
        finally:
            await self.aclose()

    def _start(self) -> asyncio.Task[Result]:
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(self._listen))
            self._task.add_done_callback(self._ended)
        return self._task

    def _ended(self, task: asyncio.Task[Result]) -> None:
        if not task.cancelled():
            task.exception()
        self._arrived.set()
        self._opened.set()

    async def _listen(self, text: str) -> None:
        text, _ = cleaned(text)  # as the record and the result have it
        self._waiting.append(text)
        self._size += len(text)
        self._arrived.set()
        while self._size > _HIGH_WATER:
            self._taken.clear()
            await self._taken.wait()

    async def _wait(self) -> None:
        await self._arrived.wait()
        self._arrived.clear()

    def _take(self) -> str:
        if not self._waiting:
            return ""
        text = "".join(self._waiting)
        self._waiting.clear()
        self._size = 0
        self._offset += len(text)
        self._taken.set()
        return text
