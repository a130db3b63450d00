"""The registry as a user holds it: prompts and versions, templates, reviews, scopes, and what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Unpack

from cuewire.model.analyses import Analysis, Preview
from cuewire.model.diffs import Diff
from cuewire.model.events import Event
from cuewire.model.pages import Page
from cuewire.model.prompts import (
    EVERY_PROMPT,
    Content,
    EditOptions,
    Home,
    Inputs,
    Prompt,
    PromptFilter,
    PromptStats,
    PromptVersion,
    PublishOptions,
    Variable,
)
from cuewire.model.reviews import LabelRule, Review, ReviewStatus
from cuewire.model.scopes import Scope, ScopeOptions
from cuewire.model.template_types import TemplateType, Word
from cuewire.ports.live import LiveFace


class VersionsFace(Protocol):
    """What `app.prompts` does with versions. Prompts are named by name and home, or by their id as digits."""

    async def publish(
        self,
        name: str,
        content: Content,
        *,
        labels: Sequence[str] = (),
        publish: bool = False,
        new: bool = False,
        revision: int | None = None,
        **options: Unpack[PublishOptions],
    ) -> PromptVersion:
        """Store a new immutable version, unless it equals the newest one, and move the labels to it.

        The prompt is the one that `find` finds; if that is none, or an archived one, a new one is made, in English
        unless a language is given; where there are only ones in others, it must be. Its first version gets the label
        production; later ones only with `publish`. What is protected, or not for the actor to move, stays where it is,
        and a review is asked for where one would do. With `new` there must be no such prompt; with `revision` it must
        have that one. Raises InvalidInput, TemplateError, PromptArchived, PromptExists, Outdated, ScopeNotFound,
        Forbidden.
        """
        ...

    async def draft(
        self,
        name: str,
        number: int,
        content: Content | None = None,
        *,
        labels: Sequence[str] = (),
        **options: Unpack[PublishOptions],
    ) -> PromptVersion:
        """Publish a version made from version `number`: what is not given is as it is there.

        With nothing given it is that version once more: the way back without moving a label. Raises as `publish`.
        """
        ...

    async def variables(self, content: Content) -> Mapping[str, Variable]:
        """Return the variables that a version of this content would have, in order; nothing is stored.

        Raises InvalidInput, TemplateError.
        """
        ...

    async def get(self, reference: str, **home: Unpack[Home]) -> PromptVersion:
        """Return a version by `name`, `name@label` or `name@7`: the strategy's, else the global one. Raises NotFound.

        Without a version in the language asked for there is one in a nearer or the default language; the version says
        which it is of.
        """
        ...

    async def versions(self, name: str, **home: Unpack[Home]) -> Sequence[PromptVersion]:
        """Return all versions of a prompt, newest first. Raises PromptNotFound."""
        ...

    async def label(
        self, name: str, label: str, number: int, *, expected: int | None = None, **home: Unpack[Home]
    ) -> PromptVersion:
        """Move a label to a version: the roll-out, and the way back.

        With `expected` it must be on that version before, 0 for none. Raises NotFound, InvalidInput, LabelMoved,
        Forbidden, and ReviewRequired where a review now waits.
        """
        ...

    async def diff(
        self, name: str, first: int, second: int, *, inputs: Inputs | None = None, **home: Unpack[Home]
    ) -> Diff:
        """Compare two versions, with inputs also as they come out. Raises NotFound, InvalidInput, TemplateError."""
        ...


class ShelfFace(Protocol):
    """What `app.prompts` finds."""

    async def find(self, name: str, **home: Unpack[Home]) -> Prompt:
        """Return a prompt of exactly this home, archived if there is no other. Raises PromptNotFound."""
        ...

    async def list(
        self,
        *,
        limit: int = 100,
        after: str | None = None,
        page: int | None = None,
        wanted: PromptFilter = EVERY_PROMPT,
    ) -> Page[Prompt]:
        """Return the prompts that are wanted, after a cursor, or the page of a number, which begins with 1."""
        ...

    async def stats(self) -> PromptStats:
        """Return how many prompts there are, by what is said of them."""
        ...

    async def history(self, name: str, *, limit: int = 100, after: int = 0, **home: Unpack[Home]) -> Sequence[Event]:
        """Return what happened to a prompt, oldest first; `after` is the id of the last event seen."""
        ...


class EditsFace(Protocol):
    """What `app.prompts` changes beside versions."""

    async def edit(self, name: str, **changes: Unpack[EditOptions]) -> Prompt:
        """Change what is said of a prompt, or whether it is active.

        Raises PromptNotFound, PromptArchived, InvalidInput, Outdated, Forbidden.
        """
        ...

    async def archive(self, name: str, *, revision: int | None = None, **home: Unpack[Home]) -> Prompt:
        """Archive a prompt: it keeps its history and no longer runs. Raises PromptNotFound, Outdated."""
        ...

    async def restore(self, name: str, **home: Unpack[Home]) -> Prompt:
        """Bring an archived prompt back. Raises PromptNotFound, PromptExists if another one has its name by now."""
        ...

    async def clone(self, name: str, to: str, *, source: Home | None = None, **home: Unpack[Home]) -> PromptVersion:
        """Publish what a prompt says in production, else newest, as a new prompt, and return its first version.

        `source` is the home of the prompt, `home` that of the new one. Raises PromptNotFound, PromptExists.
        """
        ...


class PromptsFace(VersionsFace, ShelfFace, EditsFace, LiveFace, Protocol):
    """`app.prompts`."""


class TemplatesFace(Protocol):
    """`app.templates`: what is known of templates before they run, and what their authors write from."""

    async def analyse(
        self,
        content: Content,
        *,
        name: str = "",
        variables: Mapping[str, Mapping[str, Any]] = ...,
        template_type: str | None = None,
        **home: Unpack[Home],
    ) -> Analysis:
        """Return all that is wrong with content, with its place, and what its author should know.

        `name` is the prompt that it is for, `variables` what `publish` would get; `template_type` names the catalogue
        that its inputs are held against. Raises InvalidInput for what is no content, TemplateTypeNotFound.
        """
        ...

    async def preview(
        self,
        content: Content,
        inputs: Inputs | None = None,
        *,
        variables: Mapping[str, Mapping[str, Any]] = ...,
        lenient: bool = False,
        strict: bool = False,
        examples: bool = False,
        template_type: str | None = None,
        **home: Unpack[Home],
    ) -> Preview:
        """Return how content looks with some inputs, with marks for what is missing; nothing is run.

        With `strict` all that is missing, surplus or wrong is refused, and the texts are those of a run. With
        `examples` missing inputs take theirs. Raises InvalidInput, TemplateError, NotFound.
        """
        ...

    async def preview_version(
        self,
        reference: str,
        inputs: Inputs | None = None,
        *,
        strict: bool = False,
        examples: bool = False,
        **home: Unpack[Home],
    ) -> Preview:
        """Return how a version looks with some inputs; otherwise as `preview`. Raises NotFound."""
        ...

    async def types(self) -> Sequence[TemplateType]:
        """Return all types of templates by name, each with the inputs that its templates usually read."""
        ...

    async def set_type(self, kind: TemplateType) -> TemplateType:
        """Add a type, or say anew what one is. Raises InvalidInput, Forbidden."""
        ...

    async def words(self) -> Sequence[Word]:
        """Return all filters, functions and tests that templates can use."""
        ...


class LabelRulesFace(Protocol):
    """What `app.reviews` says of labels: which are protected, and how."""

    async def rules(self, prompt: str | None = None, **home: Unpack[Home]) -> Sequence[LabelRule]:
        """Return the rules for all prompts, or those that hold for one. Raises PromptNotFound."""
        ...

    async def protect(self, rule: LabelRule) -> None:
        """Set what protects a label. Raises InvalidInput, PromptNotFound, Forbidden."""
        ...

    async def unprotect(self, label: str, prompt_id: int | None = None) -> bool:
        """Take a rule back, and return whether there was one. Raises Forbidden."""
        ...


class ReviewsFace(LabelRulesFace, Protocol):
    """`app.reviews`: labels that move only when somebody else, or test cases, agree."""

    async def list(
        self,
        prompt: str | None = None,
        *,
        status: ReviewStatus | None = None,
        limit: int = 100,
        before: int | None = None,
        **home: Unpack[Home],
    ) -> Sequence[Review]:
        """Return reviews, newest first, before an id: of one prompt or of all."""
        ...

    async def get(self, review_id: int) -> Review:
        """Return a review. Raises ReviewNotFound."""
        ...

    async def check(self, review_id: int) -> Review:
        """Run the test cases of a review, and note how they went. Costs money. Raises ReviewNotFound, ReviewDecided."""
        ...

    async def approve(self, review_id: int, *, comment: str = "") -> Review:
        """Agree, and move the label. Raises ReviewRequired while something is missing, ReviewDecided, Forbidden.

        Who asked for the review may agree too, once all test cases passed, unless it takes somebody else.
        """
        ...

    async def reject(self, review_id: int, *, comment: str = "") -> Review:
        """Refuse; who asked for the review withdraws it. Raises ReviewDecided, Forbidden."""
        ...


class ScopesFace(Protocol):
    """`app.strategies` and `app.configurations`. Each is named by its name, or its id as digits."""

    async def list(self) -> Sequence[Scope]:
        """Return all by name."""
        ...

    async def get(self, name: str) -> Scope:
        """Return one. Raises ScopeNotFound."""
        ...

    async def add(self, name: str, **options: Unpack[ScopeOptions]) -> Scope:
        """Make one. Raises InvalidInput, ScopeExists, Forbidden."""
        ...

    async def edit(self, name: str, **options: Unpack[ScopeOptions]) -> Scope:
        """Change what is given. Raises InvalidInput, ScopeNotFound, Forbidden."""
        ...

    async def remove(self, name: str) -> None:
        """Remove one that nothing refers to. Raises ScopeNotFound, StillInUse, Forbidden."""
        ...


class EventsFace(Protocol):
    """`app.events`: what happened to prompts, labels, scopes, users and keys."""

    async def list(self, *, limit: int = 100, after: int = 0) -> Sequence[Event]:
        """Return what happened, oldest first; `after` is the id of the last event seen. Raises Forbidden."""
        ...
