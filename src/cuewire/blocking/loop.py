"""The event loop that the blocking App runs on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError as FutureCancelled
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

_PATIENCE_S = 5.0
"""How long cancelled work may take to come to its end."""


class Loop:
    """An event loop on a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._lock = threading.Lock()
        self._is_ending = False
        self._thread = threading.Thread(target=self._loop.run_forever, name="cuewire-loop", daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin a coroutine. Raises RuntimeError once the loop ends, or where it did not come along with a fork."""
        if self._thread.is_alive():
            with self._lock:  # or the loop could stop between the question and the answer
                if not self._is_ending:
                    return asyncio.run_coroutine_threadsafe(work, self._loop)
        work.close()
        raise _closed()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end; an interrupt (Ctrl-C) cancels it and waits for its clean end."""
        future = self.submit(work)
        try:
            return future.result()
        except FutureCancelled:
            raise _closed() if self._is_ending else asyncio.CancelledError from None
        except KeyboardInterrupt:
            future.cancel()
            self._settle()
            raise

    def stop(self) -> None:
        """Cancel what still runs, let open generators end, then end the loop and its thread."""
        if self._thread.is_alive():
            with self._lock:
                self._is_ending = True
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        for task in _others():
            task.cancel()
        await _settled()
        await self._loop.shutdown_asyncgens()

    def _settle(self) -> None:
        """Wait until the cancelled work has closed its record."""
        asyncio.run_coroutine_threadsafe(_settled(), self._loop).result()


async def _settled() -> None:
    if cancelling := [task for task in _others() if task.cancelling()]:
        await asyncio.wait(cancelling, timeout=_PATIENCE_S)


def _others() -> set[asyncio.Task[Any]]:
    return asyncio.all_tasks() - {asyncio.current_task()}


def _closed() -> RuntimeError:
    return RuntimeError("this App is closed")
