"""What guards a label: who may move it, who else must agree, and which test cases a version must pass first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cuewire.model.actors import RANKS, Actor
from cuewire.model.errors import Forbidden, ReviewRequired
from cuewire.model.prompts import Prompt, PromptVersion
from cuewire.model.reviews import LabelRule, Review
from cuewire.ports import LabelRuleStore, ReviewStore
from cuewire.registry.access import may


class LabelGuard:
    """Says which labels an actor may move at once, and which only after a review."""

    def __init__(self, rules: LabelRuleStore, reviews: ReviewStore) -> None:
        self._rules = rules
        self._reviews = reviews

    async def sorted_out(
        self, actor: Actor, prompt: Prompt | None, labels: Sequence[str]
    ) -> tuple[list[str], list[str]]:
        """Return the labels that move at once, and those that wait for a review; what the actor may not is left out.

        Without a prompt the rules are those of a new one.
        """
        free: list[str] = []
        waiting: list[str] = []
        if not labels or not may(actor, "prompts:publish"):
            return free, waiting
        rules = await self._of(prompt.id if prompt else None)
        for label in labels:
            rule = rules.get(label, LabelRule(label=label))
            if _suffices(actor, rule):
                (waiting if _asks(rule) else free).append(label)
        return free, waiting

    async def refuse(self, actor: Actor, version: PromptVersion, label: str) -> None:
        """Refuse that who may publish moves a label to a version at once.

        Raises Forbidden, and ReviewRequired where a review now waits.
        """
        rule = (await self._of(version.prompt_id)).get(label, LabelRule(label=label))
        if not _suffices(actor, rule):
            raise _forbidden(actor, rule, field="/label")
        if _asks(rule):
            review = await self.ask(actor, version, label)
            raise ReviewRequired(
                f"label {label!r} of prompt {version.prompt!r} is protected: review {review.id} waits for a decision",
                field="/label",
                hint=next_step(rule, review),
            )

    async def ask(self, actor: Actor, version: PromptVersion, label: str, *, comment: str = "") -> Review:
        """Ask for a review of what would move a label to a version; the one that waits already is kept."""
        return await self._reviews.ask(version.prompt_id, label, version.number, by=actor.name, comment=comment)

    async def rule_of(self, review: Review) -> LabelRule:
        """Return the rule that a review is about, as it is now."""
        return (await self._of(review.prompt_id)).get(review.label, LabelRule(label=review.label))

    async def _of(self, prompt_id: int | None) -> Mapping[str, LabelRule]:
        return {rule.label: rule for rule in await self._rules.rules(prompt_id)}


def refuse_own(rule: LabelRule, review: Review, actor: Actor) -> None:
    """Raise ReviewRequired unless the actor may approve the review: somebody else, and after all checks passed.

    Raises Forbidden for who may not move the label.
    """
    if not _suffices(actor, rule):
        raise _forbidden(actor, rule, field="/review")
    if rule.needs_review and actor.name == review.asked_by:
        raise ReviewRequired(
            f"review {review.id} needs somebody else than {actor.name!r}, who asked for it",
            hint=next_step(rule, review),
        )
    if names := _open_checks(rule, review):
        raise ReviewRequired(
            f"review {review.id} waits for test cases: {', '.join(names)[:300]}", hint=next_step(rule, review)
        )


def next_step(rule: LabelRule, review: Review) -> str:
    """Say how a review comes to its end: its test cases first, as far as they are open, then who approves it."""
    check = f"run its test cases with: cuewire reviews check {review.id}; then " if _open_checks(rule, review) else ""
    who = "somebody else approves it with" if rule.needs_review else "approve it with"
    return f"{check}{who}: cuewire reviews approve {review.id}"


def _suffices(actor: Actor, rule: LabelRule) -> bool:
    return RANKS[actor.role] >= RANKS[rule.role]


def _asks(rule: LabelRule) -> bool:
    return rule.needs_review or bool(rule.checks)


def _forbidden(actor: Actor, rule: LabelRule, *, field: str) -> Forbidden:
    return Forbidden(
        f"{actor.name!r} may not move label {rule.label!r}",
        field=field,
        hint=f"it takes the role {rule.role}; {actor.name} has the role {actor.role}",
    )


def _open_checks(rule: LabelRule, review: Review) -> list[str]:
    """Return the test cases that did not pass as the rule has them now."""
    passed = {result.digest for result in review.checks if result.passed}
    return [check.name for check in rule.checks if check.digest not in passed]
