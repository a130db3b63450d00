"""What guards a label: who may move it, who else must agree, and which test cases a version must pass first."""

from __future__ import annotations

from collections.abc import Sequence

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
        self, actor: Actor, prompt: Prompt | None, labels: Sequence[str], *, must: bool = False
    ) -> tuple[list[str], list[str]]:
        """Return the labels that move at once, and those that wait for a review; what the actor may not is left out.

        With `must` that raises Forbidden instead. Without a prompt the rules are those of a new one.
        """
        free: list[str] = []
        waiting: list[str] = []
        if not labels:
            return free, waiting
        rules = {rule.label: rule for rule in await self._rules.rules(prompt.id if prompt else None)}
        for label in labels:
            rule = rules.get(label)
            if not may(actor, "prompts:publish") or (rule and RANKS[actor.role] < RANKS[rule.role]):
                if must:
                    needed = rule.role if rule else "publisher"
                    raise Forbidden(f"only a {needed} may move label {label!r}", field="/label")
            elif rule and (rule.needs_review or rule.checks):
                waiting.append(label)
            else:
                free.append(label)
        return free, waiting

    async def ask(self, actor: Actor, version: PromptVersion, label: str, *, comment: str = "") -> Review:
        """Ask for a review of what would move a label to a version; the one that waits already is kept."""
        return await self._reviews.ask(version.prompt_id, label, version.number, by=actor.name, comment=comment)

    async def rule_of(self, review: Review) -> LabelRule:
        """Return the rule that a review is about, as it is now."""
        rules = {rule.label: rule for rule in await self._rules.rules(review.prompt_id)}
        return rules.get(review.label, LabelRule(label=review.label))


def refuse_own(rule: LabelRule, review: Review, actor: Actor) -> None:
    """Raise ReviewRequired unless the actor may approve the review: somebody else, and after all checks passed.

    Raises Forbidden for who may not move the label.
    """
    if RANKS[actor.role] < RANKS[rule.role]:
        raise Forbidden(f"only a {rule.role} may move label {rule.label!r}", field="/review")
    if rule.needs_review and actor.name == review.asked_by:
        raise ReviewRequired(f"review {review.id} needs somebody else than {actor.name!r}, who asked for it")
    passed = {result.name for result in review.checks if result.passed}
    open_checks = [check.name for check in rule.checks if check.name not in passed]
    if open_checks:
        raise ReviewRequired(
            f"review {review.id} waits for test cases: {', '.join(open_checks)[:300]}",
            hint=f"run them with: cuewire reviews check {review.id}",
        )
