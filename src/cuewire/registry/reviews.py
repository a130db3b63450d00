"""Reviews as their users see them: protect a label, look at what waits, approve or reject it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias, Unpack, get_args

from cuewire.model.actors import Actor, check_role
from cuewire.model.errors import Conflict, InvalidInput, ReviewDecided, ReviewNotFound
from cuewire.model.pages import check_limit
from cuewire.model.prompts import Home
from cuewire.model.references import LATEST, check_label
from cuewire.model.reviews import MAX_CHECKS, Check, CheckResult, LabelRule, Review, ReviewStatus, no_review
from cuewire.model.text import is_storable
from cuewire.ports import LabelRuleStore, Refusal, ReviewStore
from cuewire.registry.access import authorize, authorize_all
from cuewire.registry.labels import LabelGuard, refuse_own
from cuewire.registry.prompts import Registry
from cuewire.registry.resolver import Resolver

MAX_COMMENT = 2_000


RunChecks: TypeAlias = Callable[[Review, Sequence[Check]], Awaitable[Sequence[CheckResult]]]
"""Runs test cases on the version of a review. Costs money."""


class Reviews:
    """Implements `ReviewsFace` over the stores, for one actor."""

    def __init__(
        self,
        rules: LabelRuleStore,
        reviews: ReviewStore,
        *,
        prompts: Registry,
        resolver: Resolver,
        run_checks: RunChecks,
        actor: Actor,
    ) -> None:
        self._rules = rules
        self._reviews = reviews
        self._prompts = prompts
        self._resolver = resolver
        self._guard = LabelGuard(rules, reviews)
        self._run_checks = run_checks
        self._actor = actor

    def by(self, actor: Actor) -> Reviews:
        """Return the reviews as another actor may use them."""
        prompts = self._prompts.by(actor)
        return Reviews(
            self._rules,
            self._reviews,
            prompts=prompts,
            resolver=self._resolver,
            run_checks=self._run_checks,
            actor=actor,
        )

    async def rules(self, prompt: str | None = None, **home: Unpack[Home]) -> Sequence[LabelRule]:
        """Return the rules of all prompts, or those that hold for one."""
        authorize(self._actor, "prompts:read")
        found = await self._prompts.find(prompt, **home) if prompt is not None else None
        return await self._rules.rules(found.id if found else None)

    async def protect(self, rule: LabelRule) -> None:
        """Set what protects a label. Raises InvalidInput, PromptNotFound."""
        if rule.prompt_id is None:
            authorize_all(self._actor, "rules:write")
        else:
            authorize(self._actor, "rules:write", (await self._prompts.find(str(rule.prompt_id))).name)
        if check_label(rule.label) == LATEST:
            raise InvalidInput("label 'latest' always names the newest version and needs no rule", field="/label")
        check_role(rule.role)
        names = [check.name for check in rule.checks]
        if len(names) > MAX_CHECKS or len({*names}) < len(names) or not all(0 < len(name) <= 100 for name in names):
            raise InvalidInput(f"give at most {MAX_CHECKS} checks, each with a name of its own", field="/checks")
        await self._rules.set_rule(rule, by=self._actor.name)

    async def unprotect(self, label: str, prompt_id: int | None = None) -> bool:
        """Take a rule back, and return whether there was one."""
        if prompt_id is None:
            authorize_all(self._actor, "rules:write")
        else:
            authorize(self._actor, "rules:write", (await self._prompts.find(str(prompt_id))).name)
        return await self._rules.drop_rule(check_label(label), prompt_id=prompt_id, by=self._actor.name)

    async def list(
        self,
        prompt: str | None = None,
        *,
        status: ReviewStatus | None = None,
        limit: int = 100,
        before: int | None = None,
        **home: Unpack[Home],
    ) -> Sequence[Review]:
        """Return reviews, newest first: of one prompt or of all."""
        authorize(self._actor, "prompts:read")
        if status is not None and status not in get_args(ReviewStatus):
            known = ", ".join(get_args(ReviewStatus))
            raise InvalidInput(f"{str(status)[:40]!r} is not a status", field="/status", hint=f"one of {known}")
        found = await self._prompts.find(prompt, **home) if prompt is not None else None
        return await self._reviews.list(
            limit=check_limit(limit),
            before=None if before is None else _checked_id(before),
            prompt_id=found.id if found else None,
            status=status,
            among=self._actor.prompts,
        )

    async def get(self, review_id: int) -> Review:
        """Return a review. Raises ReviewNotFound."""
        return await self._seen(review_id, "prompts:read")

    async def waiting(self, prompt: str, **home: Unpack[Home]) -> Review:
        """Return the one review of a prompt that waits. Raises ReviewNotFound, and Conflict if there are several."""
        found = await self.list(prompt, status="pending", **home)
        if not found:
            raise ReviewNotFound(f"no review of prompt {prompt!r} waits for a decision", field="/review")
        if len(found) > 1:
            listed = ", ".join(f"{review.id} ({review.label} to {review.number})" for review in found[:10])
            raise Conflict(f"several reviews of prompt {prompt!r} wait: {listed}", field="/review", hint="say which")
        return found[0]

    async def check(self, review_id: int) -> Review:
        """Run the test cases of a review, and note how they went. Costs money. Raises ReviewDecided."""
        review = await self._mine(review_id)
        authorize(self._actor, "run", review.prompt)
        if review.status != "pending":
            raise ReviewDecided(f"review {review.id} has been {review.status}", field="/review")
        rule = await self._guard.rule_of(review)
        return await self._reviews.check(review.id, await self._run_checks(review, rule.checks))

    async def approve(self, review_id: int, *, comment: str = "") -> Review:
        """Agree, and move the label. Raises ReviewRequired while something is missing, ReviewDecided, Forbidden."""
        _check_comment(comment)
        review = await self._mine(review_id)

        def refuse(rule: LabelRule, now: Review) -> None:
            refuse_own(rule, now, self._actor)

        return await self._decide(review, "approved", comment, refuse=refuse)

    async def reject(self, review_id: int, *, comment: str = "") -> Review:
        """Refuse; who asked withdraws. Raises ReviewDecided, Forbidden."""
        _check_comment(comment)
        review = await self._mine(review_id)
        return await self._decide(review, "withdrawn" if review.asked_by == self._actor.name else "rejected", comment)

    async def _mine(self, review_id: int) -> Review:
        return await self._seen(review_id, "reviews:decide")

    async def _seen(self, review_id: int, action: str) -> Review:
        authorize(self._actor, action)
        review = await self._reviews.get(_checked_id(review_id))
        if not self._actor.sees(review.prompt):
            raise no_review(review_id)
        return review

    async def _decide(
        self, review: Review, status: ReviewStatus, comment: str, *, refuse: Refusal | None = None
    ) -> Review:
        decided = await self._reviews.decide(
            review.id, status=status, by=self._actor.name, comment=comment, refuse=refuse
        )
        self._resolver.forget()
        return decided


def _check_comment(comment: str) -> None:
    if len(comment) > MAX_COMMENT or not is_storable(comment):
        raise InvalidInput(f"a comment is a text of at most {MAX_COMMENT:,} characters", field="/comment")


def _checked_id(review_id: int) -> int:
    if 0 < review_id < 2**63:
        return review_id
    raise InvalidInput(f"{review_id} is not the id of a review", field="/review")
