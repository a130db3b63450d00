"""The blocking form of what stands around prompts: templates, reviews, strategies and configurations."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Unpack

from cuewire.blocking.loop import Loop
from cuewire.model.analyses import Analysis, Preview
from cuewire.model.prompts import Content, Home, Inputs
from cuewire.model.reviews import LabelRule, Review, ReviewStatus
from cuewire.model.scopes import Scope, ScopeOptions
from cuewire.model.template_types import TemplateType, Word

if TYPE_CHECKING:
    from cuewire.ports import ReviewsFace, ScopesFace, TemplatesFace

_NONE: Mapping[str, Any] = {}


class BlockingTemplates:
    """The blocking form of `TemplatesFace`."""

    def __init__(self, templates: TemplatesFace, loop: Loop) -> None:
        self._templates = templates
        self._loop = loop

    def analyse(
        self,
        content: Content,
        *,
        name: str = "",
        variables: Mapping[str, Mapping[str, Any]] = _NONE,
        template_type: str | None = None,
        **home: Unpack[Home],
    ) -> Analysis:
        """Return all that is wrong with content, and what its author should know; see `TemplatesFace.analyse`."""
        return self._loop.run(
            self._templates.analyse(content, name=name, variables=variables, template_type=template_type, **home)
        )

    def preview(
        self,
        content: Content,
        inputs: Inputs | None = None,
        *,
        variables: Mapping[str, Mapping[str, Any]] = _NONE,
        lenient: bool = False,
        strict: bool = False,
        examples: bool = False,
        template_type: str | None = None,
        **home: Unpack[Home],
    ) -> Preview:
        """Return how content looks with some inputs; see `TemplatesFace.preview`."""
        return self._loop.run(
            self._templates.preview(
                content,
                inputs,
                variables=variables,
                lenient=lenient,
                strict=strict,
                examples=examples,
                template_type=template_type,
                **home,
            )
        )

    def preview_version(
        self,
        reference: str,
        inputs: Inputs | None = None,
        *,
        strict: bool = False,
        examples: bool = False,
        **home: Unpack[Home],
    ) -> Preview:
        """Return how a version looks with some inputs; see `TemplatesFace.preview_version`."""
        return self._loop.run(
            self._templates.preview_version(reference, inputs, strict=strict, examples=examples, **home)
        )

    def types(self) -> list[TemplateType]:
        """Return all types of templates by name."""
        return [*self._loop.run(self._templates.types())]

    def set_type(self, kind: TemplateType) -> TemplateType:
        """Add a type, or say anew what one is."""
        return self._loop.run(self._templates.set_type(kind))

    def words(self) -> list[Word]:
        """Return all filters, functions and tests that templates can use."""
        return [*self._loop.run(self._templates.words())]


class BlockingReviews:
    """The blocking form of `ReviewsFace`."""

    def __init__(self, reviews: ReviewsFace, loop: Loop) -> None:
        self._reviews = reviews
        self._loop = loop

    def rules(self, prompt: str | None = None, **home: Unpack[Home]) -> builtins.list[LabelRule]:
        """Return the rules for all prompts, or those that hold for one."""
        return [*self._loop.run(self._reviews.rules(prompt, **home))]

    def protect(self, rule: LabelRule) -> None:
        """Set what protects a label."""
        self._loop.run(self._reviews.protect(rule))

    def unprotect(self, label: str, prompt_id: int | None = None) -> bool:
        """Take a rule back, and return whether there was one."""
        return self._loop.run(self._reviews.unprotect(label, prompt_id))

    def list(
        self,
        prompt: str | None = None,
        *,
        status: ReviewStatus | None = None,
        limit: int = 100,
        before: int | None = None,
        **home: Unpack[Home],
    ) -> builtins.list[Review]:
        """Return reviews, newest first: of one prompt or of all."""
        return [*self._loop.run(self._reviews.list(prompt, status=status, limit=limit, before=before, **home))]

    def get(self, review_id: int) -> Review:
        """Return a review."""
        return self._loop.run(self._reviews.get(review_id))

    def check(self, review_id: int) -> Review:
        """Run the test cases of a review, and note how they went. Costs money."""
        return self._loop.run(self._reviews.check(review_id))

    def approve(self, review_id: int, *, comment: str = "") -> Review:
        """Agree, and move the label; see `ReviewsFace.approve`."""
        return self._loop.run(self._reviews.approve(review_id, comment=comment))

    def reject(self, review_id: int, *, comment: str = "") -> Review:
        """Refuse; who asked for the review withdraws it."""
        return self._loop.run(self._reviews.reject(review_id, comment=comment))


class BlockingScopes:
    """The blocking form of `ScopesFace`."""

    def __init__(self, scopes: ScopesFace, loop: Loop) -> None:
        self._scopes = scopes
        self._loop = loop

    def list(self) -> builtins.list[Scope]:
        """Return all by name."""
        return [*self._loop.run(self._scopes.list())]

    def get(self, name: str) -> Scope:
        """Return one."""
        return self._loop.run(self._scopes.get(name))

    def add(self, name: str, **options: Unpack[ScopeOptions]) -> Scope:
        """Make one."""
        return self._loop.run(self._scopes.add(name, **options))

    def edit(self, name: str, **options: Unpack[ScopeOptions]) -> Scope:
        """Change what is given."""
        return self._loop.run(self._scopes.edit(name, **options))

    def remove(self, name: str) -> None:
        """Remove one that nothing refers to."""
        self._loop.run(self._scopes.remove(name))
