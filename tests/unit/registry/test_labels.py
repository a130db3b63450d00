"""Who may agree to a review, what it still waits for, and what they are told to do next."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from cuewire.model.actors import Actor
from cuewire.model.errors import Forbidden, ReviewRequired
from cuewire.model.reviews import Check, CheckResult, LabelRule, Review
from cuewire.registry.labels import next_step, refuse_own

ADA, BEN = Actor(name="ada", role="publisher"), Actor(name="ben", role="publisher")
CASE = Check(name="greets", inputs={"who": "Ada"}, contains=("Ada",))
REVIEW = Review(
    id=7,
    prompt_id=1,
    prompt="greet",
    label="production",
    number=2,
    status="pending",
    asked_by="ada",
    asked_at=datetime(2026, 1, 31, tzinfo=UTC),
    decided_by=None,
    decided_at=None,
    comment="",
)


def checked(*results: CheckResult) -> Review:
    return replace(REVIEW, checks=results)


def passed(check: Check) -> CheckResult:
    return CheckResult(name=check.name, passed=True, digest=check.digest)


def test_who_asked_agrees_after_the_test_cases_passed_unless_it_takes_somebody_else() -> None:
    rule = LabelRule(label="production", checks=(CASE,))
    review = checked(passed(CASE))

    refuse_own(rule, review, ADA)
    refuse_own(replace(rule, needs_review=True), review, BEN)
    with pytest.raises(ReviewRequired, match="needs somebody else than 'ada'") as refused:
        refuse_own(replace(rule, needs_review=True), review, ADA)
    assert refused.value.hint == "somebody else approves it with: cuewire reviews approve 7"


@pytest.mark.parametrize(
    "result",
    [
        CheckResult(name="greets", passed=False, digest=CASE.digest),
        passed(replace(CASE, contains=())),
        passed(replace(CASE, inputs={"who": "Ben"})),
        passed(replace(CASE, expected="Hi Ada")),
        CheckResult(name="greets", passed=True),  # stored before there were digests
    ],
)
def test_only_the_very_test_case_of_the_rule_counts(result: CheckResult) -> None:
    with pytest.raises(ReviewRequired, match="waits for test cases: greets") as refused:
        refuse_own(LabelRule(label="production", checks=(CASE,)), checked(result), BEN)

    assert refused.value.hint == (
        "run its test cases with: cuewire reviews check 7; then approve it with: cuewire reviews approve 7"
    )


def test_who_may_not_move_the_label_is_told_what_it_takes() -> None:
    with pytest.raises(Forbidden, match="'ben' may not move label 'production'") as refused:
        refuse_own(LabelRule(label="production", role="admin"), REVIEW, BEN)

    assert (refused.value.field, refused.value.hint) == (
        "/review",
        "it takes the role admin; ben has the role publisher",
    )


@pytest.mark.parametrize(
    ("rule", "review", "hint"),
    [
        (
            LabelRule(label="production", needs_review=True),
            REVIEW,
            "somebody else approves it with: cuewire reviews approve 7",
        ),
        (
            LabelRule(label="production", checks=(CASE,)),
            REVIEW,
            "run its test cases with: cuewire reviews check 7; then approve it with: cuewire reviews approve 7",
        ),
        (
            LabelRule(label="production", checks=(CASE,)),
            checked(passed(CASE)),
            "approve it with: cuewire reviews approve 7",
        ),
        (
            LabelRule(label="production", needs_review=True, checks=(CASE,)),
            REVIEW,
            "run its test cases with: cuewire reviews check 7; "
            "then somebody else approves it with: cuewire reviews approve 7",
        ),
    ],
)
def test_the_next_step_comes_from_the_rule(rule: LabelRule, review: Review, hint: str) -> None:
    assert next_step(rule, review) == hint
