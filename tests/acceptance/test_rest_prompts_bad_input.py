"""Bad input to the routes of prompts, versions and labels: refused with what is wrong, and nothing changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.access import known_as
from tests.support.bad_bodies import HOSTILE, MALFORMED, WRONG_SHAPE
from tests.support.served_databases import serving_on
from tests.support.serving import Reply, Serving, status_of
from tests.support.stores import KINDS

PROMPTS = "/api/v1/prompts"
BODIES: dict[str, dict[str, Any]] = {
    "POST /": {"name": "made", "content": "Hi"},
    "PUT /kept": {"content": "Hi"},
    "POST /kept/versions": {"content": "Hi"},
    "POST /kept/clone": {"name": "made"},
    "POST /kept/labels": {"label": "canary", "number": 1},
    "POST /kept/diff": {"first": 1, "second": 1},
    "POST /variables": {"content": "Hi"},
}
"""Each route that takes a body, with one that it takes."""
NOT_STORABLE = ("a\x00b", "\ud800", "\udfff\ud83d")
WRITES = ("POST /", "PUT /kept", "POST /kept/versions")
WRONG_CONTENT: list[Any] = [
    7,
    [],
    [7],
    {"role": "user"},
    [{"role": "robot", "content": "x"}],
    [{"role": "user"}],
    [{"role": "user", "content": "x", "more": 1}, 7],
    [{"type": "messages"}],
    [{"type": "messages", "input": "not a name"}],
    [{"role": "user", "content": "x"}] * 201,
    "{{",
    "{% for x in y %}",
    "{{ x | nothing }}",
    "{% include 'not/there' %}",
    "x" * 2_000_000,
]
WRONG_OF_VERSION: list[dict[str, Any]] = [
    {"model": ""},
    {"model": "no-slash"},
    {"model": 7},
    {"model": "scripted/" + "m" * 300},
    {"output": "what"},
    {"output": ["one"]},
    {"output": {"type": "nothing"}},
    {"output": 7},
    {"parameters": []},
    {"parameters": {"max_tokens": 2**64}},
    {"variables": {"absent": {}}},
    {"variables": {"x": 7}},
    {"variables": {"x": {"type": "nothing"}}},
    {"variables": {"x": {"type": "string", "default": 7}}},
    {"lenient": "yes"},
    {"note": 7},
    {"note": "n" * 10_001},
    {"labels": "canary"},
    {"labels": ["latest"]},
    {"labels": ["Not A Label"]},
    {"labels": ["c" * 65]},
    {"description": "x" * 10_001},
    {"description": None},
    {"template_type": ""},
    {"template_type": "Not A Type"},
    {"template_type": "t" * 129},
    {"category": "c" * 101},
    {"tags": "x"},
    {"tags": [""]},
    {"tags": ["t" * 101]},
    {"tags": [f"t{number}" for number in range(51)]},
    {"version": 2},
    {"id": 7},
]
WRONG_FIELDS: list[tuple[str, dict[str, Any]]] = [
    *(
        (route, BODIES[route] | {"content": content})
        for route in (*WRITES, "POST /variables")
        for content in WRONG_CONTENT
    ),
    *((route, BODIES[route] | {"content": "{{ x }}"} | wrong) for route in WRITES for wrong in WRONG_OF_VERSION),
    *(
        (route, BODIES[route] | {"name": name})
        for route in ("POST /", "POST /kept/clone")
        for name in ("", "7", "Not A Name", "n" * 129, "n" * 300, "kept@1", "../x", "\u202eabc", 7, None)
    ),
    *(
        (route, BODIES[route] | home)
        for route in ("POST /", "POST /kept/clone")
        for home in ({"language": "not a language"}, {"language": 7}, {"strategy": "Not A Name"}, {"strategy": 1.5})
    ),
    *((route, BODIES[route] | {"publish": "yes"}) for route in ("POST /", "PUT /kept")),
    ("PUT /kept", {"is_active": "no"}),
    ("PUT /kept", {"is_active": None}),
    ("PUT /kept", {"model": "scripted/echo"}),
    ("PUT /kept", {"labels": ["canary"]}),
    ("POST /kept/versions", {"publish": True}),
    ("POST /kept/versions", {"parent": 0}),
    ("POST /kept/versions", {"parent": 2**31}),
    ("POST /kept/versions", {"parent": "1"}),
    *(("POST /kept/labels", {"label": "canary", "number": number}) for number in (0, -1, 2**31, 2**63, 1.5, "1", None)),
    *(("POST /kept/labels", {"label": label, "number": 1}) for label in ("latest", "", "C", "c" * 65, "a\x00", 7)),
    ("POST /kept/labels", {"label": "canary", "number": 1, "expected": "1"}),
    *(("POST /kept/diff", {"first": 1, "second": second}) for second in (0, -1, 2**31, 2**64, "1", None)),
    ("POST /kept/diff", {"first": 1, "second": 1, "inputs": [1]}),
]
NOT_THERE = [
    ("GET /{}", None),
    ("DELETE /{}", None),
    ("POST /{}/restore", None),
    ("GET /{}/history", None),
    ("GET /{}/versions", None),
    ("GET /{}/versions/1", None),
    ("GET /{}/versions/latest", None),
    ("PUT /{}", {"description": "x"}),
    ("PUT /{}", {"is_active": False}),
    ("POST /{}/versions", {"content": "x"}),
    ("POST /{}/versions", {"parent": 1}),
    ("POST /{}/clone", {"name": "made"}),
    ("POST /{}/labels", {"label": "canary", "number": 1}),
    ("POST /{}/diff", {"first": 1, "second": 1}),
]
ABSENT_PARTS = [
    ("GET /kept/versions/99", None),
    ("GET /kept/versions/nowhere", None),
    ("POST /kept/versions", {"parent": 99}),
    ("POST /kept/labels", {"label": "canary", "number": 99}),
    ("POST /kept/diff", {"first": 1, "second": 99}),
    ("GET /kept?strategy=nowhere", None),
    ("GET /kept?language=fr", None),
    ("GET /?strategy=nowhere", None),
    ("PUT /kept?strategy=nowhere", {"content": "x"}),
    ("POST /", {"name": "made", "content": "x", "strategy": "nowhere"}),
    ("POST /", {"name": "made", "content": "x", "strategy": 999_999}),
    ("POST /kept/clone", {"name": "made", "strategy": "nowhere"}),
]
QUERIES = [
    *(f"/?{query}" for query in ("page=0", "page=-1", "page=x", "page=1000000000000", "page=99999999999999999999")),
    *(f"/?{query}" for query in ("page_size=0", "page_size=101", "limit=0", "limit=1001", "limit=1e3", "limit=")),
    *(
        f"/?{query}"
        for query in ("page=1&limit=3", "page_size=3&after=x", "after=x", "after=", "after=%00", "after=AAAA")
    ),
    *(f"/?{query}" for query in ("sort=note", "sort=", "sort=name;--", "sort=--name", "status=lost", "scope=all")),
    *(f"/?{query}" for query in ("q=a%00b", "tag=%00", "category=%00", "type=%00", "language=not%20one", "strategy=A")),
    *(f"/?{query}" for query in ("nothing=1", "q=" + "x" * 201, "name=a%00", "tag=" + "x" * 101)),
    *(f"/kept{query}" for query in ("?archived=what", "?language=1", "?strategy=%C2%B2", "?nothing=1", "?page=1")),
    *(f"/kept/history?{query}" for query in ("limit=0", "limit=1001", "after=-1", "after=9223372036854775808")),
    *(f"/kept/versions/{which}" for which in ("0", "-1", "9" * 20, "A", "a%00", "%20", "1@2")),
]
TAGS = [
    "",
    "x",
    '"x"',
    '"1',
    "1",
    '"-1"',
    '""',
    '"1", "2"',
    '"' + "9" * 19 + '"',
    "W/1",
    '"\u0661"'.encode().decode("latin-1"),
]


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Serve a prompt `kept`, which no test may change, and an archived one."""
    with serving_on(request.param, tmp_path_factory.mktemp("bad")) as running:
        for name in ("kept", "gone"):
            body = {"name": name, "content": "Hello {{ x }}", "model": "scripted/echo"}
            assert running.ask("POST", f"{PROMPTS}/", body).status == 201
        assert running.ask("DELETE", f"{PROMPTS}/gone").status == 200
        yield running


@pytest.fixture(autouse=True)
def unchanged(server: Serving) -> Iterator[None]:
    """Hold that what there is stays as it is."""
    before = state(server)
    yield
    assert state(server) == before


def state(server: Serving) -> list[Any]:
    """Return all that a request could have changed."""
    paths = ("/?page_size=100", "/kept", "/kept/versions", "/gone?archived=true", "/gone/versions", "/kept/history")
    return [server.ask("GET", f"{PROMPTS}{path}").json for path in paths]


def ask(server: Serving, operation: str, body: object = None, **headers: str | None) -> Reply:
    method, _, path = operation.partition(" ")
    return server.ask(method, PROMPTS + path, body, **headers)


def is_problem(reply: Reply, status: int, *codes: str) -> bool:
    kind, said = reply.headers["content-type"], reply.json
    return (reply.status, kind) == (status, "application/problem+json") and (not codes or said["code"] in codes)


@pytest.mark.parametrize("operation", BODIES)
def test_a_body_that_is_no_strict_json_is_400(server: Serving, operation: str) -> None:
    replies = [ask(server, operation, body) for body in MALFORMED]

    assert [reply for reply in replies if not is_problem(reply, 400, "malformed_json")] == []


@pytest.mark.parametrize("operation", BODIES)
def test_a_body_of_another_shape_is_422_and_says_where(server: Serving, operation: str) -> None:
    replies = [ask(server, operation, b"null" if body is None else body) for body in WRONG_SHAPE]

    assert [reply for reply in replies if not is_problem(reply, 422, "invalid_input")] == []
    assert all(reply.json["problems"] for reply in replies)


@pytest.mark.parametrize("operation", BODIES)
def test_a_body_that_is_too_large_or_too_deep_is_refused(server: Serving, operation: str) -> None:
    method, _, path = operation.partition(" ")
    head = server.head(method, PROMPTS + path, Content_Type="application/json", Content_Length=f"{9 * 1024 * 1024}")
    too_deep = b'{"content": ' + b"[" * 65 + b"]" * 65 + b"}"

    assert status_of(server.raw(head)) == 413
    assert is_problem(ask(server, operation, too_deep), 422)


@pytest.mark.parametrize(("operation", "body"), WRONG_FIELDS)
def test_a_field_that_is_wrong_is_422_and_named(server: Serving, operation: str, body: dict[str, Any]) -> None:
    reply = ask(server, operation, body)

    assert is_problem(reply, 422 if "not/there" not in str(body) else 404), reply.json
    assert reply.json.get("field") or reply.json["problems"], reply.json


@pytest.mark.parametrize("text", NOT_STORABLE)
@pytest.mark.parametrize("operation", WRITES)
def test_text_that_no_database_holds_is_422_wherever_it_stands(server: Serving, operation: str, text: str) -> None:
    places: list[dict[str, Any]] = [
        *({name: text} for name in ("content", "description", "category", "template_type", "note", "model", "output")),
        *({name: [text]} for name in ("labels", "tags", "output")),
        {"content": [{"role": "user", "content": text}]},
        {"content": [{"role": "user", "content": [text, {"type": "image", "input": "x"}]}]},
        {"parameters": {text: 1}},
        {"parameters": {"stop": [text]}},
        {"content": "{{ x }}", "variables": {"x": {"description": text}}},
        {"content": "{{ x }}", "variables": {text: {}}},
        {"output": {"type": "object", "properties": {text: {}}}},
    ]

    replies = [ask(server, operation, escaped(BODIES[operation] | place)) for place in places]

    assert [reply.json for reply in replies if not is_problem(reply, 422, "invalid_input")] == []


@pytest.mark.contract("S3-096")
@pytest.mark.parametrize("which", ["nowhere", "999999999", "9" * 18])
@pytest.mark.parametrize(("operation", "body"), NOT_THERE)
def test_a_prompt_that_is_not_there_is_404(server: Serving, operation: str, body: object, which: str) -> None:
    reply = ask(server, operation.format(which), body)

    assert is_problem(reply, 404, "prompt_not_found"), reply.json


@pytest.mark.parametrize(("operation", "body"), ABSENT_PARTS)
def test_what_is_not_there_of_a_prompt_is_404(server: Serving, operation: str, body: object) -> None:
    reply = ask(server, operation, body)

    assert is_problem(reply, 404), reply.json


@pytest.mark.parametrize("is_by_id", [False, True])
def test_an_archived_prompt_is_not_found_and_takes_no_changes(server: Serving, is_by_id: bool) -> None:
    gone = server.ask("GET", f"{PROMPTS}/gone?archived=true").json["id"] if is_by_id else "gone"
    bodies: dict[str, Any] = {
        f"PUT /{gone}": {"content": "x"},
        f"POST /{gone}/versions": {"content": "x"},
        f"POST /{gone}/labels": {"label": "canary", "number": 1},
    }
    bodies_of_prompt = [{"description": "x"}, {"is_active": True}, {"is_active": False}]

    lost = [ask(server, f"GET /{gone}{rest}") for rest in ("", "/versions/1", "/versions/production")]
    changes = [ask(server, operation, body) for operation, body in bodies.items()]
    changes += [ask(server, f"PUT /{gone}", body) for body in bodies_of_prompt]

    assert [reply for reply in lost if not is_problem(reply, 404, "prompt_not_found")] == []
    assert [reply.json for reply in changes if not is_problem(reply, 409, "prompt_archived")] == []


def test_what_is_of_others_is_not_there_for_a_key_that_is_limited(server: Serving) -> None:
    narrow = known_as(server, name="narrow", role="admin", prompts=["ours/*"])
    kept = server.ask("GET", f"{PROMPTS}/kept").json["id"]

    replies = [ask(narrow, operation.format(which), body) for operation, body in NOT_THERE for which in ("kept", kept)]
    replies += [ask(narrow, operation, BODIES[operation]) for operation in ("POST /", "PUT /kept", "POST /kept/clone")]

    assert [reply.json for reply in replies if not is_problem(reply, 404, "prompt_not_found")] == []
    assert ask(narrow, "GET /").json["items"] == []


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_that_is_wrong_is_422(server: Serving, query: str) -> None:
    reply = ask(server, f"GET {query}")

    assert is_problem(reply, 422, "invalid_input"), reply.json


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize(("operation", "body"), [("PUT /kept", {"content": "x"}), ("DELETE /kept", None)])
def test_an_entity_tag_that_is_none_is_422(server: Serving, operation: str, body: object, tag: str) -> None:
    assert is_problem(ask(server, operation, body, If_Match=tag), 422, "invalid_input")


@pytest.mark.parametrize("tag", ['"0"', '"2"', 'W/"2"', '"' + "9" * 18 + '"'])
@pytest.mark.parametrize(
    ("operation", "body"),
    [("PUT /kept", {"content": "x"}), ("PUT /kept", {"description": "x"}), ("DELETE /kept", None)],
)
def test_a_state_that_is_not_the_prompts_is_412(server: Serving, operation: str, body: object, tag: str) -> None:
    assert is_problem(ask(server, operation, body, If_Match=tag), 412, "outdated")


@pytest.mark.parametrize(
    "path",
    ["/{}", "/{}/versions", "/kept/versions/{}", "/{}/labels", "/{}/diff", "/{}/restore", "/{}/clone", "/{}/history"],
)
def test_a_hostile_name_in_a_path_is_refused_by_every_method(server: Serving, path: str) -> None:
    told = {
        (name, method): ask(server, f"{method} {path.format(name)}", {"content": "x"}).status
        for name in HOSTILE
        for method in ("GET", "PUT", "POST", "DELETE", "PATCH")
    }

    assert {key: status for key, status in told.items() if status not in (400, 404, 405, 422)} == {}


def escaped(value: Any) -> bytes:
    """Return a value as JSON that says lone surrogates and NULs by escapes."""
    return json.dumps(value).encode()
