"""Keys for some prompts find no others, nobody makes more than they are, and what has ended opens nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cuewire.registry.access import OF_ALL_PROMPTS
from tests.support.access import known_as, made, operations
from tests.support.command_line import CommandLine
from tests.support.served_databases import serving_on
from tests.support.serving import Reply, Serving
from tests.support.serving import serving as serving_at
from tests.support.stores import KINDS

OURS, THEIRS = "ours/greet", "theirs/secret"
NOWHERE = "01890000-0000-7000-8000-000000000000"
WITHIN_S = 3.0
"""How long a server may go on with what it knew of a key: a second is promised."""
BODIES: Mapping[str, object] = {
    "POST /api/v1/executions/{execution_id}/outcomes": {"correct": True},
    "PUT /api/v1/prompts/{prompt}": {"content": "{{ text }}"},
    "POST /api/v1/prompts/{prompt}/labels": {"label": "production", "number": 1},
    "POST /api/v1/prompts/{prompt}/clone": {"name": "ours/copy"},
    "POST /api/v1/prompts/{prompt}/diff": {"first": 1, "second": 1},
    "PUT /api/v1/cache/matches/{execution_id}": {"verdict": "right"},
}
"""Bodies of operations on one prompt or execution, where an empty one would be refused whatever it names."""


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Serve a database of each kind with a prompt of ours and one of theirs."""
    with serving_on(request.param, tmp_path_factory.mktemp("narrow")) as running:
        for name in (OURS, THEIRS):
            assert running.publish(name.replace("/", "%2F"), "{{ text }}", model="scripted/echo").status == 200
        yield running


@pytest.fixture(scope="module")
def theirs(server: Serving) -> Mapping[str, str]:
    """Return what is theirs, by the name of the parameter that would name it."""
    ran = server.run(THEIRS, {"text": "between us"})
    assert ran.status == 200
    quoted = THEIRS.replace("/", "%2F")
    prompt = server.ask("GET", f"/api/v1/prompts/{quoted}").json
    assert server.ask("POST", f"/api/v1/executions/{ran.json['id']}/outcomes", {"correct": True}).status == 200
    assert server.ask("PUT", "/api/v1/label-rules", {"label": "vetted", "needs_review": True}).status == 200
    server.ask("POST", f"/api/v1/prompts/{quoted}/labels", {"label": "vetted", "number": 1})
    (review,) = server.ask("GET", "/api/v1/reviews").json["items"]
    return {
        "review_id": str(review["id"]),
        "execution_id": ran.json["id"],
        "prompt": quoted,
        "name": f"prompt/{THEIRS}",
        "id": str(prompt["id"]),
    }


@pytest.fixture(scope="module")
def narrow(server: Serving) -> Serving:
    """Return the server for an admin of our prompts."""
    return known_as(server, role="admin", prompts=["ours/*"])


def test_what_is_theirs_is_not_there_for_any_operation(narrow: Serving, theirs: Mapping[str, str]) -> None:
    of_one = [
        operation
        for operation in operations()
        if operation.parameters & {"execution_id", "prompt", "review_id"} or operation.path.startswith("/v1/models/")
    ]
    asked = [(operation, theirs) for operation in of_one]
    by_id = {**theirs, "prompt": theirs["id"]}
    asked += [(operation, by_id) for operation in of_one if "prompt" in operation.parameters]
    wrong = []

    for operation, values in asked:
        reply = narrow.ask(operation.method, operation.filled(values, "1"), BODIES.get(str(operation), {}))
        if reply.status != 404:
            wrong.append((str(operation), values["prompt"], reply.status, reply.body[:200]))

    assert wrong == []
    assert len(asked) > 20


def test_no_list_holds_what_is_theirs(server: Serving, narrow: Serving, theirs: Mapping[str, str]) -> None:
    lists = [
        operation.path
        for operation in operations()
        if operation.method == "GET" and not operation.parameters and not operation.streams
    ]
    lists += [f"/api/v1/executions?prompt={theirs['prompt']}", "/api/v1/executions?limit=1"]

    replies = {path: narrow.ask("GET", path) for path in lists}

    for path, reply in replies.items():
        assert THEIRS.encode() not in reply.body, path
        assert theirs["execution_id"].encode() not in reply.body, path
    refused = {path: reply.status for path, reply in replies.items() if reply.status != 200}
    assert refused == {
        "/api/v1/users": 403,
        "/api/v1/cache": 403,
        "/api/v1/cache/matches": 403,
        "/api/v1/cache/trust": 422,  # it is one prompt's
    }
    for path in ("/api/v1/prompts/", "/v1/models"):
        assert OURS.encode() in replies[path].body
    for path in ("/api/v1/prompts/", "/v1/models", "/api/v1/reviews", "/api/v1/events", "/api/v1/executions"):
        assert THEIRS.encode() in server.ask("GET", path).body, path


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/executions", {"prompt": THEIRS, "inputs": {"text": "x"}}),
        ("/api/v1/executions", {"prompt": f"{THEIRS}@1", "inputs": {"text": "x"}}),
        ("/api/v1/executions", {"prompt": THEIRS, "inputs": {"text": "x"}, "stream": True}),
        ("/api", {"endpoint": "execute_prompt", "prompt": THEIRS, "inputs": {"text": "x"}}),
        ("/api", {"endpoint": "generate_prompt", "purpose": "greet", "model": "scripted/echo"}),
        ("/v1/chat/completions", {"model": f"prompt/{THEIRS}", "messages": [], "inputs": {"text": "x"}}),
        ("/v1/chat/completions", {"model": "scripted/echo", "messages": [{"role": "user", "content": "x"}]}),
        ("/v1/embeddings", {"model": "scripted/echo", "input": "x"}),
    ],
)
def test_nothing_runs_but_what_is_ours(narrow: Serving, path: str, body: Mapping[str, object]) -> None:
    refused = narrow.ask("POST", path, body)

    assert refused.status == 404, refused.body
    assert narrow.run(OURS, {"text": "x"}).status == 200


def test_what_is_theirs_looks_like_what_is_nowhere(narrow: Serving, theirs: Mapping[str, str]) -> None:
    def told(*operations: str, name: str, body: object = None) -> list[tuple[int, bytes]]:
        asked = [operation.format(name).split() for operation in operations]
        replies = [narrow.ask(method, path, body, X_Request_Id="same") for method, path in asked]
        return [(reply.status, reply.body.replace(name.encode(), b"?")) for reply in replies]

    of_prompts = ("GET /api/v1/prompts/{}", "GET /v1/models/prompt/{}@gone")
    of_executions = [f"GET /api/v1/executions/{{}}{more}" for more in ("", "/outcomes", "/stream")]
    of_executions += ["POST /api/v1/executions/{}/cancel"]
    of_reviews = [f"POST /api/v1/reviews/{{}}/{decision}" for decision in ("approve", "reject", "check")]
    of_reviews += ["GET /api/v1/reviews/{}"]
    outcomes = "POST /api/v1/executions/{}/outcomes"

    assert told(*of_prompts, name=theirs["prompt"]) == told(*of_prompts, name="theirs%2Fabsent")
    assert told(*of_prompts, name=theirs["id"]) == told(*of_prompts, name="999")
    assert told(*of_executions, name=theirs["execution_id"]) == told(*of_executions, name=NOWHERE)
    assert told(outcomes, name=theirs["execution_id"], body={"correct": True}) == told(
        outcomes, name=NOWHERE, body={"correct": True}
    )
    assert told(*of_reviews, name=theirs["review_id"], body={}) == told(*of_reviews, name="999", body={})


def test_the_key_of_the_guide_sees_no_record(server: Serving) -> None:
    app = known_as(server, role="runner", scopes=["run", "outcomes:write"], prompts=["ours/*"])
    ran = server.run(OURS, {"text": "between us"}, metadata={"user": "ada"}).json["id"]
    path = f"/api/v1/executions/{ran}"
    server.ask("POST", f"{path}/outcomes", {"correct": True})

    cancelled = app.ask("POST", f"{path}/cancel")
    reported = app.ask("POST", f"{path}/outcomes", {"stars": 4})
    dispatched = app.ask("POST", "/api", {"endpoint": "get_execution", "id": ran})
    looks = [app.ask("GET", look) for look in ("/api/v1/executions", path, f"{path}/outcomes", f"{path}/stream")]

    assert cancelled.json == {"id": ran, "status": "succeeded"}
    assert [(item["name"], item["value"]) for item in reported.json["items"]] == [("stars", 4)]
    assert [reply.status for reply in (dispatched, *looks)] == [403] * 5


def test_who_may_see_answers_but_no_record_takes_up_a_stream(server: Serving) -> None:
    app = known_as(server, role="runner", scopes=["executions:body"], prompts=["ours/*"])
    ran = server.run(OURS, {"text": "between us"}).json["id"]

    stream = app.ask("GET", f"/api/v1/executions/{ran}/stream")

    assert (stream.status, b"between us" in stream.body) == (200, True)
    assert app.ask("GET", f"/api/v1/executions/{ran}").status == 403


def test_who_is_limited_is_told_of_no_action_that_is_for_all_prompts(narrow: Serving) -> None:
    told = narrow.ask("GET", "/api/v1/session").json

    assert not OF_ALL_PROMPTS & {*told["actions"]}
    assert {"keys:admin", "prompts:publish"} <= {*told["actions"]}


def test_a_number_does_not_lead_around_the_names(server: Serving, theirs: Mapping[str, str]) -> None:
    by_digits = known_as(server, prompts=[f"{theirs['id'][0]}*", theirs["id"]])

    assert by_digits.run(theirs["id"], {"text": "x"}).status == 404
    assert by_digits.ask("GET", f"/api/v1/prompts/{theirs['id']}").status == 404


def test_a_page_of_the_record_is_full_of_what_is_ours(server: Serving, narrow: Serving) -> None:
    for name in (OURS, THEIRS, THEIRS, OURS, THEIRS):
        assert server.run(name, {"text": "x"}).status == 200

    first = narrow.ask("GET", "/api/v1/executions?limit=1").json
    second = narrow.ask("GET", f"/api/v1/executions?limit=1&after={first['next']}").json

    assert [page["items"][0]["prompt"] for page in (first, second)] == [OURS, OURS]


GROWTH: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"role": "publisher"}, {}),
    ({"role": "editor", "scopes": ["keys:admin"]}, {"role": "viewer"}),
    ({"scopes": ["users:admin", "prompts:*"]}, {}),
    ({"scopes": ["keys:admin", "run"]}, {"scopes": ["prompts:read"]}),
    ({"scopes": ["keys:admin", "run"]}, {"scopes": ["run", "users:admin"]}),
    ({"prompts": ["ours/*"]}, {"prompts": ["ours/*", "theirs/*"]}),
    ({"prompts": ["ours/*"]}, {"prompts": ["our*"]}),
    ({"prompts": [OURS]}, {"prompts": ["ours/*"]}),
    ({"expires_at": "2099-01-01T00:00:00Z"}, {"expires_at": "2099-01-01T00:00:01Z"}),
]
"""What a maker of keys has, and more than that, which they ask for."""


@pytest.mark.parametrize(("has", "asks"), GROWTH)
def test_nobody_makes_a_key_for_more_than_they_may_do(
    server: Serving, has: Mapping[str, Any], asks: Mapping[str, Any]
) -> None:
    refused = known_as(server, **has).ask("POST", "/api/v1/keys", {"name": "more", **asks})

    assert (refused.status, refused.json["code"]) == (403, "forbidden")
    assert "more" not in {key["name"] for key in server.ask("GET", "/api/v1/keys").json["items"]}


def test_what_is_not_said_of_a_key_is_as_its_makers(server: Serving) -> None:
    maker = known_as(server, prompts=["ours/*"], scopes=["keys:admin", "run"], expires_at="2099-01-01T00:00:00Z")

    child = made(maker)

    assert (child["role"], child["scopes"], child["prompts"]) == ("admin", ["keys:admin", "run"], ["ours/*"])
    assert child["expires_at"] == "2099-01-01T00:00:00Z"
    assert child["created_by"] == "key:limited"
    assert replace(maker, key=child["key"]).run(THEIRS, {"text": "x"}).status == 404


def test_keys_beyond_ones_own_are_not_there(server: Serving, narrow: Serving) -> None:
    whole = made(server, "whole")

    seen = {key["id"] for key in narrow.ask("GET", "/api/v1/keys").json["items"]}
    revoked = narrow.ask("POST", f"/api/v1/keys/{whole['id']}/revoke")

    assert whole["id"] not in seen
    assert (revoked.status, revoked.json["code"]) == (404, "api_key_not_found")
    assert replace(server, key=whole["key"]).ask("GET", "/api/v1/prompts").status == 200


def test_who_is_limited_to_some_prompts_changes_nothing_that_is_of_all(narrow: Serving) -> None:
    for method, path, body in [
        ("GET", "/api/v1/users", None),
        ("POST", "/api/v1/users", {"name": "eve", "role": "admin"}),
        ("PATCH", "/api/v1/users/eve", {"role": "admin"}),
    ]:
        assert narrow.ask(method, path, body).status == 403


def test_a_user_is_lowered_disabled_and_enabled_with_all_their_keys(server: Serving) -> None:
    added = server.ask("POST", "/api/v1/users", {"name": "bob", "role": "editor"})
    bob = known_as(server, user="bob", name="laptop")
    assert added.json["role"] == "editor"
    assert bob.ask("GET", "/api/v1/session").json["name"] == "bob"
    assert bob.ask("PATCH", "/api/v1/users/bob", {"role": "admin"}).status == 403

    assert change(server).status == 422
    assert change(server, role="runner").json["role"] == "runner"
    assert until(bob, lambda reply: reply.json.get("role") == "runner")
    assert change(server, disabled=True).json["disabled_at"] is not None
    assert until(bob, lambda reply: reply.status == 401)
    assert change(server, disabled=False).json["disabled_at"] is None
    assert until(bob, lambda reply: reply.status == 200)


def test_a_key_that_a_user_makes_is_theirs(server: Serving) -> None:
    for name in ("ada", "eve"):
        server.ask("POST", "/api/v1/users", {"name": name, "role": "admin"})
    ada = known_as(server, user="ada")

    own, other = made(ada, "own"), made(ada, "other", user="eve")

    assert (own["user"], own["created_by"]) == ("ada", "ada")
    assert (other["user"], other["created_by"]) == ("eve", "ada")


def test_the_last_admin_stays_one(tmp_path: Any) -> None:
    with serving_at(CommandLine(tmp_path)) as server:
        server.ask("POST", "/api/v1/users", {"name": "bob", "role": "admin"})

        lowered = [change(server, **said) for said in ({"role": "viewer"}, {"disabled": True})]

        assert [(reply.status, reply.json["code"]) for reply in lowered] == [(409, "conflict")] * 2


def test_a_key_that_is_over_is_answered_as_one_that_never_was(server: Serving) -> None:
    ends = datetime.now(UTC) + timedelta(seconds=2)
    short = known_as(server, expires_at=ends.isoformat())
    never = replace(server, key="cw_nonsense")

    assert short.ask("GET", "/api/v1/session").status == 200
    assert until(short, lambda reply: reply.status == 401, within_s=2 + WITHIN_S)

    told = [one.ask("GET", "/api/v1/session") for one in (short, never)]
    assert [{**reply.json, "request_id": ""} for reply in told][0] == {**told[1].json, "request_id": ""}
    assert {name for name in told[0].headers if name != "date"} == {name for name in told[1].headers if name != "date"}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "x", "role": "owner"},
        {"name": "x", "scopes": ["prompts:burn"]},
        {"name": "x", "scopes": []},
        {"name": "x", "prompts": ["*"]},
        {"name": "x", "expires_at": "yesterday"},
        {"name": "x", "expires_at": "2020-01-01T00:00:00Z"},
        {"name": "x", "expires_at": "2099-01-01T00:00:00"},
        {"name": "x", "user": "Not A Name"},
        {"name": "x", "secret_hash": "a"},
        {"name": "x", "created_by": "ada"},
    ],
)
def test_what_says_nothing_usable_of_a_key_is_refused(server: Serving, body: dict[str, object]) -> None:
    assert server.ask("POST", "/api/v1/keys", body).status == 422


def change(server: Serving, **said: object) -> Reply:
    return server.ask("PATCH", "/api/v1/users/bob", said)


def until(server: Serving, holds: Any, *, within_s: float = WITHIN_S) -> bool:
    """Ask who asks until what comes back is as it should be, and tell whether that was in time."""
    ends = time.monotonic() + within_s
    while not holds(server.ask("GET", "/api/v1/session")):
        if time.monotonic() > ends:
            return False
    return True
