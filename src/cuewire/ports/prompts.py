"""What is kept of prompts: versions and labels, what guards labels, what prompts belong to, and what happened."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, Unpack

from cuewire.model.events import Event
from cuewire.model.pages import Page
from cuewire.model.prompts import (
    Details,
    Home,
    Prompt,
    PromptFilter,
    PromptStats,
    PromptStatus,
    PromptVersion,
    VersionDraft,
)
from cuewire.model.references import DEFAULT_LABEL, Reference
from cuewire.model.reviews import CheckResult, LabelRule, Review, ReviewStatus
from cuewire.model.scopes import Scope, ScopeKind
from cuewire.model.template_types import TemplateType

Refusal: TypeAlias = Callable[[LabelRule, Review], None]
"""Raises what speaks against a review, with the rule of its label."""


class VersionStore(Protocol):
    """Versions and labels. Each method is one transaction, with the events that tell of it.

    A prompt is named by name and home, or by its id as digits. `by` is who does it. Where a `revision` is given the
    prompt must have it, else Outdated is raised.
    """

    async def publish(
        self,
        draft: VersionDraft,
        *,
        labels: Sequence[str] = (),
        first: Sequence[str] = (DEFAULT_LABEL,),
        details: Details = ...,
        status: PromptStatus | None = None,
        is_new: bool = False,
        by: str = "",
        revision: int | None = None,
        **home: Unpack[Home],
    ) -> PromptVersion:
        """Store the draft as the next version and move `latest` and the given labels to it.

        The first version of a prompt also gets the labels `first`. A draft whose content hash equals the newest
        version's adds no version; its labels move all the same. Raises PromptArchived, ScopeNotFound, and PromptExists
        if the prompt was to be new.
        """
        ...

    async def resolve(self, reference: Reference) -> PromptVersion:
        """Return the version: of the strategy if it has one, else the global one, in the nearest language.

        Raises PromptNotFound, LabelNotFound, VersionNotFound, ScopeNotFound.
        """
        ...

    async def versions(
        self, name: str, *, numbers: Sequence[int] | None = None, **home: Unpack[Home]
    ) -> Sequence[PromptVersion]:
        """Return all versions, newest first, or those of the numbers, in their order.

        Raises PromptNotFound, ScopeNotFound, VersionNotFound.
        """
        ...

    async def label(
        self,
        name: str,
        label: str,
        number: int,
        *,
        by: str = "",
        expected: int | None = None,
        **home: Unpack[Home],
    ) -> PromptVersion:
        """Move the label to the version and return it. Raises NotFound, PromptArchived.

        Raises LabelMoved if it is not on version `expected`, where that is given; 0 means on none.
        """
        ...


class PromptStore(VersionStore, Protocol):
    """Prompts, with their versions and labels."""

    async def get(self, name: str, **home: Unpack[Home]) -> Prompt:
        """Return the prompt of exactly this home, archived if there is no other. Raises PromptNotFound, ScopeNotFound.

        Without a language it is the one in English, else the oldest.
        """
        ...

    async def list(
        self, wanted: PromptFilter, *, limit: int, after: str | None = None, page: int | None = None
    ) -> Page[Prompt]:
        """Return prompts after a cursor, or the page of a number, which begins with 1. Raises ScopeNotFound."""
        ...

    async def first(self, wanted: PromptFilter, *, limit: int) -> tuple[Prompt, ...]:
        """Return the first prompts of the list, and count nothing. Raises ScopeNotFound."""
        ...

    async def stats(self, *, among: Sequence[str] | None = None) -> PromptStats:
        """Return how many prompts there are; with `among` only of such names."""
        ...

    async def change(
        self,
        name: str,
        *,
        details: Details = ...,
        status: PromptStatus | None = None,
        by: str = "",
        revision: int | None = None,
        **home: Unpack[Home],
    ) -> Prompt:
        """Change what is said of the prompt, archive it or bring it back.

        Raises PromptNotFound, and PromptExists if another one took its name in the meantime.
        """
        ...


class EventStore(Protocol):
    """What happened to the registry, in the order in which it became true."""

    async def add(self, action: str, data: Mapping[str, Any], *, by: str) -> None:
        """Store what somebody did beside the tables, where no transaction tells of it. Raises StoreError."""
        ...

    async def list(
        self, *, limit: int, after: int = 0, prompt_id: int | None = None, among: Sequence[str] | None = None
    ) -> Sequence[Event]:
        """Return events by id, of one prompt or of all; with `among` only of prompts of such names."""
        ...

    async def last(self) -> int:
        """Return the id of the newest event, 0 if there is none."""
        ...


class LabelRuleStore(Protocol):
    """What protects labels."""

    async def rules(self, prompt_id: int | None = None) -> Sequence[LabelRule]:
        """Return the rules of a prompt and those of all prompts, which a rule of the prompt itself replaces.

        Without a prompt only those of all.
        """
        ...

    async def set_rule(self, rule: LabelRule, *, by: str) -> None:
        """Store a rule, in the place of one for the same label."""
        ...

    async def drop_rule(self, label: str, *, prompt_id: int | None, by: str) -> bool:
        """Take a rule back, and return whether there was one."""
        ...


class ReviewStore(Protocol):
    """Wishes to move a protected label, and what came of them."""

    async def ask(self, prompt_id: int, label: str, number: int, *, by: str, comment: str) -> Review:
        """Store a review that waits for somebody; one that waits for the same already is returned instead."""
        ...

    async def get(self, review_id: int) -> Review:
        """Return a review. Raises ReviewNotFound."""
        ...

    async def list(
        self,
        *,
        limit: int,
        before: int | None = None,
        prompt_id: int | None = None,
        status: ReviewStatus | None = None,
        among: Sequence[str] | None = None,
    ) -> Sequence[Review]:
        """Return reviews, newest first, before an id; with `among` only of prompts of such names."""
        ...

    async def check(self, review_id: int, results: Sequence[CheckResult]) -> Review:
        """Note how the test cases went. Raises ReviewNotFound, ReviewDecided."""
        ...

    async def decide(
        self, review_id: int, *, status: ReviewStatus, by: str, comment: str, refuse: Refusal | None = None
    ) -> Review:
        """Decide a review that waits; an approved one moves its label, all in one transaction.

        There `refuse` is asked, of the rule and the review as they are then: what it raises undoes everything. Raises
        ReviewDecided, PromptArchived.
        """
        ...


class ScopeStore(Protocol):
    """Strategies and configurations."""

    async def list(self, kind: ScopeKind) -> Sequence[Scope]:
        """Return all of a kind by name."""
        ...

    async def get(self, kind: ScopeKind, name: str) -> Scope:
        """Return one by its name, or its id as digits. Raises ScopeNotFound."""
        ...

    async def put(self, kind: ScopeKind, name: str, changes: Mapping[str, Any], *, is_new: bool, by: str) -> Scope:
        """Make one, or change what is given of it. Raises ScopeExists, ScopeNotFound."""
        ...

    async def remove(self, kind: ScopeKind, name: str, *, by: str) -> None:
        """Remove one that nothing refers to. Raises ScopeNotFound, StillInUse."""
        ...


class TemplateTypeStore(Protocol):
    """The types of templates that a team has beside ours, or in their place."""

    async def list(self) -> Sequence[TemplateType]:
        """Return them by name."""
        ...

    async def put(self, kind: TemplateType, *, by: str) -> None:
        """Store one, in the place of one of the name."""
        ...
