"""`cuewire.open`, and the blocking App: a thin shell that runs the asynchronous one on a loop of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, Unpack

from cuewire.blocking.live import BlockingSubscriptions
from cuewire.blocking.loop import Loop as Loop
from cuewire.blocking.prompts import BlockingPrompts
from cuewire.blocking.record import (
    BlockingBreakers,
    BlockingCache,
    BlockingEvents,
    BlockingExecutions,
    BlockingLimits,
)
from cuewire.blocking.registry import BlockingReviews, BlockingScopes, BlockingTemplates
from cuewire.model.orders import RunOptions
from cuewire.model.outcomes import OutcomeValue
from cuewire.model.plans import Plan
from cuewire.model.prompts import Inputs
from cuewire.model.results import Piece, Result

if TYPE_CHECKING:
    from cuewire.config import Settings
    from cuewire.ports import App, Provider, Stream


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
        self._opened = ExitStack()

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
        with ExitStack() as opened:
            loop = Loop()
            opened.callback(loop.stop)
            app = loop.run(self._connect())
            opened.callback(lambda: loop.run(self._app.close()))
            subscriptions = BlockingSubscriptions(loop)
            opened.callback(subscriptions.close)
            blocking = BlockingApp(app, loop, subscriptions)
            self._opened = opened.pop_all()
            return blocking

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End what is followed, write what is queued, and release everything."""
        self._opened.close()


class BlockingApp:
    """The App for programs without an event loop. The same methods without `await`; errors are the same."""

    def __init__(self, app: App, loop: Loop, subscriptions: BlockingSubscriptions) -> None:
        self._app = app
        self._loop = loop
        self.prompts = BlockingPrompts(app.prompts, loop, subscriptions)
        self.templates = BlockingTemplates(app.templates, loop)
        self.reviews = BlockingReviews(app.reviews, loop)
        self.strategies = BlockingScopes(app.strategies, loop)
        self.configurations = BlockingScopes(app.configurations, loop)
        self.executions = BlockingExecutions(app.executions, loop, subscriptions)
        self.events = BlockingEvents(app.events, loop)
        self.cache = BlockingCache(app.cache, loop)
        self.breakers = BlockingBreakers(app.breakers, loop)
        self.limits = BlockingLimits(app.limits, loop)

    def run(self, prompt: str, inputs: Inputs | None = None, **options: Unpack[RunOptions]) -> Result:
        """Run a prompt and return when the record is durable; see `App.run`."""
        return self._loop.run(self._app.run(prompt, inputs, **options))

    def stream(self, prompt: str, inputs: Inputs | None = None, **options: Unpack[RunOptions]) -> BlockingStream:
        """Run a prompt and iterate over its answer as it arrives; see `App.stream`."""
        stream = self._app.stream(prompt, inputs, **options)
        return BlockingStream(stream, self._loop)

    def plan(self, prompt: str, inputs: Inputs | None = None, **options: Unpack[RunOptions]) -> Plan:
        """Return what a run may lead to; see `App.plan`."""
        return self._loop.run(self._app.plan(prompt, inputs, **options))

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


async def _next(pieces: Any) -> Piece | None:
    return await anext(pieces, None)
