"""What tries to be more than a value (SQL, paths, cursors, keys, headers) is looked for, not found, and harmless."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from hashlib import blake2b
from itertools import count
from urllib.parse import quote

import pytest

from tests.support.served_databases import serving_on
from tests.support.serving import Serving, status_of
from tests.support.stores import KINDS

RUN = "/api/v1/executions"
PROMPTS = "/api/v1/prompts"
CORPUS = [
    "' OR '1'='1",
    "'; DROP TABLE prompts; --",
    '" OR ""="',
    "1 UNION SELECT hash FROM api_keys--",
    "1; SELECT pg_sleep(5)",
    "'||(SELECT sqlite_version())||'",
    "' AND randomblob(1000000000) --",
    "echo' --",
    "echo%",
    "_cho",
    "echo\\",
    "%27%20OR%201=1",
    "＇ OR 1=1",
    "$1",
    ":project",
    "?",
    "{{ 7 * 7 }}",
    "${jndi:ldap://x}",
    "a' NEAR/2 b*",
    "\x00' OR 1=1",
    "../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "a\r\nX-Evil: 1",
    "__proto__",
    "__class__",
]
_addresses = count(2)


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Serve a database of each kind with two prompts and three executions."""
    with serving_on(request.param, tmp_path_factory.mktemp("injection")) as running:
        for name in ("echo", "other"):
            running.publish(name, "{{ text }}", model="scripted/echo")
        for number in range(3):
            running.run("echo", {"text": str(number)})
        yield running


@pytest.fixture(autouse=True)
def _nothing_is_lost(server: Serving) -> Iterator[None]:
    """Hold everything to be there after each test, and no header or page to have come of it."""
    yield
    assert [item["name"] for item in server.ask("GET", PROMPTS).json["items"]][:2] == ["echo", "other"]
    assert len(server.ask("GET", f"{RUN}?prompt=echo").json["items"]) >= 3


@pytest.mark.contract("S3-129")
@pytest.mark.parametrize("text", CORPUS, ids=ascii)
def test_in_a_filter_or_a_cursor_it_is_no_value(server: Serving, text: str) -> None:
    value = quote(text, safe="")

    replies = [
        server.ask("GET", f"{path}?{name}={value}")
        for path in (RUN, PROMPTS)
        for name in ("limit", "after", "prompt", "status", "archived", "sort", value)
    ]

    assert {reply.status for reply in replies} == {422}
    assert {reply.json["code"] for reply in replies} == {"invalid_input"}
    assert all(len(reply.body) < 4_096 and "x-evil" not in reply.headers for reply in replies)


@pytest.mark.parametrize("text", CORPUS, ids=ascii)
def test_in_a_path_or_a_body_it_names_nothing_that_there_is(server: Serving, text: str) -> None:
    value = quote(text, safe="")
    run = server.ask("GET", f"{RUN}?prompt=echo&limit=1").json["items"][0]["id"]

    replies = [
        server.ask("GET", f"{PROMPTS}/{value}"),
        server.ask("GET", f"{PROMPTS}/echo@{value}"),
        server.ask("GET", f"{PROMPTS}/{value}/versions"),
        server.ask("DELETE", f"{PROMPTS}/{value}"),
        server.ask("POST", f"{PROMPTS}/echo/labels", {"label": text, "number": 1}),
        server.ask("PUT", f"{PROMPTS}/{value}", {"content": "x"}),
        server.ask("GET", f"{RUN}/{value}"),
        server.ask("POST", f"{RUN}/{run}/outcomes", {text: 1}),
        server.ask("GET", f"{RUN}/{run}/stream", Last_Event_Id=text.encode("unicode_escape").decode()),
        server.ask("POST", RUN, {"prompt": text}),
        server.ask("POST", RUN, {"prompt": "echo", "inputs": {"text": "x"}, "model": f"scripted/{text}"}),
        server.ask("POST", RUN, {"prompt": "echo", "inputs": {"text": "x"}, "parameters": {text: 1}}),
        server.ask("POST", "/api", {"endpoint": text}),
    ]

    assert {reply.status for reply in replies} <= {404, 422}
    assert all(len(reply.body) < 4_096 and "x-evil" not in reply.headers for reply in replies)


@pytest.mark.parametrize("text", [text for text in CORPUS if "\x00" not in text], ids=ascii)
def test_as_a_value_it_comes_back_as_it_went_in(server: Serving, text: str) -> None:
    run = server.run("other", {"text": text}, metadata={text: text}).json["id"]
    server.ask("POST", f"{RUN}/{run}/outcomes", {"reason": text})

    record = server.ask("GET", f"{RUN}/{run}").json

    assert (record["text"], record["metadata"], record["outcomes"][0]["value"]) == (text, {text: text}, text)


@pytest.mark.parametrize("text", CORPUS, ids=ascii)
def test_as_a_key_it_opens_nothing_and_gets_the_answer_of_any_other(server: Serving, text: str) -> None:
    own = server.seen_from(f"127.0.0.{next(_addresses)}")
    key = text.replace("\r\n", "").encode("utf-8").decode("latin-1").replace("\x00", "")
    _, key_id, secret, check = server.key.split("_")

    replies = [
        own.ask("GET", PROMPTS, Authorization=f"Bearer {attempt}", X_Request_Id="r")
        for attempt in (key, f"cw_{key}_{secret}_{check}", f"cw_{key_id}_{key}_{check}", server.key + key)
    ]
    nobody = own.ask("GET", PROMPTS, Authorization="Bearer nobody", X_Request_Id="r")

    assert nobody.status == 401
    assert {(reply.status, reply.body) for reply in replies} == {(401, nobody.body)}


def test_a_cursor_that_is_altered_anywhere_or_of_another_list_is_refused(server: Serving) -> None:
    cursors = {
        f"{PROMPTS}?limit=1": server.ask("GET", f"{PROMPTS}?limit=1").json["next"],
        f"{RUN}?limit=1": server.ask("GET", f"{RUN}?limit=1").json["next"],
        f"{RUN}?limit=1&prompt=echo": server.ask("GET", f"{RUN}?limit=1&prompt=echo").json["next"],
    }

    for path, cursor in cursors.items():
        assert server.ask("GET", f"{path}&after={cursor}").status == 200
        others = [other for other in cursors.values() if other != cursor]
        altered = [cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :] for at in range(len(cursor))]
        for wrong in (*others, *altered, cursor[:-1], cursor + "=", cursor + "AAAA", cursor.swapcase()):
            assert server.ask("GET", f"{path}&after={wrong}").status == 422, wrong


@pytest.mark.parametrize("key", [b"' OR 1=1 --", b"a\x00b", b"\xff\xfe", b"x" * 600, "é".encode()])
@pytest.mark.parametrize(("path", "of"), [(RUN, "executions None None"), (PROMPTS, "prompts")])
def test_whoever_makes_a_cursor_gets_no_more_than_a_place_in_the_list(
    server: Serving, path: str, of: str, key: bytes
) -> None:
    check = blake2b(of.encode() + b"\0" + key, digest_size=8).digest()
    cursor = urlsafe_b64encode(check + key).decode().rstrip("=")

    reply = server.ask("GET", f"{path}?after={cursor}")

    assert reply.status == 422 or (path, reply.json["next"]) == (PROMPTS, None)


@pytest.mark.parametrize(
    "path",
    [
        "/healthz/../api/v1/prompts",
        "/healthz/%2e%2e/api/v1/prompts",
        "//api/v1/prompts",
        "/api/v1/prompts/",
        "/api/v1/prompts;/healthz",
        "/api/v1/prompts?/healthz",
        "/api/v1/prompts#/healthz",
        "/API/v1/prompts",
        "/healthz%00",
        "/healthz/",
        "/docs/../openapi.json",
    ],
)
def test_no_spelling_of_a_path_gets_around_the_key(server: Serving, path: str) -> None:
    own = server.seen_from(f"127.0.0.{next(_addresses)}")
    head = own.head("GET", path).replace(b"Authorization", b"X-Nothing")

    assert status_of(own.raw(head)) in (400, 401)
