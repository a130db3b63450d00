"""The blocking form of what is done with prompts."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Unpack

from cuewire.blocking.live import BlockingSubscription, BlockingSubscriptions
from cuewire.blocking.loop import Loop
from cuewire.model.diffs import Diff
from cuewire.model.events import Event
from cuewire.model.live import OnChange
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

if TYPE_CHECKING:
    from cuewire.ports import PromptsFace


class BlockingPrompts:
    """The blocking form of `PromptsFace`."""

    def __init__(self, prompts: PromptsFace, loop: Loop, subscriptions: BlockingSubscriptions) -> None:
        self._prompts = prompts
        self._loop = loop
        self._subscriptions = subscriptions

    def publish(
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
        """Store a new immutable version; see `PromptsFace.publish`."""
        return self._loop.run(
            self._prompts.publish(name, content, labels=labels, publish=publish, new=new, revision=revision, **options)
        )

    def draft(
        self,
        name: str,
        number: int,
        content: Content | None = None,
        *,
        labels: Sequence[str] = (),
        **options: Unpack[PublishOptions],
    ) -> PromptVersion:
        """Publish a version made from an earlier one; see `PromptsFace.draft`."""
        return self._loop.run(self._prompts.draft(name, number, content, labels=labels, **options))

    def variables(self, content: Content) -> dict[str, Variable]:
        """Return the variables that a version of this content would have, in order; nothing is stored."""
        return dict(self._loop.run(self._prompts.variables(content)))

    def get(self, reference: str, **home: Unpack[Home]) -> PromptVersion:
        """Return a version by `name`, `name@label` or `name@7`."""
        return self._loop.run(self._prompts.get(reference, **home))

    def versions(self, name: str, **home: Unpack[Home]) -> builtins.list[PromptVersion]:
        """Return all versions of a prompt, newest first."""
        return [*self._loop.run(self._prompts.versions(name, **home))]

    def label(
        self, name: str, label: str, number: int, *, expected: int | None = None, **home: Unpack[Home]
    ) -> PromptVersion:
        """Move a label to a version; see `PromptsFace.label`."""
        return self._loop.run(self._prompts.label(name, label, number, expected=expected, **home))

    def diff(self, name: str, first: int, second: int, *, inputs: Inputs | None = None, **home: Unpack[Home]) -> Diff:
        """Compare two versions; see `PromptsFace.diff`."""
        return self._loop.run(self._prompts.diff(name, first, second, inputs=inputs, **home))

    def find(self, name: str, **home: Unpack[Home]) -> Prompt:
        """Return a prompt."""
        return self._loop.run(self._prompts.find(name, **home))

    def list(
        self,
        *,
        limit: int = 100,
        after: str | None = None,
        page: int | None = None,
        wanted: PromptFilter = EVERY_PROMPT,
    ) -> Page[Prompt]:
        """Return the prompts that are wanted."""
        return self._loop.run(self._prompts.list(limit=limit, after=after, page=page, wanted=wanted))

    def subscribe(
        self,
        *,
        limit: int = 100,
        wanted: PromptFilter = EVERY_PROMPT,
        after: str | None = None,
        on_change: OnChange[Prompt] | None = None,
    ) -> BlockingSubscription[Prompt]:
        """Follow the prompts that are wanted; see `LiveFace.subscribe`."""
        subscribe = partial(self._prompts.subscribe, limit=limit, wanted=wanted, after=after)
        return self._subscriptions.follow(subscribe, after=after, on_change=on_change)

    def stats(self) -> PromptStats:
        """Return how many prompts there are, by what is said of them."""
        return self._loop.run(self._prompts.stats())

    def edit(self, name: str, **changes: Unpack[EditOptions]) -> Prompt:
        """Change what is said of a prompt, or whether it is active."""
        return self._loop.run(self._prompts.edit(name, **changes))

    def archive(self, name: str, *, revision: int | None = None, **home: Unpack[Home]) -> Prompt:
        """Archive a prompt."""
        return self._loop.run(self._prompts.archive(name, revision=revision, **home))

    def restore(self, name: str, **home: Unpack[Home]) -> Prompt:
        """Bring an archived prompt back."""
        return self._loop.run(self._prompts.restore(name, **home))

    def clone(self, name: str, to: str, *, source: Home | None = None, **home: Unpack[Home]) -> PromptVersion:
        """Publish what a prompt says as a new prompt; see `PromptsFace.clone`."""
        return self._loop.run(self._prompts.clone(name, to, source=source, **home))

    def history(self, name: str, *, limit: int = 100, after: int = 0, **home: Unpack[Home]) -> builtins.list[Event]:
        """Return what happened to a prompt, oldest first."""
        return [*self._loop.run(self._prompts.history(name, limit=limit, after=after, **home))]
