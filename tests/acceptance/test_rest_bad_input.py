"""Bad input to the routes about templates, strategies, configurations, label rules, reviews and events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tests.support.bad_bodies import HOSTILE, MALFORMED, WRONG_SHAPE
from tests.support.served_databases import serving_on
from tests.support.serving import Serving, status_of
from tests.support.stores import KINDS

BODIES: dict[str, dict[str, Any]] = {
    "POST /api/v1/prompts/validate": {"content": "Hi {{ name }}"},
    "POST /api/v1/prompts/render": {"content": "Hi {{ name }}"},
    "PUT /api/v1/prompts/types/mine": {"description": "mine"},
    "POST /api/v1/strategies": {"name": "made"},
    "PUT /api/v1/strategies/kept": {"description": "said"},
    "POST /api/v1/strategies/kept/prompts": {"name": "made", "content": "Hi"},
    "PUT /api/v1/strategies/kept/prompts/own": {"content": "Hi"},
    "POST /api/v1/configurations": {"name": "made"},
    "PUT /api/v1/configurations/kept": {"description": "said"},
    "PUT /api/v1/label-rules": {"label": "canary"},
    "POST /api/v1/reviews/1/approve": {},
    "POST /api/v1/reviews/1/reject": {},
    "POST /api/v1/prompts/guarded/approve": {},
}
"""Each route that takes a body, with one that it takes; the things named in the paths are there."""
WRONG_FIELDS = [
    ("POST /api/v1/prompts/validate", {"content": 7}),
    ("POST /api/v1/prompts/validate", {"content": []}),
    ("POST /api/v1/prompts/validate", {"content": "x", "template_text": "y"}),
    ("POST /api/v1/prompts/validate", {"content": "x", "name": "Not A Name"}),
    ("POST /api/v1/prompts/validate", {"content": "x", "strategy": "Not A Name"}),
    ("POST /api/v1/prompts/validate", {"content": "x", "language": "not a language"}),
    ("POST /api/v1/prompts/validate", {"content": [{"role": "robot", "content": "x"}]}),
    ("POST /api/v1/prompts/validate", {"content": "a\x00b"}),
    ("POST /api/v1/prompts/render", {"content": "x", "inputs": {"a": 1}, "context": {"a": 1}}),
    ("POST /api/v1/prompts/render", {"content": "x", "inputs": [1]}),
    ("POST /api/v1/prompts/render", {"prompt": "a@b@c"}),
    ("POST /api/v1/prompts/render", {"prompt": "guarded", "version": 0}),
    ("POST /api/v1/prompts/render", {"prompt": "guarded", "label": "Not A Label"}),
    ("POST /api/v1/prompts/render", {"content": "{{ x }}", "variables": {"x": {"type": "nothing"}}}),
    ("PUT /api/v1/prompts/types/mine", {"variables": [{"name": "not a name"}]}),
    ("PUT /api/v1/prompts/types/mine", {"variables": [{"name": "x", "json_schema": {"type": "nothing"}}]}),
    ("PUT /api/v1/prompts/types/mine", {"variables": [{"name": "x", "json_schema": {"examples": 5}}]}),
    (
        "PUT /api/v1/prompts/types/mine",
        {"variables": [{"name": "x", "json_schema": {"type": "number", "examples": ["text"]}}]},
    ),
    ("PUT /api/v1/prompts/types/mine", {"variables": [{"name": f"v{number}"} for number in range(201)]}),
    ("PUT /api/v1/prompts/types/mine", {"description": "x" * 10_001}),
    ("POST /api/v1/strategies", {"name": "7"}),
    ("POST /api/v1/strategies", {"name": "Not A Name"}),
    ("POST /api/v1/strategies", {"name": "made", "description": "x" * 10_001}),
    ("POST /api/v1/strategies", {"name": "made", "description": "a\x00b"}),
    ("POST /api/v1/strategies", {"name": "made", "parameters": {"a": 2**64}}),
    ("POST /api/v1/strategies", {"name": "made", "parent": "kept"}),
    ("POST /api/v1/configurations", {"name": "made", "parent": "Not A Name"}),
    ("PUT /api/v1/configurations/kept", {"parent": "kept"}),
    ("POST /api/v1/strategies/kept/prompts", {"name": "made", "content": "Hi", "strategy": "other"}),
    ("PUT /api/v1/label-rules", {"label": "latest"}),
    ("PUT /api/v1/label-rules", {"label": "Not A Label"}),
    ("PUT /api/v1/label-rules", {"label": "canary", "role": "king"}),
    ("PUT /api/v1/label-rules", {"label": "canary", "checks": [{"name": "a"}, {"name": "a"}]}),
    ("PUT /api/v1/label-rules", {"label": "canary", "checks": [{"name": ""}]}),
    ("PUT /api/v1/label-rules", {"label": "canary", "checks": [{"name": f"{n}"} for n in range(51)]}),
    ("POST /api/v1/reviews/1/approve", {"comment": "x" * 2_001}),
    ("POST /api/v1/reviews/1/reject", {"comment": "a\x00b"}),
    ("POST /api/v1/prompts/guarded/approve", {"review": 2**63}),
    ("POST /api/v1/prompts/guarded/approve", {"review": "1"}),
]
ABSENT = [
    ("POST /api/v1/prompts/validate", {"content": "x", "template_type": "absent"}),
    ("POST /api/v1/prompts/render", {"prompt": "absent"}),
    ("POST /api/v1/prompts/render", {"prompt": "guarded", "version": 99}),
    ("POST /api/v1/prompts/render", {"prompt": "guarded", "label": "absent"}),
    ("POST /api/v1/prompts/render", {"prompt": "guarded", "strategy": "absent"}),
    ("GET /api/v1/strategies/absent", None),
    ("PUT /api/v1/strategies/absent", {}),
    ("DELETE /api/v1/strategies/absent", None),
    ("GET /api/v1/strategies/999999", None),
    ("GET /api/v1/strategies/absent/prompts", None),
    ("POST /api/v1/strategies/absent/prompts", {"name": "x", "content": "x"}),
    ("PUT /api/v1/strategies/absent/prompts/own", {"content": "x"}),
    ("GET /api/v1/configurations/absent", None),
    ("POST /api/v1/configurations", {"name": "made", "parent": "absent"}),
    ("DELETE /api/v1/configurations/absent", None),
    ("GET /api/v1/label-rules?prompt=absent", None),
    ("PUT /api/v1/label-rules?prompt=absent", {"label": "canary"}),
    ("DELETE /api/v1/label-rules?prompt=absent&label=canary", None),
    ("GET /api/v1/reviews?prompt=absent", None),
    ("GET /api/v1/reviews/999999", None),
    ("POST /api/v1/reviews/999999/approve", {}),
    ("POST /api/v1/reviews/999999/reject", {}),
    ("POST /api/v1/reviews/999999/check", None),
    ("POST /api/v1/prompts/absent/approve", {}),
]
QUERIES = [
    "/strategies/kept/prompts?page=0",
    "/strategies/kept/prompts?page_size=101",
    "/strategies/kept/prompts?page=1&limit=3",
    "/strategies/kept/prompts?after=nonsense",
    "/strategies/kept/prompts?sort=secret",
    "/strategies/kept/prompts?strategy=other",
    "/strategies/kept/prompts?q=a%00b",
    "/label-rules?strategy=kept",
    "/reviews?status=lost",
    "/reviews?limit=0",
    "/reviews?before=0",
    "/reviews?before=9223372036854775808",
    "/reviews/one",
    "/reviews/0",
    "/reviews/-1",
    "/reviews/9223372036854775808",
    "/events?after=-1",
    "/events?limit=1001",
    "/events?nonsense=1",
    "/prompts?strategy=%C2%B2",
]


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Serve what the good bodies are about: a strategy with a prompt, a configuration, and a review that waits."""
    with serving_on(request.param, tmp_path_factory.mktemp("bad")) as running:
        for path, body in (
            ("strategies", {"name": "kept"}),
            ("strategies/kept/prompts", {"name": "own", "content": "Own"}),
            ("configurations", {"name": "kept"}),
            ("prompts", {"name": "guarded", "content": "Old"}),
        ):
            assert running.ask("POST", f"/api/v1/{path}", body).status == 201
        rule = {"label": "production", "needs_review": True}
        assert running.ask("PUT", "/api/v1/label-rules?prompt=guarded", rule).status == 200
        assert running.ask("PUT", "/api/v1/prompts/guarded", {"content": "New"}).json["reviews"] == {"production": 1}
        yield running


def statuses(server: Serving, operation: str, bodies: Sequence[Any]) -> list[tuple[int, str]]:
    """Return the status of each body, with the media type of the reply."""
    method, path = operation.split(" ")
    replies = [server.ask(method, path, body) for body in bodies]
    return [(reply.status, reply.headers["content-type"]) for reply in replies]


@pytest.mark.parametrize("operation", BODIES)
def test_a_body_that_is_no_strict_json_is_400(server: Serving, operation: str) -> None:
    assert statuses(server, operation, MALFORMED) == [(400, "application/problem+json")] * len(MALFORMED)


@pytest.mark.parametrize("operation", BODIES)
def test_a_body_of_another_shape_is_422_and_says_where(server: Serving, operation: str) -> None:
    method, path = operation.split(" ")
    replies = [server.ask(method, path, b"null" if body is None else body) for body in WRONG_SHAPE]

    assert [reply.status for reply in replies] == [422] * len(WRONG_SHAPE)
    assert all(reply.json["problems"] for reply in replies)


@pytest.mark.parametrize("operation", BODIES)
def test_a_body_that_is_too_large_or_too_deep_is_refused(server: Serving, operation: str) -> None:
    method, path = operation.split(" ")
    head = server.head(method, path, Content_Type="application/json", Content_Length=f"{8 * 1024 * 1024 + 1}")
    too_deep = b'{"description": ' + b"[" * 65 + b"]" * 65 + b"}"

    assert status_of(server.raw(head)) == 413
    assert server.ask(method, path, too_deep).status == 422


@pytest.mark.parametrize(("operation", "body"), WRONG_FIELDS)
def test_a_field_that_is_wrong_is_422(server: Serving, operation: str, body: dict[str, Any]) -> None:
    method, path = operation.split(" ")
    reply = server.ask(method, path, body)

    assert (reply.status, reply.headers["content-type"]) == (422, "application/problem+json"), reply.json
    assert reply.json.get("field") or reply.json["problems"], reply.json


@pytest.mark.parametrize(("operation", "body"), ABSENT)
def test_what_is_not_there_is_404(server: Serving, operation: str, body: object) -> None:
    method, path = operation.split(" ")
    reply = server.ask(method, path, body)

    assert (reply.status, reply.json["title"]) == (404, "not found"), reply.json


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_that_is_wrong_is_422(server: Serving, query: str) -> None:
    reply = server.ask("GET", f"/api/v1{query}")

    assert reply.status == 422, reply.json


@pytest.mark.parametrize(
    "path",
    [
        "strategies/{}",
        "strategies/{}/prompts",
        "strategies/kept/prompts/{}",
        "configurations/{}",
        "prompts/types/{}",
        "prompts/{}/approve",
        "reviews/{}",
    ],
)
def test_a_hostile_name_in_a_path_is_refused_by_every_method(server: Serving, path: str) -> None:
    told = {
        (name, method): server.ask(method, f"/api/v1/{path.format(name)}", {"content": "x"}).status
        for name in HOSTILE
        for method in ("GET", "PUT", "POST", "DELETE")
    }

    assert {key: status for key, status in told.items() if status not in (400, 404, 405, 422)} == {}


def test_an_archived_prompt_of_a_strategy_is_not_changed(server: Serving) -> None:
    made = server.ask("POST", "/api/v1/strategies/kept/prompts", {"name": "archived", "content": "x"}).json
    path = f"/api/v1/strategies/kept/prompts/{made['prompt']['id']}"
    assert server.ask("DELETE", path).status == 200

    changed = server.ask("PUT", path, {"content": "y"})

    assert (changed.status, changed.json["code"]) == (409, "prompt_archived")


def test_hostile_texts_are_kept_as_they_are(server: Serving) -> None:
    texts = ["' OR 1=1 --", "<script>", "{{ 7 * 7 }}", "\u202e\u0007", "\U0001f600" * 100]

    for number, text in enumerate(texts):
        body = {"name": f"odd-{number}", "description": text, "parameters": {text: text}}
        made = server.ask("POST", "/api/v1/configurations", body)
        assert (made.status, made.json["description"], made.json["effective"]) == (201, text, {text: text})
