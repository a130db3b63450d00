"""The App of this process, for functions that any thread may call at any time: opened at the first need."""

from __future__ import annotations

import asyncio
import atexit
import os
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from threading import RLock
from typing import Any, Generic, ParamSpec, Protocol, TypeVar

from cuewire.blocking import Loop


class Closable(Protocol):
    """An App, or what else is opened and closed."""

    async def close(self) -> None:
        """Release everything."""
        ...


A = TypeVar("A", bound=Closable)
P = ParamSpec("P")
T = TypeVar("T")

PATIENCE_S = 5.0
"""How long a caller waits in all, also for the first opening."""
RETRY_S = 5.0
"""After an opening that failed, so long its error comes at once; then the next caller has it tried again."""


class ProcessApp(Generic[A]):
    """Opened once for all threads, closed at the end of the program. Make one for a process, for good.

    It is closed before the process forks, and opened anew where it is needed after that: threads do not outlive a
    fork, nor does a SQLite file that is carried across one.
    """

    def __init__(self, open_app: Callable[[], Awaitable[A]], *, retry_s: float = RETRY_S) -> None:
        self._open_app = open_app
        self._retry_s = retry_s
        self._lock = RLock()
        self._opened: _Opened[A] | None = None
        os.register_at_fork(
            before=self._before_fork, after_in_parent=self._lock.release, after_in_child=self._lock.release
        )
        atexit.register(self.close)

    def run(self, work: Callable[[A], Coroutine[Any, Any, T]], *, patience_s: float | None = PATIENCE_S) -> T:
        """Return what the work returns; None for patience is no bound.

        Raises what it or the opening raises, TimeoutError when the patience ends.
        """
        future = self.submit(work)
        try:
            return future.result(patience_s)
        finally:
            future.cancel()

    def submit(self, work: Callable[[A], Coroutine[Any, Any, T]]) -> Future[T]:
        """Begin work; closing waits for its end, for as long as a caller's patience."""
        with self._lock:
            if self._opened is None:
                self._opened = _Opened(self._open_app, retry_s=self._retry_s)
            return self._opened.submit(work)

    def close(self) -> None:
        """Let work in flight end, and close the App, if it is open. Raises nothing."""
        with self._lock:
            opened, self._opened = self._opened, None
        if opened:
            with suppress(Exception):  # what was acknowledged is durable
                opened.close()

    def _before_fork(self) -> None:
        self._lock.acquire()
        self.close()


class _Opened(Generic[A]):
    """An App and its event loop; the App is opened as often as it takes."""

    def __init__(self, open_app: Callable[[], Awaitable[A]], *, retry_s: float) -> None:
        self._open_app = open_app
        self._retry_s = retry_s
        self._loop = Loop()
        self._opening: asyncio.Task[A] | None = None
        self._retry_at = 0.0
        self._in_flight: set[asyncio.Task[Any]] = set()

    def submit(self, work: Callable[[A], Coroutine[Any, Any, T]]) -> Future[T]:
        """Begin work on the App."""
        return self._loop.submit(self._run(work))

    def close(self) -> None:
        """Let work in flight end, and close the App."""
        try:
            self._loop.run(self._close())
        finally:
            self._loop.stop()

    async def _run(self, work: Callable[[A], Coroutine[Any, Any, T]]) -> T:
        task = asyncio.current_task()
        assert task is not None, "coroutines run in tasks"
        self._in_flight.add(task)
        try:
            opening = self._begin()
            await asyncio.wait([opening])  # which goes on also when this caller's patience ends
            return await work(opening.result())
        finally:
            self._in_flight.discard(task)

    def _begin(self) -> asyncio.Task[A]:
        """Return the opening that is under way, or has ended well, or has failed a moment ago."""
        opening = self._opening
        if opening is None or (opening.done() and opening.exception() and self._now() >= self._retry_at):
            opening = self._opening = asyncio.ensure_future(self._open())
        return opening

    async def _open(self) -> A:
        asyncio.get_running_loop().set_default_executor(_Threads())
        try:
            return await self._open_app()
        finally:
            self._retry_at = self._now() + self._retry_s

    async def _close(self) -> None:
        waiting = [*self._in_flight, *([self._opening] if self._opening else ())]
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=PATIENCE_S)
            for task in late:
                task.cancel()
            await asyncio.wait(waiting)
        if self._opening and not self._opening.cancelled() and not self._opening.exception():
            await self._opening.result().close()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


class _Threads(ThreadPoolExecutor):
    """Threads for what blocks; at the end of the program, when none begins any more, it blocks who asks."""

    def submit(self, run: Callable[P, T], /, *arguments: P.args, **options: P.kwargs) -> Future[T]:
        try:
            return super().submit(run, *arguments, **options)
        except RuntimeError:
            done: Future[T] = Future()
            try:
                done.set_result(run(*arguments, **options))
            except BaseException as error:  # noqa: BLE001  # goes to who waits
                done.set_exception(error)
            return done
