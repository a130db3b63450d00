"""What runs in this process for clients: executions that may be cancelled, watched, and waited for at the end."""

from __future__ import annotations

import asyncio
import logging
from bisect import bisect_right
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from typing import Any

from cuewire.model.errors import CuewireError, InvalidInput
from cuewire.model.live import Item
from cuewire.model.results import Piece, Result
from cuewire.ports import Stream
from cuewire.registry.subscriptions import Reader
from cuewire.wire.executions import ResultShape
from cuewire.wire.problems import Refused, problem_of
from cuewire.wire.streams import HEARTBEAT, HEARTBEAT_S, PieceShape, written

logger = logging.getLogger("cuewire.server")


class StreamedExecution:
    """One streamed execution and its text so far. A reader is a place in the text, so none holds up another.

    What arrives while a reader is busy becomes one piece, so a slow one costs no more memory than the answer.
    """

    def __init__(self, stream: Stream, *, linger_s: float) -> None:
        self._stream = stream
        self._linger_s = linger_s
        self._texts: list[str] = []
        self._ends: list[int] = []
        self._grown: set[asyncio.Event] = set()
        self._end: Result | CuewireError | None = None
        self._leaving: asyncio.TimerHandle | None = None
        self._giving_up: asyncio.Task[None] | None = None
        self.task = asyncio.get_running_loop().create_task(self._collect())

    async def events(self, *, after: int, beat_s: float = HEARTBEAT_S) -> AsyncGenerator[bytes]:
        """Yield the parts after a place in the text as events, and heartbeats; raises InvalidInput."""
        at = after
        async with aclosing(self.parts(after=after, beat_s=beat_s)) as parts:
            async for part in parts:
                if part is None:
                    yield HEARTBEAT
                elif isinstance(part, Piece):
                    at += len(part.text)
                    yield written(PieceShape(text=part.text, offset=part.offset), at=at)
                else:
                    yield written(ResultShape.of(part) if isinstance(part, Result) else problem_of(part), at=at)

    async def parts(
        self, *, after: int = 0, beat_s: float = HEARTBEAT_S
    ) -> AsyncGenerator[Piece | Result | CuewireError | None]:
        """Yield the text after a place, None where there is none for long, and the end; raises InvalidInput.

        When the last reader leaves early, the execution goes on for the time to linger, then it is cancelled.
        """
        at = after
        grown = asyncio.Event()
        self._join(grown)
        try:
            if after > self._length:
                raise InvalidInput(f"the answer has no {after} characters yet", field="/Last-Event-ID")
            while True:
                ended = self._end
                if text := self._text(at):
                    at += len(text)
                    yield Piece(text=text, offset=at - len(text))
                elif ended is not None:
                    yield ended
                    return
                elif not await _within(beat_s, grown):
                    yield None
                grown.clear()
        finally:
            self._leave(grown)

    async def cancel(self) -> None:
        """Cancel the execution, and return when its record is closed."""
        self.task.cancel()
        await asyncio.wait([self.task])
        await self._stream.aclose()  # for a task that was cancelled before its first step
        if self._end is None:
            self._end = Refused("cancelled", "the execution was cancelled")
            self._wake()

    @property
    def _length(self) -> int:
        return self._ends[-1] if self._ends else 0

    async def _collect(self) -> None:
        try:
            async for piece in self._stream:
                self._texts.append(piece.text)
                self._ends.append(self._length + len(piece.text))
                self._wake()
            self._end = await self._stream.result()
        except CuewireError as error:
            self._end = error
        except asyncio.CancelledError:
            self._end = Refused("cancelled", "the execution was cancelled")
        except Exception:
            logger.exception("execution.failed")
            self._end = Refused("internal_error", "the server failed; its log says more")
        finally:
            self._wake()

    def _text(self, at: int) -> str:
        if at >= self._length:
            return ""
        first = bisect_right(self._ends, at)
        begins = self._ends[first] - len(self._texts[first])
        return "".join(self._texts[first:])[at - begins :]

    def _wake(self) -> None:
        for grown in self._grown:
            grown.set()

    def _join(self, grown: asyncio.Event) -> None:
        self._grown.add(grown)
        if self._leaving:
            self._leaving.cancel()
            self._leaving = None

    def _leave(self, grown: asyncio.Event) -> None:
        self._grown.discard(grown)
        self.settle()

    def settle(self) -> None:
        """Let the execution come to its end, where nobody reads it."""
        if not self._grown and self._end is None and self._leaving is None:
            self._leaving = asyncio.get_running_loop().call_later(self._linger_s, self._give_up)

    def _give_up(self) -> None:
        self._giving_up = asyncio.get_running_loop().create_task(self.cancel())


class Running:
    """The executions of this process by id."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._streams: dict[str, StreamedExecution] = {}
        self._readers: set[Reader[Any]] = set()
        self.is_ending = False
        self._has_ended = False

    def __len__(self) -> int:
        """Return how many run."""
        return len(self._tasks)

    def add(self, execution_id: str, task: asyncio.Task[None], *, streamed: StreamedExecution | None = None) -> None:
        """Take note of an execution until its task ends."""
        if execution_id in self._tasks:  # the same idempotency key: the first one runs, this one waits for its answer
            return
        if self._has_ended and not streamed:  # it waited for another one under its key, which was cancelled at the end
            task.cancel()
        self._tasks[execution_id] = task
        if streamed:
            self._streams[execution_id] = streamed
        task.add_done_callback(lambda _: self.remove(execution_id, task))

    def remove(self, execution_id: str, task: asyncio.Task[None]) -> None:
        """Forget an execution that has ended."""
        if self._tasks.get(execution_id) is task:
            del self._tasks[execution_id]
            self._streams.pop(execution_id, None)

    def refuse_if_ending(self) -> None:
        """Raise Refused if the server takes on nothing more."""
        if self.is_ending:
            raise Refused("shutting_down", "the server ends", hint="ask again in a moment")

    @contextmanager
    def following(self, reader: Reader[Item]) -> Iterator[Reader[Item]]:
        """Let somebody follow a list until they leave or the server ends. Raises Refused."""
        self.refuse_if_ending()
        self._readers.add(reader)
        try:
            yield reader
        finally:
            self._readers.discard(reader)
            reader.close()

    def streamed(self, execution_id: str) -> StreamedExecution | None:
        """Return the streamed execution of this id, None if none runs here."""
        return self._streams.get(execution_id)

    async def cancel(self, execution_id: str) -> bool:
        """Cancel an execution, and return whether it ran here; its record is closed by then."""
        task, streamed = self._tasks.get(execution_id), self._streams.get(execution_id)
        if streamed:
            await streamed.cancel()
        elif task:
            task.cancel()
            await asyncio.wait([task])
        return task is not None

    async def end(self, *, patience_s: float) -> None:
        """Wait for what runs, and cancel what runs longer than the patience; who follows a list need not wait."""
        self.is_ending = True
        for reader in list(self._readers):
            reader.close()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience_s
        while self._tasks and loop.time() < deadline:
            await asyncio.wait(list(self._tasks.values()), timeout=deadline - loop.time())
            await asyncio.sleep(0)
        self._has_ended = True
        while self._tasks:
            await asyncio.gather(*map(self.cancel, list(self._tasks)))
            await asyncio.sleep(0)


async def _within(seconds: float, event: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
