"""What is kept, and for whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from cuewire.model.executions import Closing, Execution, ExecutionDetail, Opening, Status
from cuewire.model.outcomes import Outcome
from cuewire.model.pages import Page
from cuewire.model.prompt_files import PromptFile


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
        among: Sequence[str] | None = None,
    ) -> Page[Execution]:
        """Return executions, newest first; `among` are the prompts to which the list is limited, as an actor's are."""
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

    async def add(self, opening: Opening, closing: Closing) -> None:
        """Store an execution that ended before it was told of, whole or not at all; returns when it is durable.

        Raises StoreError, InvalidInput.
        """
        ...


class PromptFolder(Protocol):
    """Prompt files in one place."""

    def read(self) -> Sequence[PromptFile]:
        """Return what all files say, by name. Raises one InvalidInput that lists everything that is wrong."""
        ...

    def find(self, name: str) -> PromptFile | None:
        """Return the file of the global prompt of a name, in English. Raises InvalidInput if it cannot be used."""
        ...

    def write(self, file: PromptFile) -> bool:
        """Write a file, and return whether that changed anything. Raises InvalidInput if it cannot be written."""
        ...
