"""Cuewire in this process: the App port over engine, registry and stores."""

from __future__ import annotations

import weakref
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Unpack

import msgspec
from msgspec.structs import replace

from cuewire.engine.cached import CachedAnswers
from cuewire.engine.executions import Executions
from cuewire.engine.gate import Gate
from cuewire.engine.run import Engine
from cuewire.engine.stream import ExecutionStream
from cuewire.engine.tally import Tally
from cuewire.engine.watched import WatchedBreakers
from cuewire.model.actors import Actor
from cuewire.model.breakers import BreakerState
from cuewire.model.embeddings import Embeddable, Embedded, check_embeddable
from cuewire.model.entries import Entry
from cuewire.model.orders import RunOptions, parse_order
from cuewire.model.outcomes import OutcomeValue
from cuewire.model.plans import Plan
from cuewire.model.prompts import EMBEDDINGS, Inputs
from cuewire.model.results import Result
from cuewire.ports import Clock, Providers
from cuewire.registry.api_keys import KeyRing
from cuewire.registry.history import History
from cuewire.registry.live import Live
from cuewire.registry.prompts import Registry
from cuewire.registry.reviews import Reviews
from cuewire.registry.scopes import Scopes
from cuewire.registry.sessions import SignIns
from cuewire.registry.templates import Templates
from cuewire.registry.users import Roster


class RegistryFaces(msgspec.Struct, frozen=True, kw_only=True):
    """All that users hold of the registry, and what tells of its changes."""

    prompts: Registry
    templates: Templates
    reviews: Reviews
    strategies: Scopes
    configurations: Scopes
    history: History
    live: Live


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What an App of this process is made of, joined by `wiring`; `close` releases what was opened for it."""

    engine: Engine
    registry: RegistryFaces
    executions: Executions
    cache: CachedAnswers
    actor: Actor
    keys: KeyRing
    users: Roster
    sign_ins: SignIns
    providers: Providers
    clock: Clock
    is_up: Callable[[], bool]
    close: Callable[[], Awaitable[None]]


class LocalApp:
    """Implements `App` in this process, and gives the server what it needs beside that."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._engine = parts.engine
        self._streams: weakref.WeakSet[ExecutionStream] = weakref.WeakSet()

    @property
    def prompts(self) -> Registry:
        """The registry."""
        return self._parts.registry.prompts

    @property
    def templates(self) -> Templates:
        """What authors ask before they publish."""
        return self._parts.registry.templates

    @property
    def reviews(self) -> Reviews:
        """What protects labels, and what waits for a decision."""
        return self._parts.registry.reviews

    @property
    def strategies(self) -> Scopes:
        """What has prompts of its own."""
        return self._parts.registry.strategies

    @property
    def configurations(self) -> Scopes:
        """Environments with parameters."""
        return self._parts.registry.configurations

    @property
    def events(self) -> History:
        """What happened."""
        return self._parts.registry.history

    @property
    def cache(self) -> CachedAnswers:
        """Answers that may be given again."""
        return self._parts.cache

    @property
    def executions(self) -> Executions:
        """The record."""
        return self._parts.executions

    @property
    def clock(self) -> Clock:
        """Time and chance."""
        return self._parts.clock

    @property
    def is_ready(self) -> bool:
        """Tell whether the database answers, for all that is known."""
        return self._parts.is_up()

    @property
    def actor(self) -> Actor:
        """Who uses this App."""
        return self._parts.actor

    @property
    def users(self) -> Roster:
        """Who has a role on the server."""
        return self._parts.users

    @property
    def keys(self) -> KeyRing:
        """Which programs may use the server."""
        return self._parts.keys

    @property
    def sign_ins(self) -> SignIns:
        """Which browsers may use the server."""
        return self._parts.sign_ins

    @property
    def providers(self) -> Providers:
        """Who serves the models."""
        return self._parts.providers

    @property
    def breakers(self) -> WatchedBreakers:
        """Which endpoints are left alone, in this process."""
        parts = self._parts
        return WatchedBreakers(parts.engine.breakers, history=parts.registry.history, actor=parts.actor)

    @property
    def tally(self) -> Tally:
        """What the executions of this process came to."""
        return self._engine.tally

    @property
    def limits(self) -> Gate:
        """What holds calls up, in this process."""
        return self._engine.gate

    @property
    def breaker_states(self) -> Sequence[BreakerState]:
        """How these are now."""
        return self._engine.breakers.states()

    async def run(
        self,
        prompt: str,
        inputs: Inputs | None = None,
        *,
        on_open: Callable[[str], None] | None = None,
        by: Actor | None = None,
        **options: Unpack[RunOptions],
    ) -> Result:
        """Run a prompt and return when the record is durable; see `App.run`.

        `on_open` is told the execution's id as soon as it has one. `by` is who asks, if not who uses this App.
        """
        order = parse_order(prompt, inputs, actor=(by or self.actor).name, **options)
        return await self._engine.run(order, on_open=on_open)

    def stream(
        self, prompt: str, inputs: Inputs | None = None, *, by: Actor | None = None, **options: Unpack[RunOptions]
    ) -> ExecutionStream:
        """Run a prompt and iterate over its answer as it arrives; see `App.stream`, and `run` for `by`."""
        order = parse_order(prompt, inputs, actor=(by or self.actor).name, **options)
        stream = ExecutionStream(lambda listener: self._engine.run(order, listener=listener, on_open=stream.opened))
        self._streams.add(stream)
        return stream

    async def plan(self, prompt: str, inputs: Inputs | None = None, **options: Unpack[RunOptions]) -> Plan:
        """Return what a run may lead to; see `App.plan`."""
        return await self._engine.plan(parse_order(prompt, inputs, **options))

    async def embed(
        self,
        inputs: Sequence[Embeddable],
        *,
        model: str,
        parameters: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        on_open: Callable[[str], None] | None = None,
        by: Actor | None = None,
    ) -> Embedded:
        """Turn texts into vectors, and return when the record is durable; the vectors are in no record.

        See `run` for `by`. Costs money at the provider. Raises InvalidInput, ModelNotFound, ProviderError, StoreError;
        PromptNotFound where the prompt is archived, or inactive, under which embeddings are recorded.
        """
        texts = check_embeddable(inputs)
        order = parse_order(
            EMBEDDINGS,
            {"input": texts},
            model=model,
            parameters=parameters,
            metadata=metadata,
            actor=(by or self.actor).name,
        )
        await self._parts.registry.prompts.provide(EMBEDDINGS, "{{ input }}")
        return await self._engine.embed(order, texts, on_open=on_open)

    async def log(self, entry: Entry) -> str:
        """Store the record of an execution that ran elsewhere, and return its id when it is durable.

        It is stored whole or not at all. Raises NotFound if the prompt or its label does not exist, StoreError.
        """
        return await self._engine.log(replace(entry, actor=self.actor.name))

    async def report(self, execution_id: str, **outcomes: OutcomeValue) -> None:
        """Report what became of an execution; see `App.report`."""
        await self._parts.executions.report(execution_id, outcomes, at=self._parts.clock.now())

    async def close(self) -> None:
        """Cancel streams that still run, write what is queued, and release everything."""
        for stream in list(self._streams):
            await stream.aclose()
        await self._parts.close()
