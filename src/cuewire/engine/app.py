"""Cuewire in this process: the App port over engine, registry and stores."""

from __future__ import annotations

import weakref
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar, Unpack, get_args

import msgspec
from msgspec.structs import replace

from cuewire.engine.cached import CachedAnswers
from cuewire.engine.gate import Gate
from cuewire.engine.live import MAX_WINDOW, LiveExecutions
from cuewire.engine.run import Engine
from cuewire.engine.stream import ExecutionStream
from cuewire.engine.tally import Tally
from cuewire.engine.watched import WatchedBreakers
from cuewire.model.actors import LOCAL, Actor
from cuewire.model.breakers import BreakerState
from cuewire.model.embeddings import Embeddable, Embedded, check_embeddable
from cuewire.model.entries import Entry
from cuewire.model.errors import InvalidInput
from cuewire.model.executions import Execution, ExecutionDetail, Status
from cuewire.model.ids import check_execution_id, no_execution
from cuewire.model.live import OnChange
from cuewire.model.orders import RunOptions, parse_order
from cuewire.model.outcomes import Outcome, OutcomeValue, check_outcomes
from cuewire.model.pages import Page, check_limit
from cuewire.model.plans import Plan
from cuewire.model.prompts import EMBEDDINGS, Inputs
from cuewire.model.references import check_name
from cuewire.model.results import Result
from cuewire.ports import Clock, ExecutionStore, OutcomeStore, Providers
from cuewire.registry.access import authorize, may
from cuewire.registry.api_keys import KeyRing
from cuewire.registry.history import History
from cuewire.registry.live import Live
from cuewire.registry.prompts import Registry
from cuewire.registry.reviews import Reviews
from cuewire.registry.scopes import Scopes
from cuewire.registry.sessions import SignIns
from cuewire.registry.subscriptions import Reader, Subscription, subscription
from cuewire.registry.templates import Templates
from cuewire.registry.users import Roster

Seen = TypeVar("Seen", bound=Execution)


class Executions:
    """Implements `ExecutionsFace` over the stores, for an actor: what is not for them is not there."""

    def __init__(
        self, executions: ExecutionStore, outcomes: OutcomeStore, *, live: LiveExecutions, actor: Actor = LOCAL
    ) -> None:
        self._executions = executions
        self._outcomes = outcomes
        self._live = live
        self._actor = actor

    def by(self, actor: Actor) -> Executions:
        """Return the record as the actor may see it."""
        return Executions(self._executions, self._outcomes, live=self._live, actor=actor)

    async def get(self, execution_id: str) -> ExecutionDetail:
        """Return one execution with all that was stored, and may be seen."""
        authorize(self._actor, "executions:read")
        return self._shown(await self._mine(execution_id))

    async def with_outcomes(self, execution_id: str) -> tuple[ExecutionDetail, Sequence[Outcome]]:
        """Return the same, and what was reported of it."""
        found = await self.get(execution_id)
        return found, await self._outcomes.list(found.id)

    async def answered(self, execution_id: str) -> ExecutionDetail:
        """Return one execution for who takes up its stream: no more than its answer is for them."""
        authorize(self._actor, "executions:body")
        return await self._mine(execution_id)

    async def status(self, execution_id: str) -> Status:
        """Return how it stands with an execution: as much of the record as who runs prompts is told."""
        authorize(self._actor, "run")
        return (await self._mine(execution_id)).status

    async def check_seen(self, execution_id: str) -> None:
        """Raise ExecutionNotFound for one of a prompt that is not for the actor; looks only if some are not."""
        if self._actor.prompts is not None:
            await self._mine(execution_id)

    async def list(
        self,
        *,
        limit: int = 100,
        after: str | None = None,
        prompt: str | None = None,
        status: Status | None = None,
    ) -> Page[Execution]:
        """Return executions, newest first."""
        authorize(self._actor, "executions:read")
        _check_wanted(prompt, status)
        return await self._listed(limit=limit, after=after, prompt=prompt, status=status)

    def subscribe(
        self,
        *,
        limit: int = 50,
        prompt: str | None = None,
        status: Status | None = None,
        after: str | None = None,
        on_change: OnChange[Execution] | None = None,
    ) -> Subscription[Execution]:
        """Follow the newest executions; see `ExecutionsFace.subscribe`."""
        reader = self.follow(limit=limit, prompt=prompt, status=status, after=after)
        return subscription(reader, after=after, on_change=on_change)

    def follow(
        self, *, limit: int = 50, prompt: str | None = None, status: Status | None = None, after: str | None = None
    ) -> Reader[Execution]:
        """Return what reads the same changes, for who has many to tell."""
        authorize(self._actor, "executions:read")
        _check_wanted(prompt, status)
        check_limit(limit, most=MAX_WINDOW)

        async def look() -> tuple[Execution, ...]:
            return (await self._listed(limit=limit, prompt=prompt, status=status)).items

        key = limit, prompt, status, self._actor.prompts, self._sees_bodies
        return self._live.follow(look, key=key, after=after)

    async def outcomes(self, execution_id: str) -> Sequence[Outcome]:
        """Return what was reported of an execution."""
        return (await self.with_outcomes(execution_id))[1]

    async def report(
        self, execution_id: str, outcomes: Mapping[str, OutcomeValue], *, at: datetime
    ) -> Sequence[Outcome]:
        """Store what became of an execution, and return that as it is stored."""
        found = check_execution_id(execution_id)
        checked = check_outcomes(outcomes)
        await self.check_seen(found)
        reported = [
            Outcome(execution_id=found, name=name, value=value, reported_at=at)
            for name, value in sorted(checked.items())
        ]
        await self._outcomes.report(reported)
        return reported

    @property
    def _sees_bodies(self) -> bool:
        return may(self._actor, "executions:body")

    def _shown(self, execution: Seen) -> Seen:
        return execution if self._sees_bodies else execution.without_bodies()

    async def _mine(self, execution_id: str) -> ExecutionDetail:
        found = await self._executions.get(check_execution_id(execution_id))
        if not self._actor.sees(found.prompt):
            raise no_execution(execution_id)
        return found

    async def _listed(
        self, *, limit: int, prompt: str | None, status: Status | None, after: str | None = None
    ) -> Page[Execution]:
        found = await self._executions.list(
            limit=limit, after=after, prompt=prompt, status=status, among=self._actor.prompts
        )
        return replace(found, items=tuple(map(self._shown, found.items)))


def _check_wanted(prompt: str | None, status: Status | None) -> None:
    if prompt is not None:
        check_name(prompt)
    if status is not None and status not in get_args(Status):
        raise InvalidInput(
            f"{str(status)[:40]!r} is not a status", field="/status", hint=f"one of {', '.join(get_args(Status))}"
        )


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
