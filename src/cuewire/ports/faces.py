"""What a user holds: the App, in this process or on a server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol, Unpack

from cuewire.model.executions import Execution, ExecutionDetail, Status
from cuewire.model.orders import RunOptions
from cuewire.model.outcomes import Outcome, OutcomeValue
from cuewire.model.pages import Page
from cuewire.model.prompts import (
    Content,
    Inputs,
    Prompt,
    PromptVersion,
    Variable,
    VersionOptions,
)
from cuewire.model.results import Piece, Result


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
