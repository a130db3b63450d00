"""Reviews: a label that is protected moves only when somebody else, or test cases, agree."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Any, Literal, TypeAlias

import msgspec

from cuewire.model.actors import Role
from cuewire.model.errors import ReviewNotFound
from cuewire.model.values import Value

ReviewStatus: TypeAlias = Literal["pending", "approved", "rejected", "withdrawn"]
MAX_CHECKS = 50


class Check(Value, frozen=True):
    """A test case: a run with these inputs must succeed, and with `expected` its value must equal that.

    `contains` are texts that the answer must hold.
    """

    name: str
    inputs: dict[str, Any] = {}
    expected: Any = None
    contains: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Tells the test case from others, of the same name too."""
        return sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()


class CheckResult(Value, frozen=True):
    """How a test case went; `execution_id` names its run, None if none began.

    `digest` is that of the test case that ran: a rule may since ask for another one of the name.
    """

    name: str
    passed: bool
    reason: str = ""
    execution_id: str | None = None
    digest: str = ""


class LabelRule(Value, frozen=True):
    """What protects a label, of one prompt or, without one, of all.

    Who moves it must have at least the role. With `needs_review` somebody else must agree; with `checks` the version
    must pass these first.
    """

    label: str
    prompt_id: int | None = None
    role: Role = "publisher"
    needs_review: bool = False
    checks: tuple[Check, ...] = ()


class Review(Value, frozen=True):
    """A wish to move a protected label to a version, and what came of it."""

    id: int
    prompt_id: int
    prompt: str
    label: str
    number: int
    status: ReviewStatus
    asked_by: str
    asked_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    comment: str
    checks: tuple[CheckResult, ...] = ()


def no_review(review_id: int) -> ReviewNotFound:
    """Return the error of an id that no review has."""
    return ReviewNotFound(f"there is no review {review_id}", field="/review")
