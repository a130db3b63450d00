"""What is kept, and for whom."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from cuewire.model.api_keys import ApiKey
from cuewire.model.executions import Closing, Execution, ExecutionDetail, Opening, Status
from cuewire.model.outcomes import Outcome
from cuewire.model.pages import Page
from cuewire.model.prompt_files import PromptFile
from cuewire.model.prompts import (
    Prompt,
    PromptVersion,
    Reference,
    VersionDraft,
)
from cuewire.model.sessions import Session


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

    async def add(self, opening: Opening, closing: Closing) -> None:
        """Store an execution that ended before it was told of, whole or not at all; returns when it is durable.

        Raises StoreError, InvalidInput.
        """
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


class PromptFolder(Protocol):
    """Prompt files in one place."""

    def read(self) -> Sequence[PromptFile]:
        """Return what all files say, by name. Raises one InvalidInput that lists everything that is wrong."""
        ...

    def write(self, file: PromptFile) -> bool:
        """Write a file, and return whether that changed anything. Raises InvalidInput if it cannot be written."""
        ...
