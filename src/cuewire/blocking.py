"""`cuewire.open`, and the blocking App: a thin shell that runs the asynchronous one on a loop of its own."""

from __future__ import annotations

import asyncio
import builtins
import threading
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError as FutureCancelled
from concurrent.futures import Future
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from cuewire.model.executions import Execution, ExecutionDetail, Status
from cuewire.model.orders import RunOptions
from cuewire.model.outcomes import Outcome, OutcomeValue
from cuewire.model.pages import Page
from cuewire.model.prompts import Content, Inputs, Prompt, PromptVersion, Variable, VersionOptions
from cuewire.model.results import Piece, Result

if TYPE_CHECKING:
    from cuewire.config import Settings
    from cuewire.ports import App, ExecutionsFace, PromptsFace, Provider, Stream

T = TypeVar("T")


def open(
    where: str | None = None,
    *,
    settings: Settings | None = None,
    providers: Mapping[str, Provider] | None = None,
) -> Opening:
    """Open Cuewire at the URL of a database or a server, or where the settings say.

    `with open(...)` gives the blocking form, `async with open(...)` the asynchronous one. An absent SQLite file is
    created. `providers` adds providers of your own, by name. Raises ConfigError, StoreError on entering.
    """
    return Opening(where, settings=settings, providers=providers)


class Opening:
    """An App about to be opened, in either form; entered once."""

    def __init__(
        self, where: str | None, *, settings: Settings | None, providers: Mapping[str, Provider] | None
    ) -> None:
        self._where = where
        self._settings = settings
        self._providers = providers
        self._app: Any = None
        self._loop: Loop | None = None

    async def _connect(self) -> App:
        from cuewire.wiring import open_app  # opening is when the adapters are needed

        self._app = await open_app(self._where, settings=self._settings, providers=self._providers)
        app: App = self._app
        return app

    async def __aenter__(self) -> App:
        """Open the asynchronous form."""
        return await self._connect()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is queued, and release everything."""
        await self._app.close()

    def __enter__(self) -> BlockingApp:
        """Open the blocking form, which any number of threads may use."""
        self._loop = Loop()
        try:
            return BlockingApp(self._loop.run(self._connect()), self._loop)
        except BaseException:
            self._loop.stop()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is queued, and release everything."""
        if self._loop is None:
            raise AssertionError("left without having been entered")
        try:
            self._loop.run(self._app.close())
        finally:
            self._loop.stop()


class BlockingApp:
    """The App for programs without an event loop. The same methods without `await`; errors are the same."""

    def __init__(self, app: App, loop: Loop) -> None:
        self._app = app
        self._loop = loop
        self.prompts = BlockingPrompts(app.prompts, loop)
        self.executions = BlockingExecutions(app.executions, loop)

    def run(self, prompt: str, inputs: Inputs | None = None, **options: Unpack[RunOptions]) -> Result:
        """Run a prompt and return when the record is durable; see `App.run`."""
        return self._loop.run(self._app.run(prompt, inputs, **options))

    def stream(self, prompt: str, inputs: Inputs | None = None, **options: Unpack[RunOptions]) -> BlockingStream:
        """Run a prompt and iterate over its answer as it arrives; see `App.stream`."""
        stream = self._app.stream(prompt, inputs, **options)
        return BlockingStream(stream, self._loop)

    def report(self, execution_id: str, **outcomes: OutcomeValue) -> None:
        """Report what became of an execution; see `App.report`."""
        self._loop.run(self._app.report(execution_id, **outcomes))


class BlockingStream:
    """The blocking form of a `Stream`. Leaving the loop early cancels the execution."""

    def __init__(self, stream: Stream, loop: Loop) -> None:
        self._stream = stream
        self._loop = loop

    def __iter__(self) -> Iterator[Piece]:
        """Yield the pieces; raises what `run` would raise."""
        pieces = self._stream.__aiter__()
        try:
            while (piece := self._loop.run(_next(pieces))) is not None:
                yield piece
        finally:
            self.close()

    def result(self) -> Result:
        """Return the result; reads the rest of the stream if there is one."""
        return self._loop.run(self._stream.result())

    def close(self) -> None:
        """Cancel what still runs, and return when its record is closed."""
        self._loop.run(self._stream.aclose())


class BlockingPrompts:
    """The blocking form of `PromptsFace`."""

    def __init__(self, prompts: PromptsFace, loop: Loop) -> None:
        self._prompts = prompts
        self._loop = loop

    def publish(
        self,
        name: str,
        content: Content,
        *,
        labels: Sequence[str] = (),
        publish: bool = False,
        **options: Unpack[VersionOptions],
    ) -> PromptVersion:
        """Store a new immutable version; see `PromptsFace.publish`."""
        return self._loop.run(self._prompts.publish(name, content, labels=labels, publish=publish, **options))

    def variables(self, content: Content) -> dict[str, Variable]:
        """Return the variables that a version of this content would have, in order; nothing is stored."""
        return dict(self._loop.run(self._prompts.variables(content)))

    def get(self, reference: str) -> PromptVersion:
        """Return a version by `name`, `name@label` or `name@7`."""
        return self._loop.run(self._prompts.get(reference))

    def list(self, *, limit: int = 100, after: str | None = None, archived: bool = False) -> Page[Prompt]:
        """Return prompts by name."""
        return self._loop.run(self._prompts.list(limit=limit, after=after, archived=archived))

    def versions(self, name: str) -> builtins.list[PromptVersion]:
        """Return all versions of a prompt, newest first."""
        return [*self._loop.run(self._prompts.versions(name))]

    def label(self, name: str, label: str, number: int) -> PromptVersion:
        """Move a label to a version."""
        return self._loop.run(self._prompts.label(name, label, number))

    def archive(self, name: str) -> Prompt:
        """Archive a prompt."""
        return self._loop.run(self._prompts.archive(name))


class BlockingExecutions:
    """The blocking form of `ExecutionsFace`."""

    def __init__(self, executions: ExecutionsFace, loop: Loop) -> None:
        self._executions = executions
        self._loop = loop

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

    def outcomes(self, execution_id: str) -> builtins.list[Outcome]:
        """Return what was reported of an execution."""
        return [*self._loop.run(self._executions.outcomes(execution_id))]


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


async def _next(pieces: Any) -> Piece | None:
    return await anext(pieces, None)
