"""What protects labels, and the reviews of what would move one, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from cuewire.model.actors import Role
from cuewire.model.reviews import LabelRule, Review, ReviewStatus
from cuewire.model.text import check_json
from cuewire.wire.shapes import Instant, Request, Shape, read, shown
from cuewire.wire.strict_json import convert


class CheckRequest(Request, frozen=True, kw_only=True):
    """A test case: a run with these inputs must succeed, and with `expected` its value must equal that.

    `contains` are texts that the answer must hold.
    """

    name: str
    inputs: dict[str, Any] = {}
    expected: Any = None
    contains: tuple[str, ...] = ()


class LabelRuleRequest(Request, frozen=True, kw_only=True):
    """`PUT /api/v1/label-rules`: who moves the label must have at least the role.

    With `needs_review` somebody else must agree; with `checks` the version must pass these first.
    """

    label: str
    role: Role = "publisher"
    needs_review: bool = False
    checks: tuple[CheckRequest, ...] = ()

    @classmethod
    def of(cls, rule: LabelRule) -> LabelRuleRequest:
        """Return a rule as JSON. Raises InvalidInput for what JSON cannot hold."""
        plain = msgspec.to_builtins(rule)
        plain.pop("prompt_id", None)
        check_json(plain, pointer="")
        return convert(plain, cls)

    def rule(self, prompt_id: int | None) -> LabelRule:
        """Return the rule, of a prompt or of all."""
        return msgspec.convert(msgspec.to_builtins(self) | {"prompt_id": prompt_id}, LabelRule)


class CheckShape(Shape, frozen=True):
    """A test case of a rule."""

    name: str
    inputs: dict[str, Any] = {}
    expected: Any = None
    contains: tuple[str, ...] = ()


class LabelRuleShape(Shape, frozen=True):
    """What protects a label of a prompt; `prompt_id` is null where it is for all prompts."""

    label: str
    prompt_id: int | None = None
    role: Role = "publisher"
    needs_review: bool = False
    checks: tuple[CheckShape, ...] = ()

    @classmethod
    def of(cls, rule: LabelRule) -> LabelRuleShape:
        """Return the rule as JSON."""
        return shown(rule, cls)


class LabelRuleList(Shape, frozen=True):
    """Rules by label."""

    items: tuple[LabelRuleShape, ...]

    @classmethod
    def of(cls, rules: Sequence[LabelRule]) -> LabelRuleList:
        """Return the rules as JSON."""
        return cls(items=tuple(map(LabelRuleShape.of, rules)))

    def rules(self) -> list[LabelRule]:
        """Return the rules that the JSON says."""
        return [read(item, LabelRule) for item in self.items]


class DroppedShape(Shape, frozen=True):
    """Whether there was such a rule."""

    dropped: bool


class DecisionRequest(Request, frozen=True):
    """`POST /api/v1/reviews/{review_id}/approve`, or `reject`."""

    comment: str = ""


class ApproveRequest(DecisionRequest, frozen=True, kw_only=True):
    """`POST /api/v1/prompts/{prompt}/approve`: without `review` the one of the prompt that waits."""

    review: int | None = None


class CheckResultShape(Shape, frozen=True):
    """How a test case went; `execution_id` names its run, null if none began.

    `digest` is that of the test case that ran: a rule may since ask for another one of the name.
    """

    name: str
    passed: bool
    reason: str = ""
    execution_id: str | None = None
    digest: str = ""


class ReviewShape(Shape, frozen=True):
    """A wish to move a protected label to version `number`, and what came of it."""

    id: int
    prompt_id: int
    prompt: str
    label: str
    number: int
    status: ReviewStatus
    asked_by: str
    asked_at: Instant
    decided_by: str | None
    decided_at: Instant | None
    comment: str
    checks: tuple[CheckResultShape, ...] = ()

    @classmethod
    def of(cls, review: Review) -> ReviewShape:
        """Return the review as JSON."""
        return shown(review, cls)

    def review(self) -> Review:
        """Return the review that the JSON says."""
        return read(self, Review)


class ReviewList(Shape, frozen=True):
    """Reviews, newest first; the id of the last one continues the list with `?before=`."""

    items: tuple[ReviewShape, ...]

    @classmethod
    def of(cls, reviews: Sequence[Review]) -> ReviewList:
        """Return the reviews as JSON."""
        return cls(items=tuple(map(ReviewShape.of, reviews)))

    def reviews(self) -> list[Review]:
        """Return the reviews that the JSON says."""
        return [item.review() for item in self.items]
