"""What is done for a client for as long as it is there: when it hangs up, what runs for it is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import TypeAlias, TypeVar

from cuewire.model.results import Result
from cuewire.server.exchange import Exchange, Headers
from cuewire.server.running import Running, StreamedExecution
from cuewire.server.sockets import Socket
from cuewire.wire.problems import Refused
from cuewire.wire.streams import CONTENT_TYPE

T = TypeVar("T")
OnOpen: TypeAlias = Callable[[str], None]
"""Is told the id of each execution that begins."""
_AT_ONCE_S = 0.05


async def run_for(exchange: Exchange, running: Running, run: Callable[[OnOpen], Awaitable[T]]) -> T | None:
    """Return what the run returns, None if the client hung up. Raises Refused if it was cancelled otherwise."""
    task = _this_task()
    opened: list[str] = []

    def on_open(execution_id: str) -> None:
        opened.append(execution_id)
        running.add(execution_id, task)

    watch = _Watch(exchange, task)
    try:
        return await run(on_open)
    except asyncio.CancelledError:
        if watch.hung_up:
            return None
        task.uncancel()
        refused = Refused("shutting_down" if running.is_ending else "cancelled", "the execution was cancelled")
        refused.execution_id = opened[0] if opened else ""
        raise refused from None
    finally:
        watch.end()
        for execution_id in opened:
            running.remove(execution_id, task)


async def stream_to(
    exchange: Exchange, streamed: StreamedExecution, events: AsyncGenerator[bytes], execution_id: str
) -> None:
    """Send the events of a streamed execution until it ends or the client hangs up."""
    try:
        await send_events(exchange, events, headers=execution_header(execution_id))
    finally:
        streamed.settle()  # for a client that hung up before the first event


async def send_events(exchange: Exchange, events: AsyncGenerator[bytes], *, headers: Headers = ()) -> None:
    """Send events until they end or the client hangs up."""
    watch = _Watch(exchange, _this_task())
    try:
        await exchange.begin(200, content_type=CONTENT_TYPE.encode(), headers=headers)
        async for event in events:
            await exchange.write(event)
        await exchange.write(b"", is_last=True)
    except asyncio.CancelledError:
        return
    finally:
        watch.end()
        await events.aclose()


async def send_messages(socket: Socket, messages: AsyncGenerator[str]) -> None:
    """Send messages until they end or the client hangs up."""
    watch = _Watch(socket, _this_task())
    try:
        await socket.accept()
        async for message in messages:
            await socket.say(message)
    except asyncio.CancelledError:
        return
    finally:
        watch.end()
        await messages.aclose()
    await socket.close()


class _Watch:
    """Cancels a task when the client hangs up. What is answered at once is spared the task that waits for that."""

    def __init__(self, exchange: Exchange, task: asyncio.Task[None]) -> None:
        self._exchange = exchange
        self._task = task
        self._loop = asyncio.get_running_loop()
        self._gone: asyncio.Task[None] | None = None
        self._beginning = self._loop.call_later(_AT_ONCE_S, self._begin)
        self.hung_up = False

    def end(self) -> None:
        """Watch no longer."""
        self._beginning.cancel()
        if self._gone:
            self._gone.remove_done_callback(self._on_gone)
            self._gone.cancel()

    def _begin(self) -> None:
        self._gone = self._loop.create_task(self._exchange.gone())
        self._gone.add_done_callback(self._on_gone)

    def _on_gone(self, _: object) -> None:
        self.hung_up = True
        self._task.cancel()


def execution_header(execution_id: str) -> Headers:
    """Return the header that names the execution."""
    return [(b"x-cuewire-execution-id", execution_id.encode())]


def figures_of(exchange: Exchange, *results: Result) -> Headers:
    """Return the headers that tell what runs cost; the overhead is the time that did not go into calls."""
    elapsed_ms = (exchange.clock.monotonic() - exchange.started) * 1_000
    costs = [result.cost_usd for result in results]
    yield from execution_header(results[0].id)
    yield b"x-cuewire-overhead-ms", b"%.3f" % max(0.0, elapsed_ms - max(result.called_ms for result in results))
    yield b"x-cuewire-cache", _source_of(results)
    if None not in costs:
        yield b"x-cuewire-cost-usd", b"%.9f" % sum(cost or 0.0 for cost in costs)


def _source_of(results: Sequence[Result]) -> bytes:
    if all(result.stored for result in results):
        return b"stored"
    return b"hit" if all(result.cached_from for result in results) else b"miss"


def _this_task() -> asyncio.Task[None]:
    task = asyncio.current_task()
    assert task is not None, "each request has a task"
    return task
