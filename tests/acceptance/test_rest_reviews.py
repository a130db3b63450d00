"""Labels that move only when somebody else, or test cases, agree, over REST; and the log of what was done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from cuewire.model.actors import ROLES
from tests.support.access import known_as
from tests.support.served_databases import serving_on
from tests.support.serving import Reply, Serving
from tests.support.stores import KINDS

RULES = "/api/v1/label-rules"
_numbers = count(1)


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving_on(request.param, tmp_path_factory.mktemp("reviews")) as running:
        yield running


@pytest.fixture(scope="module")
def people(server: Serving) -> Mapping[str, Serving]:
    """Return the server as somebody of each role meets it, and a second publisher."""
    return {name: known_as(server, name=name, role=name) for name in ROLES} | {
        "second": known_as(server, name="second", role="publisher")
    }


@dataclass
class Case:
    """A prompt with one version in production, and the label that is protected."""

    server: Serving
    name: str

    def protect(self, **rule: object) -> Reply:
        return self.server.ask("PUT", f"{RULES}?prompt={self.name}", {"label": "production", **rule})

    def wish(self, asker: Serving, text: str = "New {{ x }}") -> Any:
        """Publish a version and return the review that now waits."""
        published = asker.publish(self.name, text, model="scripted/echo", publish=True)
        assert (published.status, published.json["published"]) == (200, False), published.json
        return published.json["reviews"]["production"]

    @property
    def in_production(self) -> int:
        found = self.server.ask("GET", f"/api/v1/prompts/{self.name}").json
        return int(found["labels"]["production"])


@pytest.fixture
def case(server: Serving) -> Case:
    name = f"guarded-{next(_numbers)}"
    assert server.publish(name, "Old {{ x }}", model="scripted/echo").status == 200
    return Case(server, name)


def approve(who: Serving, review: int, **body: object) -> Reply:
    return who.ask("POST", f"/api/v1/reviews/{review}/approve", body)


def test_a_label_moves_for_a_role_only(case: Case, people: Mapping[str, Serving]) -> None:
    assert case.protect(role="admin").status == 200

    published = people["publisher"].publish(case.name, "New {{ x }}", publish=True)
    refused = people["publisher"].ask(
        "POST", f"/api/v1/prompts/{case.name}/labels", {"label": "production", "number": 2}
    )
    moved = people["admin"].ask("POST", f"/api/v1/prompts/{case.name}/labels", {"label": "production", "number": 2})

    assert (published.json["published"], published.json["reviews"]) == (False, {})
    assert (refused.status, refused.json["code"]) == (403, "forbidden")
    assert (moved.status, case.in_production) == (200, 2)


def test_a_second_person_approves_and_the_label_moves(case: Case, people: Mapping[str, Serving]) -> None:
    case.protect(needs_review=True)
    review = case.wish(people["publisher"])

    own = approve(people["publisher"], review)
    beyond = approve(people["editor"], review)
    approved = approve(people["second"], review, comment="looks right")

    assert (own.status, own.json["code"]) == (409, "review_required")
    assert beyond.status == 403
    assert (approved.json["status"], approved.json["decided_by"]) == ("approved", "key:second")
    assert (approved.json["comment"], case.in_production) == ("looks right", 2)
    history = case.server.ask("GET", f"/api/v1/prompts/{case.name}/history").json["items"]
    assert {"review.asked", "review.approved"} <= {event["action"] for event in history}


def test_moving_a_protected_label_by_hand_asks_for_the_same_review_once(
    case: Case, people: Mapping[str, Serving]
) -> None:
    case.protect(needs_review=True)
    review = case.wish(people["publisher"])

    asked = people["publisher"].ask("POST", f"/api/v1/prompts/{case.name}/labels", {"label": "production", "number": 2})
    waiting = case.server.ask("GET", f"/api/v1/reviews?prompt={case.name}&status=pending").json["items"]

    assert (asked.status, asked.json["code"]) == (409, "review_required")
    assert [each["id"] for each in waiting] == [review]


def test_a_refused_review_moves_nothing_and_is_not_decided_again(case: Case, people: Mapping[str, Serving]) -> None:
    case.protect(needs_review=True)
    review = case.wish(people["publisher"])

    refused = people["second"].ask("POST", f"/api/v1/reviews/{review}/reject", {"comment": "no"})
    late = approve(people["second"], review)

    assert refused.json["status"] == "rejected"
    assert (late.status, late.json["code"]) == (409, "review_decided")
    assert case.in_production == 1


def test_who_asked_withdraws(case: Case, people: Mapping[str, Serving]) -> None:
    case.protect(needs_review=True)
    review = case.wish(people["publisher"])

    assert people["publisher"].ask("POST", f"/api/v1/reviews/{review}/reject", {}).json["status"] == "withdrawn"


def test_only_who_may_move_the_label_approves(case: Case, people: Mapping[str, Serving]) -> None:
    case.protect(role="admin", needs_review=True)
    review = case.wish(people["admin"])

    refused = approve(people["publisher"], review)

    assert (refused.status, refused.json["code"]) == (403, "forbidden")
    assert case.in_production == 1


def test_test_cases_must_pass_before_the_label_moves(case: Case, people: Mapping[str, Serving]) -> None:
    asker = people["publisher"]
    checks = [
        {"name": "greets", "inputs": {"x": "Ada"}, "contains": ["New Ada"]},
        {"name": "exact", "inputs": {"x": "Bob"}, "expected": "New Bob"},
    ]
    case.protect(checks=checks)
    bad = case.wish(asker, "Wrong {{ x }}")

    before = approve(asker, bad)
    failed = asker.ask("POST", f"/api/v1/reviews/{bad}/check")
    still = approve(asker, bad)
    good = case.wish(asker, "New {{ x }}")
    passed = asker.ask("POST", f"/api/v1/reviews/{good}/check")
    moved = approve(asker, good)

    assert [reply.status for reply in (before, still)] == [409, 409]
    assert [(each["name"], each["passed"]) for each in failed.json["checks"]] == [("greets", False), ("exact", False)]
    assert "'New Ada'" in failed.json["checks"][0]["reason"]
    assert [each["passed"] for each in passed.json["checks"]] == [True, True]
    assert (moved.status, case.in_production) == (200, 3)


def test_each_test_case_is_a_recorded_run(case: Case, people: Mapping[str, Serving]) -> None:
    case.protect(checks=[{"name": "one", "inputs": {"x": "Ada"}}, {"name": "two", "inputs": {}}])
    review = case.wish(people["publisher"])

    one, two = people["publisher"].ask("POST", f"/api/v1/reviews/{review}/check").json["checks"]
    ran = case.server.ask("GET", f"/api/v1/executions/{one['execution_id']}").json

    assert ran["metadata"] == {"purpose": "check", "review": review}
    assert (ran["version"], ran["status"]) == (2, "succeeded")
    assert two["passed"] is False
    assert two["reason"].startswith("invalid_input: ")


def test_what_passed_another_rule_did_not_pass_this_one(case: Case, people: Mapping[str, Serving]) -> None:
    case.protect(checks=[{"name": "same", "inputs": {"x": "Ada"}}])
    review = case.wish(people["publisher"])
    assert people["publisher"].ask("POST", f"/api/v1/reviews/{review}/check").json["checks"][0]["passed"]

    case.protect(checks=[{"name": "same", "inputs": {"x": "Ada"}, "contains": ["what it does not say"]}])

    refused = approve(people["publisher"], review)
    assert (refused.status, refused.json["detail"]) == (409, f"review {review} waits for test cases: same")


def test_of_two_who_decide_at_once_one_does(case: Case, people: Mapping[str, Serving]) -> None:
    case.protect(needs_review=True)
    review = case.wish(people["publisher"])

    with ThreadPoolExecutor(2) as both:
        replies = [*both.map(lambda who: approve(people[who], review), ("second", "admin"))]

    assert sorted(reply.status for reply in replies) == [200, 409]
    assert {reply.json["code"] for reply in replies if reply.status == 409} == {"review_decided"}


def test_the_one_review_that_waits_is_approved_by_the_prompts_name(case: Case, people: Mapping[str, Serving]) -> None:
    path = f"/api/v1/prompts/{case.name}/approve"
    case.protect(needs_review=True)

    none = people["second"].ask("POST", path, {})
    first, second = case.wish(people["publisher"], "A {{ x }}"), case.wish(people["publisher"], "B {{ x }}")
    several = people["second"].ask("POST", path, {})
    foreign = people["second"].ask("POST", path, {"review": first + 1_000})
    chosen = people["second"].ask("POST", path, {"review": second, "comment": "the second"})
    left = people["second"].ask("POST", path, {})

    assert [reply.status for reply in (none, several, foreign)] == [404, 409, 404]
    assert f"{first} (production to 2)" in several.json["detail"]
    assert (chosen.json["id"], chosen.json["comment"]) == (second, "the second")
    assert (left.json["id"], case.in_production) == (first, 2)


def test_a_rule_for_all_prompts_holds_until_a_prompt_has_its_own(case: Case, people: Mapping[str, Serving]) -> None:
    try:
        assert case.server.ask("PUT", RULES, {"label": "canary", "needs_review": True}).status == 200
        everywhere = case.server.ask("GET", f"{RULES}?prompt={case.name}").json["items"]
        case.server.ask("PUT", f"{RULES}?prompt={case.name}", {"label": "canary", "role": "editor"})
        own = case.server.ask("GET", f"{RULES}?prompt={case.name}").json["items"]
    finally:
        dropped = [case.server.ask("DELETE", f"{RULES}?label=canary").json for _ in range(2)]

    assert [(rule["prompt_id"], rule["needs_review"]) for rule in everywhere] == [(None, True)]
    assert [rule["role"] for rule in own] == ["editor"]
    assert own[0]["prompt_id"] is not None
    assert dropped == [{"dropped": True}, {"dropped": False}]
    assert people["publisher"].ask("PUT", RULES, {"label": "canary"}).status == 403


def test_reviews_are_listed_newest_first_and_page_by_page(case: Case, people: Mapping[str, Serving]) -> None:
    case.protect(needs_review=True)
    asked = [case.wish(people["publisher"], f"{number} {{{{ x }}}}") for number in range(3)]

    first = case.server.ask("GET", f"/api/v1/reviews?prompt={case.name}&limit=2").json["items"]
    rest = case.server.ask("GET", f"/api/v1/reviews?prompt={case.name}&limit=2&before={first[-1]['id']}").json["items"]

    assert [each["id"] for each in [*first, *rest]] == [*reversed(asked)]


def test_who_is_limited_to_prompts_sees_no_other_reviews_and_events(case: Case, people: Mapping[str, Serving]) -> None:
    case.protect(needs_review=True)
    review = case.wish(people["publisher"])
    other = known_as(case.server, name=f"other-{case.name}", role="admin", prompts=["elsewhere"])
    ours = known_as(case.server, name=f"ours-{case.name}", role="admin", prompts=[case.name])

    assert other.ask("GET", "/api/v1/reviews").json["items"] == []
    assert other.ask("GET", f"/api/v1/reviews/{review}").status == 404
    assert approve(other, review).status == 404
    assert other.ask("GET", "/api/v1/events").json["items"] == []
    assert other.ask("PUT", RULES, {"label": "canary"}).status == 403
    seen = ours.ask("GET", "/api/v1/events?limit=1000").json["items"]
    assert "review.asked" in {event["action"] for event in seen}
    assert {event["prompt_id"] for event in seen} == {seen[0]["prompt_id"]}


def test_the_log_is_continued_after_the_last_event_seen(case: Case, people: Mapping[str, Serving]) -> None:
    everything = case.server.ask("GET", "/api/v1/events?limit=1000").json["items"]
    page = case.server.ask("GET", f"/api/v1/events?limit=2&after={everything[2]['id']}").json["items"]

    assert page == everything[3:5]
    assert [event["id"] for event in everything] == sorted(event["id"] for event in everything)
    assert people["editor"].ask("GET", "/api/v1/events").status == 403
