"""Cuewire on a server: the App port over HTTP."""

from __future__ import annotations

import weakref
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeAlias, Unpack

from cuewire.model.ids import check_execution_id
from cuewire.model.orders import RunOptions, parse_order
from cuewire.model.outcomes import OutcomeValue, check_outcomes
from cuewire.model.plans import Plan
from cuewire.model.prompts import Inputs
from cuewire.model.results import Result
from cuewire.ports import Clock, Listener, Stream
from cuewire.remote.breakers import RemoteBreakers
from cuewire.remote.cache import RemoteCache
from cuewire.remote.events import RemoteEvents
from cuewire.remote.executions import RemoteExecutions
from cuewire.remote.last_known import LastKnown
from cuewire.remote.limits import RemoteLimits
from cuewire.remote.prompts import RemotePrompts
from cuewire.remote.reader import PromptReader, server_reader
from cuewire.remote.reviews import RemoteReviews
from cuewire.remote.runs import Runs
from cuewire.remote.scopes import RemoteScopes
from cuewire.remote.server import Server, path_of
from cuewire.remote.subscriptions import SubscriptionMaker, Subscriptions
from cuewire.remote.templates import RemoteTemplates
from cuewire.wire.candidates import PlanShape
from cuewire.wire.executions import OutcomeList, RunRequest

StreamMaker: TypeAlias = Callable[[Callable[[Listener], Coroutine[Any, Any, Result]]], Stream]
"""Makes a stream of what a coroutine tells its listener."""


class RemoteApp:
    """Implements `App` on a server. `close` releases everything that `wiring` opened for it."""

    def __init__(
        self,
        server: Server,
        *,
        last_known: LastKnown,
        make_stream: StreamMaker,
        make_subscription: SubscriptionMaker,
        clock: Clock,
        close: Callable[[], Awaitable[None]],
    ) -> None:
        self._server = server
        self._runs = Runs(server, clock=clock)
        self._subscriptions = Subscriptions(server, make_subscription=make_subscription)
        self._prompts = RemotePrompts(server, last_known=last_known, subscriptions=self._subscriptions)
        self._reader = server_reader(server, last_known=last_known)
        self._templates = RemoteTemplates(server)
        self._reviews = RemoteReviews(server)
        self._strategies = RemoteScopes(server, "strategies")
        self._configurations = RemoteScopes(server, "configurations")
        self._executions = RemoteExecutions(server, subscriptions=self._subscriptions)
        self._events = RemoteEvents(server)
        self._cache = RemoteCache(server)
        self._breakers = RemoteBreakers(server)
        self._limits = RemoteLimits(server)
        self._make_stream = make_stream
        self._close = close
        self._streams: weakref.WeakSet[Stream] = weakref.WeakSet()

    def __repr__(self) -> str:
        return f"RemoteApp({self._server.url!r})"

    @property
    def prompts(self) -> RemotePrompts:
        """The registry."""
        return self._prompts

    @property
    def reader(self) -> PromptReader:
        """What reads versions in the time that the caller has."""
        return self._reader

    @property
    def templates(self) -> RemoteTemplates:
        """What authors ask before they publish."""
        return self._templates

    @property
    def reviews(self) -> RemoteReviews:
        """What protects labels, and what waits for a decision."""
        return self._reviews

    @property
    def strategies(self) -> RemoteScopes:
        """What has prompts of its own."""
        return self._strategies

    @property
    def configurations(self) -> RemoteScopes:
        """Environments with parameters."""
        return self._configurations

    @property
    def cache(self) -> RemoteCache:
        """Answers that may be given again."""
        return self._cache

    @property
    def executions(self) -> RemoteExecutions:
        """The record."""
        return self._executions

    @property
    def events(self) -> RemoteEvents:
        """What happened."""
        return self._events

    @property
    def breakers(self) -> RemoteBreakers:
        """Which endpoints the server leaves alone."""
        return self._breakers

    @property
    def limits(self) -> RemoteLimits:
        """What holds the server's calls up."""
        return self._limits

    async def run(self, prompt: str, inputs: Inputs | None = None, **options: Unpack[RunOptions]) -> Result:
        """Run a prompt and return when the record is durable; see `App.run`."""
        return await self._runs.run(parse_order(prompt, inputs, **options))

    def stream(self, prompt: str, inputs: Inputs | None = None, **options: Unpack[RunOptions]) -> Stream:
        """Run a prompt and iterate over its answer as it arrives; see `App.stream`."""
        running = self._runs.streamed(parse_order(prompt, inputs, **options))
        stream = self._make_stream(running.follow)
        self._streams.add(stream)
        return stream

    async def plan(self, prompt: str, inputs: Inputs | None = None, **options: Unpack[RunOptions]) -> Plan:
        """Return what a run may lead to; see `App.plan`."""
        asked = RunRequest.of(parse_order(prompt, inputs, **options))
        return (await self._server.send("POST", path_of("executions", "plan"), asked, PlanShape)).plan()

    async def report(self, execution_id: str, **outcomes: OutcomeValue) -> None:
        """Report what became of an execution; see `App.report`."""
        body = check_outcomes(outcomes)
        await self._server.send(
            "POST", path_of("executions", check_execution_id(execution_id), "outcomes"), body, OutcomeList
        )

    async def close(self) -> None:
        """Cancel streams that still run, and release everything."""
        for stream in list(self._streams):
            await stream.aclose()
        self._subscriptions.close()
        await self._close()
