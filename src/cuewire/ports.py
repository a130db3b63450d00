"""What the inside needs from the outside, as protocols. Adapters implement them; `wiring.py` joins the two."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeAlias, Unpack, runtime_checkable

from cuewire.model.api_keys import ApiKey
from cuewire.model.embeddings import EmbeddingRequest, Embeddings
from cuewire.model.executions import Closing, Execution, ExecutionDetail, Opening, Status
from cuewire.model.orders import RunOptions
from cuewire.model.outcomes import Outcome, OutcomeValue
from cuewire.model.pages import Page
from cuewire.model.prices import Rates
from cuewire.model.prompts import (
    Content,
    Inputs,
    Prompt,
    PromptVersion,
    Reference,
    Variable,
    VersionDraft,
    VersionOptions,
)
from cuewire.model.requests import ModelRef, ModelRequest
from cuewire.model.results import Answer, Piece, Result
from cuewire.model.sessions import Session

Listener: TypeAlias = Callable[[str], Awaitable[None]]
"""Gets each run of text of a streamed answer, in order; the provider reads on when it returns."""


class Clock(Protocol):
    """Time and chance, so that tests can hold both still."""

    def now(self) -> datetime:
        """Return the wall clock as aware UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds from an arbitrary point that never runs backwards."""
        ...

    def random_bits(self) -> int:
        """Return 74 random bits."""
        ...


class Provider(Protocol):
    """One wire format at one origin. Safe for any number of concurrent calls."""

    async def call(self, request: ModelRequest, *, listener: Listener | None) -> Answer:
        """Make one model call and return the complete answer; with a listener the answer is streamed to it.

        Costs money. Raises ProviderError; when cancelled, the upstream connection is closed within a second.
        """
        ...

    async def models(self) -> Sequence[str]:
        """Return the names of the models that the provider lists. Raises ProviderError."""
        ...

    async def close(self) -> None:
        """Release connections and processes."""
        ...


@runtime_checkable
class Embedder(Protocol):
    """What a provider is, besides, if it has models that turn texts into vectors. Concurrency as with calls."""

    async def embed(self, request: EmbeddingRequest) -> Embeddings:
        """Return the vectors of the inputs. Costs money. Raises ProviderError; cancelled as a call is."""
        ...


class Providers(Protocol):
    """The configured providers by name."""

    def get(self, name: str) -> Provider:
        """Return a provider, made on first use. Raises ModelNotFound or MissingExtra."""
        ...

    def embedder(self, name: str) -> Embedder:
        """Return a provider that embeds. Raises as `get`, and ModelNotFound if it has no models for that."""
        ...

    def names(self) -> Sequence[str]:
        """Return the names of all providers that could be used, sorted."""
        ...

    def ready(self) -> Sequence[str]:
        """Return the names of those that are set up for use, sorted."""
        ...

    async def close(self) -> None:
        """Close those that were used."""
        ...


class Renderer(Protocol):
    """Templates in, text out."""

    async def render(self, templates: tuple[str, ...], inputs: Inputs, *, key: str) -> tuple[str, ...]:
        """Render the templates of one version, in order.

        `key` identifies the templates' content: equal keys must mean equal templates, so that they compile once.
        Raises TemplateError. Bounded in time, memory and output.
        """
        ...

    async def variables(self, templates: tuple[str, ...]) -> Mapping[str, bool]:
        """Return the names that the templates read, in order of appearance, each with whether it must be given.

        Raises TemplateError if a template cannot be used, so that publishing refuses it.
        """
        ...

    async def close(self) -> None:
        """Stop the worker processes."""
        ...


class PriceBook(Protocol):
    """Prices by provider, model and date."""

    def rates(self, model: ModelRef, at: datetime) -> Rates | None:
        """Return what the model's tokens cost at that time, None when it is not known. Never raises; cached."""
        ...


class PromptStore(Protocol):
    """Prompts, versions and labels. Each method is one transaction."""

    async def publish(self, draft: VersionDraft, *, labels: Sequence[str] = ()) -> PromptVersion:
        """Store the draft as the next version and move `latest` and the given labels to it.

        The first version of a prompt also gets `production`. A draft whose content hash equals the newest version's
        adds no version; its labels move all the same. Raises PromptArchived.
        """
        ...

    async def resolve(self, reference: Reference) -> PromptVersion:
        """Return the version. Raises PromptNotFound, LabelNotFound, VersionNotFound."""
        ...

    async def get(self, name: str) -> Prompt:
        """Return the prompt, archived or not. Raises PromptNotFound."""
        ...

    async def list(self, *, limit: int, after: str | None, archived: bool) -> Page[Prompt]:
        """Return prompts by name."""
        ...

    async def versions(self, name: str) -> Sequence[PromptVersion]:
        """Return all versions, newest first. Raises PromptNotFound."""
        ...

    async def label(self, name: str, label: str, number: int) -> PromptVersion:
        """Move the label to the version and return it. Raises NotFound, PromptArchived."""
        ...

    async def archive(self, name: str) -> Prompt:
        """Archive the prompt: it keeps its history and no longer runs. Raises PromptNotFound."""
        ...


class Changes(Protocol):
    """Word of what others did to the same database."""

    async def changed(self) -> bool:
        """Tell whether another process has committed since the last time that this was asked."""
        ...


class ExecutionStore(Protocol):
    """Reading the record."""

    async def get(self, execution_id: str) -> ExecutionDetail:
        """Return the execution. Raises ExecutionNotFound."""
        ...

    async def list(
        self,
        *,
        limit: int,
        after: str | None = None,
        prompt: str | None = None,
        status: Status | None = None,
    ) -> Page[Execution]:
        """Return executions, newest first."""
        ...


class OutcomeStore(Protocol):
    """What became of executions."""

    async def report(self, outcomes: Sequence[Outcome]) -> None:
        """Store the outcomes, all or none. Raises ExecutionNotFound."""
        ...

    async def list(self, execution_id: str) -> Sequence[Outcome]:
        """Return the outcomes of an execution by name."""
        ...


class Recorder(Protocol):
    """Writing the record, durably."""

    def open(self, opening: Opening) -> None:
        """Enqueue the open row. Returns at once; an error surfaces at `close`.

        Raises StoreUnavailable if the database is known to be away, so that no call is paid for that leaves no trace.
        """
        ...

    async def claim(self, opening: Opening) -> str | None:
        """Store an open row that has an idempotency key; returns when it is durable.

        Returns None when the key is now ours, or the id of the execution that holds it. Raises IdempotencyMismatch.
        A key whose holder was interrupted, or failed on the provider's side, is taken over.
        """
        ...

    async def close(self, closing: Closing) -> None:
        """Store the end of an execution; returns when it is durable. Raises StoreError."""
        ...


class ApiKeys(Protocol):
    """The keys of the server, as hashes."""

    async def find(self, key_id: str) -> ApiKey | None:
        """Return the key of this id, revoked or not, None if there is none."""
        ...

    async def list(self) -> Sequence[ApiKey]:
        """Return all keys, oldest first."""
        ...

    async def add(self, key: ApiKey) -> None:
        """Store a new key; returns when it is durable. Raises StoreError."""
        ...

    async def revoke(self, key_id: str, *, at: datetime) -> ApiKey:
        """Revoke a key, for good; one that is revoked stays as it is. Raises ApiKeyNotFound."""
        ...


class Sessions(Protocol):
    """The sessions of browsers, as hashes."""

    async def find(self, session_id: str) -> Session | None:
        """Return the session or link of this id, ended or not, None if there is none."""
        ...

    async def add(self, session: Session) -> None:
        """Store a link, and drop what has ended by then; returns when it is durable. Raises StoreError."""
        ...

    async def begin(self, session: Session, *, link_hash: str) -> bool:
        """Make a link the session of the same id, and return whether this call did so, which one can at most."""
        ...

    async def note(self, session_id: str, *, seen_at: datetime) -> None:
        """Note that a session was used."""
        ...

    async def end(self, session_id: str) -> None:
        """Drop a session; returns when that is durable."""
        ...


class PromptsFace(Protocol):
    """`app.prompts`."""

    async def publish(
        self,
        name: str,
        content: Content,
        *,
        labels: Sequence[str] = (),
        publish: bool = False,
        **options: Unpack[VersionOptions],
    ) -> PromptVersion:
        """Store a new immutable version, unless it equals the newest one, and move the labels to it.

        The first version of a prompt gets the label production; later ones only with `publish`. Raises InvalidInput,
        TemplateError, PromptArchived.
        """
        ...

    async def variables(self, content: Content) -> Mapping[str, Variable]:
        """Return the variables that a version of this content would have, in order; nothing is stored.

        Raises InvalidInput, TemplateError.
        """
        ...

    async def get(self, reference: str) -> PromptVersion:
        """Return a version by `name`, `name@label` or `name@7`. Raises NotFound."""
        ...

    async def list(self, *, limit: int = 100, after: str | None = None, archived: bool = False) -> Page[Prompt]:
        """Return prompts by name; `archived` chooses which of the two shelves."""
        ...

    async def versions(self, name: str) -> Sequence[PromptVersion]:
        """Return all versions of a prompt, newest first. Raises PromptNotFound."""
        ...

    async def label(self, name: str, label: str, number: int) -> PromptVersion:
        """Move a label to a version: the roll-out, and the way back. Raises NotFound, InvalidInput."""
        ...

    async def archive(self, name: str) -> Prompt:
        """Archive a prompt. Raises PromptNotFound."""
        ...


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

    async def outcomes(self, execution_id: str) -> Sequence[Outcome]:
        """Return what was reported of an execution."""
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


class App(Protocol):
    """Cuewire, in this process or on a server."""

    @property
    def prompts(self) -> PromptsFace:
        """The registry."""
        ...

    @property
    def executions(self) -> ExecutionsFace:
        """The record."""
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

    async def report(self, execution_id: str, **outcomes: OutcomeValue) -> None:
        """Report what became of an execution, as in `report(id, correct=True)`. Raises ExecutionNotFound."""
        ...
