"""The event loop that the blocking App runs on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError as FutureCancelled
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class Loop:
    """An event loop on a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="cuewire-loop", daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin a coroutine."""
        if not self._thread.is_alive():
            work.close()
            raise RuntimeError("this App is closed")
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end; an interrupt (Ctrl-C) cancels it and waits for its clean end."""
        future = self.submit(work)
        try:
            return future.result()
        except FutureCancelled:
            raise asyncio.CancelledError from None
        except KeyboardInterrupt:
            future.cancel()
            self._settle()
            raise

    def stop(self) -> None:
        """Let open generators end, then end the loop and its thread."""
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._loop.shutdown_asyncgens(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()

    def _settle(self) -> None:
        """Wait until the cancelled work has closed its record."""

        async def others() -> None:
            here = asyncio.current_task()
            cancelling = [task for task in asyncio.all_tasks() if task is not here and task.cancelling()]
            if cancelling:
                await asyncio.wait(cancelling, timeout=5)

        asyncio.run_coroutine_threadsafe(others(), self._loop).result()
