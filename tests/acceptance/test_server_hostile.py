"""What nobody should send: the server refuses it with a problem, stays small, and goes on serving."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine
from tests.support.serving import Serving, read_all, serving, status_of

MIB = 1024 * 1024
RUN = "/api/v1/executions"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Serve a database with one prompt."""
    with serving(CommandLine(tmp_path_factory.mktemp("hostile"))) as running:
        running.publish("echo", "{{ text }}", model="scripted/echo")
        yield running


@pytest.fixture(autouse=True)
def _goes_on(server: Serving) -> Iterator[None]:
    """Hold the server to be alive and well after each test."""
    yield
    assert server.run("echo", {"text": "still here"}).json["value"] == "still here"


def memory(server: Serving) -> int:
    """Return the bytes that the server keeps in memory."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


def body_with(text: str) -> bytes:
    """Return the body of a run, with raw JSON as the input."""
    return f'{{"prompt": "echo", "inputs": {{"text": {text}}}}}'.encode()


# T7: bodies without end


def test_a_body_that_declares_too_much_is_refused_before_it_is_sent(server: Serving) -> None:
    assert status_of(server.raw(server.head("POST", RUN, Content_Length=str(2**30)))) == 413
    assert status_of(server.raw(server.head("POST", RUN, Content_Length="9" * 18))) in (400, 413)


def test_a_body_in_chunks_without_end_is_cut_off_and_costs_no_memory(server: Serving) -> None:
    before = memory(server)
    block = b"100000\r\n" + b" " * MIB + b"\r\n"

    reply = server.raw(server.head("POST", RUN, Transfer_Encoding="chunked"), *([block] * 200))

    assert status_of(reply) in (413, 0)  # 0: it hung up while we still sent
    assert memory(server) - before < 64 * MIB


@pytest.mark.parametrize("rest", [b"GET /healthz HTTP/1.1\r\n\r\n", b"x" * 1_000, b"\x00"])
def test_what_follows_the_declared_length_is_no_part_of_the_body(server: Serving, rest: bytes) -> None:
    body = body_with('"whole"')

    reply = server.raw(server.head("POST", RUN, Content_Length=str(len(body))), body + rest)

    assert status_of(reply) == 200
    assert reply.count(b"HTTP/1.1") == 1
    assert b'"text":"whole"' in reply


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 5\r\nContent-Length: 6",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        b"Transfer-Encoding: gzip",
        b"X-A: b\r\n folded: c",
        b"X-A : b",
        b"X\x00A: b",
        b"X-A: b\x00c",
    ],
)
def test_a_head_that_two_readers_might_read_differently_is_refused(server: Serving, headers: bytes) -> None:
    head = server.head("POST", RUN).replace(b"\r\n\r\n", b"\r\n" + headers + b"\r\n\r\n")

    assert status_of(server.raw(head, b"0\r\n\r\n")) in (400, 411, 422)


def test_of_two_ways_to_end_a_body_neither_hides_a_second_request(server: Serving) -> None:
    body = body_with('"smuggled"')
    inner = server.head("POST", RUN, Content_Length=str(len(body))) + body
    head = server.head("POST", RUN, Content_Length=str(len(inner) + 5), Transfer_Encoding="chunked")

    reply = server.raw(head, b"0\r\n\r\n" + inner)

    assert status_of(reply) == 400
    assert b"smuggled" not in reply


@pytest.mark.parametrize("length", ["-1", "1e3", "0x10", "12, 13", ""])
def test_a_lying_length_is_refused(server: Serving, length: str) -> None:
    assert status_of(server.raw(server.head("POST", RUN, Content_Length=length), b"{}")) == 400


def test_a_body_that_ends_early_is_no_run(server: Serving) -> None:
    before = server.ask("GET", RUN + "?limit=1").json["items"][:1]

    server.raw(server.head("POST", RUN, Content_Length="100"), body_with('"x"'))

    assert server.ask("GET", RUN + "?limit=1").json["items"][:1] == before


# T18, T19: headers that mean something to somebody else


@pytest.mark.parametrize(
    "name", ["evil.example", "localhost.evil.example", "127.0.0.1.evil", "a/?x=", "localhost.", ""]
)
def test_a_host_that_is_not_ours_is_refused(server: Serving, name: str) -> None:
    reply = server.ask("GET", "/healthz", Host=name)

    assert (reply.status, reply.json["code"]) == (421, "host_refused")


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST:80", "[::1]:8470", "127.0.0.1"])
def test_the_names_of_this_machine_are_served(server: Serving, name: str) -> None:
    assert server.ask("GET", "/healthz", Host=name).status == 200


def test_two_hosts_or_none_are_refused_also_with_a_whole_url_as_target(server: Serving) -> None:
    two = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    none = b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n"
    foreign = b"GET http://evil.example/healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"

    assert status_of(server.raw(two)) == 400
    assert status_of(server.raw(none)) == 421
    assert status_of(server.raw(foreign)) == 421


def test_a_whole_url_as_target_does_not_change_who_is_asked(server: Serving) -> None:
    target = server.head("GET", "http://evil.example/api/v1/prompts").replace(b"Authorization", b"X-Nothing")

    assert status_of(server.raw(target)) == 401


@pytest.mark.parametrize(
    "name", ["X-Forwarded-Host", "X-Host", "Forwarded", "X-Original-URL", "X-Rewrite-URL", "X-Http-Method-Override"]
)
def test_no_other_header_says_who_or_what_is_asked(server: Serving, name: str) -> None:
    replaced = {name.replace("-", "_"): "evil.example"}

    assert server.ask("GET", "/healthz", **replaced).body == server.ask("GET", "/healthz").body
    assert server.seen_from("127.0.0.8").ask("GET", "/docs", Authorization=None, **replaced).status == 401


def test_a_second_idempotency_key_is_refused(server: Serving) -> None:
    body = body_with('"x"')
    head = server.head("POST", RUN, Content_Length=str(len(body)))
    twice = head.replace(b"\r\n\r\n", b"\r\nIdempotency-Key: a\r\nIdempotency-Key: b\r\n\r\n")

    assert status_of(server.raw(twice, body)) == 400


def test_names_do_not_reach_a_header(server: Serving) -> None:
    head = server.head("GET", "/healthz", X_Request_Id="a\tb; c")

    assert b"x-request-id: a\tb" not in server.raw(head)
    assert server.ask("GET", "/healthz", X_Request_Id="trace-1.a_B").headers["x-request-id"] == "trace-1.a_B"
    assert server.ask("GET", "/api/v1/prompts/a%0d%0aX-Evil:%201").headers.get("x-evil") is None


def test_a_head_that_is_too_large_is_refused(server: Serving) -> None:
    assert status_of(server.raw(server.head("GET", "/healthz", X="a" * 20_000))) == 431
    assert status_of(server.raw(server.head("GET", "/healthz", X="a" * MIB))) in (400, 431, 0)


# T20: what a page of another site makes a browser send


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Content_Type": "multipart/form-data; boundary=x"},
        {"Content_Type": "text/plain"},
        {"Content_Type": "application/json; charset=utf-16"},
    ],
)
def test_a_request_from_another_site_is_refused(server: Serving, headers: dict[str, str]) -> None:
    assert server.ask("POST", RUN, body_with('"x"'), **headers).status in (403, 415)


def test_our_own_pages_may_ask_and_nothing_is_changed_by_looking(server: Serving) -> None:
    own = server.ask("POST", RUN, body_with('"x"'), Origin=server.url, Sec_Fetch_Site="same-origin")

    assert own.status == 200
    assert server.ask("GET", "/api/v1/prompts/echo/restore").status == 405
    assert "access-control-allow-origin" not in own.headers


# T33: who may ask


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer null",
        "Bearer []",
        "Bearer cw_0000000000_" + "0" * 43 + "_000000",
        "Bearer " + "a" * 10_000,
        "Basic eDp5",
        "bearer\tx",
    ],
)
def test_without_a_key_everyone_gets_the_same_answer(server: Serving, authorization: str | None) -> None:
    reply = server.ask("GET", "/api/v1/prompts", Authorization=authorization, X_Request_Id="r")
    nothing = server.ask("GET", "/no/such/path", Authorization=None, X_Request_Id="r")

    assert (reply.status, reply.body) == (401, nothing.body)
    assert reply.headers["www-authenticate"] == 'Bearer realm="cuewire"'


def test_a_key_given_twice_or_of_a_megabyte_is_refused(server: Serving) -> None:
    twice = server.head("GET", "/api/v1/prompts").replace(b"Connection", b"Authorization: Bearer x\r\nConnection")

    assert status_of(server.raw(twice)) == 400
    assert status_of(server.raw(server.head("GET", "/api/v1/prompts", Authorization="Bearer " + "a" * MIB))) in (
        0,
        400,
        431,
    )


def test_a_key_is_taken_from_its_header_alone(server: Serving) -> None:
    query = server.ask("GET", f"/api/v1/prompts?token={server.key}", Authorization=None)
    cookie = server.ask("GET", "/api/v1/prompts", Authorization=None, Cookie=f"cuewire_session={server.key}")
    basic = server.ask("GET", "/docs", Authorization="Basic " + b64encode(f":{server.key}".encode()).decode())

    assert (query.status, cookie.status, basic.status) == (401, 401, 401)


# T26: those who take their time


def test_slow_clients_are_given_up_and_disturb_nobody(server: Serving) -> None:
    idle = [server.connect() for _ in range(200)]
    slow_head, slow_body = server.connect(), server.connect()
    slow_head.sendall(b"GET /healthz HTTP/1.1\r\nHost: loc")
    slow_body.sendall(server.head("POST", RUN, Content_Length="100") + b"{")
    begun = time.monotonic()

    took = []
    for _ in range(20):
        before = time.monotonic()
        assert server.ask("GET", "/healthz").status == 200
        took.append(time.monotonic() - before)
    replies = [read_all(slow_head), read_all(slow_body)]

    assert sorted(took)[-2] < 0.3
    assert status_of(replies[1]) == 408
    assert time.monotonic() - begun < 30 + 3
    for connection in [*idle, slow_head, slow_body]:
        connection.close()
