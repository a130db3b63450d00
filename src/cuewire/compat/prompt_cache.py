"""Versions as this process knows them: fresh for a while, then stale while they are read again, and never forgotten
because nobody answers.

Any thread may ask. What is known outlives the connection, and a fork.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from cuewire.compat.process_app import RETRY_S, ProcessApp
from cuewire.model.errors import CuewireError, NotFound
from cuewire.model.prompts import PromptVersion
from cuewire.ports import Clock

if TYPE_CHECKING:
    from cuewire.wiring import PromptDesk

T = TypeVar("T")

logger = logging.getLogger("cuewire.prompts")

HEDGE_S = 0.06
"""How long a caller waits for the source when there is an older version that will do."""
_MAX_KNOWN = 10_000
_NEVER = float("-inf")


class Wanted(NamedTuple):
    """What a caller wants: a version that is at most `ttl_s` old, and how long it may take."""

    reference: str
    ttl_s: float
    timeout_s: float
    retries: int
    has_fallback: bool = False


@dataclass(slots=True)
class _Known:
    """A version, when it was read, and until when nobody asks again."""

    version: PromptVersion
    read_at: float
    quiet_until: float = _NEVER


class _Fetch(NamedTuple):
    """A version that is being read; `failure` is there from the first try that fails."""

    task: asyncio.Task[PromptVersion]
    failure: asyncio.Future[CuewireError]


class PromptCache:
    """The versions of one source, read through a connection that is opened at the first need."""

    def __init__(self, open_desk: Callable[[], Awaitable[PromptDesk]], *, clock: Clock) -> None:
        self._open_desk = open_desk
        self._monotonic = clock.monotonic
        self._app = ProcessApp(self._open)
        self._known: dict[str, _Known] = {}
        self._failures: dict[str, tuple[float, CuewireError]] = {}
        self.epoch = 0

    def get(self, wanted: Wanted) -> PromptVersion:
        """Return what a reference means.

        A version older than `ttl_s` is returned once more while it is read again, up to twice that age; one that is
        older still, or that only the disk knows, after `HEDGE_S` at most. With `ttl_s` of 0 the source is always asked
        first. While the source does not answer, what is known is returned, and asked again after five seconds.

        Raises NotFound if the source says so, and what became of the reading if nothing is known; with a fallback at
        its first failure.
        """
        now = self._monotonic()
        known = self._known.get(wanted.reference)
        if known is not None and wanted.ttl_s > 0:
            age = now - known.read_at
            if age < wanted.ttl_s or now < known.quiet_until:
                return known.version
            known.quiet_until = now + RETRY_S
            if age < 2 * wanted.ttl_s:
                self._app.submit(lambda reads: reads.begin(wanted))
                return known.version
        if known is None and wanted.has_fallback:
            failed_at, error = self._failures.get(wanted.reference, (_NEVER, None))
            if error is not None and now < failed_at + RETRY_S:
                raise error.with_traceback(None)  # which would grow with each caller
        return self._app.run(lambda reads: reads.read(wanted, asked_at=now), patience_s=None)

    def run(self, work: Callable[[PromptDesk], Coroutine[Any, Any, T]]) -> T:
        """Return what work at the desk returns."""
        return self._app.run(lambda reads: work(reads.desk), patience_s=None)

    def known(self, reference: str, *, since: float = _NEVER) -> PromptVersion | None:
        """Return the version that was read or found last, if it was read since then."""
        known = self._known.get(reference)
        return known.version if known and known.read_at >= since else None

    def keep(self, reference: str, version: PromptVersion) -> None:
        """Keep a version that was just read."""
        self._put(reference, _Known(version, read_at=self._monotonic()))

    def keep_old(self, reference: str, version: PromptVersion) -> None:
        """Keep a version from the disk; the source is asked again soon."""
        if reference not in self._known:
            quiet_until = self._monotonic() + RETRY_S
            self._put(reference, _Known(version, read_at=_NEVER, quiet_until=quiet_until))

    def fail(self, reference: str, error: CuewireError) -> None:
        """Note that a reading has failed; only NotFound takes away what is known."""
        if isinstance(error, NotFound):
            self._known.pop(reference, None)
        if len(self._failures) >= _MAX_KNOWN:
            self._failures.clear()
        self._failures[reference] = (self._monotonic(), error)

    def forget(self, name: str | None = None) -> None:
        """Forget all references to a prompt, or to all, and what is being read of them."""
        self.epoch += 1
        for reference in [*self._known, *self._failures]:
            if name is None or reference.rpartition("@")[0] == name:
                self._known.pop(reference, None)
                self._failures.pop(reference, None)

    def close(self) -> None:
        """Close the connection; the next need opens it again."""
        self._app.close()

    async def _open(self) -> _Reads:
        return _Reads(await self._open_desk(), self)

    def _put(self, reference: str, known: _Known) -> None:
        if len(self._known) >= _MAX_KNOWN:
            self._known.clear()  # the files are still there
        self._failures.pop(reference, None)
        self._known[reference] = known


class _Reads:
    """What is being read over one connection: each version once, whoever waits for it. Belongs to its event loop."""

    def __init__(self, desk: PromptDesk, cache: PromptCache) -> None:
        self.desk = desk
        self._cache = cache
        self._fetches: dict[tuple[int, Wanted], _Fetch] = {}

    async def begin(self, wanted: Wanted) -> None:
        """Begin to read; what comes of it is for the cache."""
        self._fetch(wanted)

    async def read(self, wanted: Wanted, *, asked_at: float) -> PromptVersion:
        """Return the version as the source has it, or as it was known, as soon as that is allowed."""
        if (version := self._cache.known(wanted.reference, since=asked_at)) is not None:
            return version  # another thread was a moment earlier
        fetch = self._fetch(wanted)
        known = self._cache.known(wanted.reference) or await self.desk.reader.last_known(wanted.reference)
        if known is None and not wanted.has_fallback:
            return await asyncio.shield(fetch.task)
        patience_s = HEDGE_S if known is not None and wanted.ttl_s > 0 else None
        waiting: list[asyncio.Future[Any]] = [fetch.task, fetch.failure]
        await asyncio.wait(waiting, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
        if fetch.task.done() and not (fetch.task.cancelled() or fetch.task.exception()):
            return fetch.task.result()
        error = fetch.failure.result() if fetch.failure.done() else None
        if error is not None and (known is None or isinstance(error, NotFound)):
            raise error
        if known is None:
            return await fetch.task  # which was given up, or has a fault of ours
        self._cache.keep_old(wanted.reference, known)
        return known

    async def close(self) -> None:
        """Give up what is being read, and close the connection."""
        tasks = [fetch.task for fetch in self._fetches.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.desk.close()

    def _fetch(self, wanted: Wanted) -> _Fetch:
        key = self._cache.epoch, wanted._replace(ttl_s=0, has_fallback=False)
        fetch = self._fetches.get(key)
        if fetch is None:
            failure: asyncio.Future[CuewireError] = asyncio.get_running_loop().create_future()
            task = asyncio.create_task(self._fetched(wanted, failure))
            fetch = self._fetches[key] = _Fetch(task, failure)
            task.add_done_callback(lambda task: self._end(key, task))
        return fetch

    def _end(self, key: tuple[int, Wanted], task: asyncio.Task[PromptVersion]) -> None:
        del self._fetches[key]
        if not task.cancelled():
            task.exception()  # nobody may be left who waits for it

    async def _fetched(self, wanted: Wanted, failure: asyncio.Future[CuewireError]) -> PromptVersion:
        def fail(error: CuewireError) -> None:
            if not failure.done():
                failure.set_result(error)

        reference, epoch = wanted.reference, self._cache.epoch
        try:
            version = await self.desk.reader.read(
                reference, timeout_s=wanted.timeout_s, retries=wanted.retries, on_failure=fail
            )
        except CuewireError as error:
            fail(error)
            if epoch == self._cache.epoch:
                self._cache.fail(reference, error)
            logger.warning("prompts.unread reference=%s reason=%s", reference, error.code)
            raise
        if epoch == self._cache.epoch:
            self._cache.keep(reference, version)
        return version
