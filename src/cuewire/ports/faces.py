"""What a user holds: the App, in this process or on a server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol, Unpack

from cuewire.model.breakers import BreakerState, BreakerTurn
from cuewire.model.cache import CacheEntry, CacheMatch, CacheStats, Trust
from cuewire.model.executions import Execution, ExecutionDetail, Status
from cuewire.model.live import OnChange
from cuewire.model.orders import RunOptions
from cuewire.model.outcomes import Outcome, OutcomeValue
from cuewire.model.pages import Page
from cuewire.model.plans import Plan
from cuewire.model.prompts import Inputs
from cuewire.model.results import Piece, Result
from cuewire.ports.limits import LimitsFace
from cuewire.ports.live import Subscription
from cuewire.ports.registry_faces import EventsFace, PromptsFace, ReviewsFace, ScopesFace, TemplatesFace


class ExecutionsFace(Protocol):
    """`app.executions`."""

    async def get(self, execution_id: str) -> ExecutionDetail:
        """Return one execution with all that was stored. Raises ExecutionNotFound."""
        ...

    async def list(
        self,
        *,
        limit: int = 100,
        after: str | None = None,
        prompt: str | None = None,
        status: Status | None = None,
    ) -> Page[Execution]:
        """Return executions, newest first."""
        ...

    def subscribe(
        self,
        *,
        limit: int = 50,
        prompt: str | None = None,
        status: Status | None = None,
        after: str | None = None,
        on_change: OnChange[Execution] | None = None,
    ) -> Subscription[Execution]:
        """Follow the newest executions, at most 100, whoever runs them.

        With `on_change`, that is told the whole list at first and at each change, until `unsubscribe`. With the id of
        an earlier change as `after`, the whole list comes only if it is not what it was then. Raises InvalidInput,
        Forbidden.
        """
        ...

    async def outcomes(self, execution_id: str) -> Sequence[Outcome]:
        """Return what was reported of an execution."""
        ...


class BreakersFace(Protocol):
    """`app.breakers`: those of the process that runs executions, one for each model that it has called."""

    async def list(self) -> Sequence[BreakerState]:
        """Return how all of them are, by model. Raises Forbidden."""
        ...

    async def turn(self, model: str, status: BreakerTurn) -> BreakerState:
        """Open or close one by hand, or leave it to itself again; an event says who did.

        Raises InvalidInput, Forbidden, StoreError.
        """
        ...


class Stream(Protocol):
    """A running execution whose answer arrives in pieces. Leaving the loop early and closing it cancels the call."""

    def __aiter__(self) -> AsyncIterator[Piece]:
        """Yield the pieces; raises what `run` would raise."""
        ...

    async def result(self) -> Result:
        """Return the result; reads the rest of the stream if there is one."""
        ...

    async def aclose(self) -> None:
        """Cancel what still runs, and return when its record is closed."""
        ...


class CacheFace(Protocol):
    """`app.cache`: answers that may be given again, as the policies of versions say."""

    async def list(self, *, limit: int = 100, after: str | None = None) -> Page[CacheEntry]:
        """Return entries, the newest first, also those that have expired."""
        ...

    async def stats(self) -> CacheStats:
        """Return what there is, and what it was good for."""
        ...

    async def clear(self, prompt: str | None = None, *, number: int | None = None) -> int:
        """Remove the entries of a prompt, or of one of its versions, or all; return how many there were.

        Other processes give them no longer within a second. Raises PromptNotFound.
        """
        ...

    async def matches(
        self, prompt: str | None = None, *, undecided: bool = False, limit: int = 100, after: str | None = None
    ) -> Page[CacheMatch]:
        """Return answers to similar questions that were not given but got anew, with both, the oldest first.

        Those of a prompt, or of all; with `undecided` only those of which nobody has said whether they were right.
        Raises PromptNotFound.
        """
        ...

    async def decide(self, execution_id: str, verdict: str) -> CacheMatch:
        """Say whether the earlier answer would have been `right` or `wrong` for an execution that has a match.

        Where enough are right, versions whose policy says `serve` give such answers. Raises NotFound, InvalidInput.
        """
        ...

    async def trust(self, prompt: str) -> Trust:
        """Return how often answers to similar questions would have been right, as a prompt's version compares them.

        Raises PromptNotFound, and InvalidInput if it compares none.
        """
        ...


class App(Protocol):
    """Cuewire, in this process or on a server."""

    @property
    def prompts(self) -> PromptsFace:
        """The registry."""
        ...

    @property
    def templates(self) -> TemplatesFace:
        """What authors ask before they publish."""
        ...

    @property
    def reviews(self) -> ReviewsFace:
        """What protects labels, and what waits for a decision."""
        ...

    @property
    def strategies(self) -> ScopesFace:
        """What has prompts of its own."""
        ...

    @property
    def configurations(self) -> ScopesFace:
        """Environments with parameters."""
        ...

    @property
    def events(self) -> EventsFace:
        """What happened."""
        ...

    @property
    def cache(self) -> CacheFace:
        """Answers that may be given again."""
        ...

    @property
    def executions(self) -> ExecutionsFace:
        """The record."""
        ...

    @property
    def breakers(self) -> BreakersFace:
        """Which endpoints are left alone at present."""
        ...

    @property
    def limits(self) -> LimitsFace:
        """What holds calls up at present."""
        ...

    async def run(self, prompt: str, inputs: Inputs | None = None, **options: Unpack[RunOptions]) -> Result:
        """Run a prompt and return when the record is durable.

        Costs money at the provider. Raises NotFound, InvalidInput, TemplateError, ProviderError, OutputError, Conflict,
        StoreError; the error names the execution.
        """
        ...

    def stream(self, prompt: str, inputs: Inputs | None = None, **options: Unpack[RunOptions]) -> Stream:
        """Run a prompt and iterate over its answer as it arrives; otherwise as `run`."""
        ...

    async def plan(self, prompt: str, inputs: Inputs | None = None, **options: Unpack[RunOptions]) -> Plan:
        """Return what a run may lead to: its candidates, each with the reason, and bounds on calls and cost.

        Nothing is called, and nothing is recorded. Raises what `run` would raise before its first call.
        """
        ...

    async def report(self, execution_id: str, **outcomes: OutcomeValue) -> None:
        """Report what became of an execution, as in `report(id, correct=True)`. Raises ExecutionNotFound."""
        ...
