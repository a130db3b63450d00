"""A person signs in with a browser: by the link that the first start shows, or with an API key; and is safe then."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cuewire.model.tokens import make_token
from cuewire.server.guard import SESSION_PATH
from cuewire.server.limits import WRONG_KEYS
from tests.support.command_line import CommandLine
from tests.support.serving import Reply, Serving, serving

UNKNOWN = make_token("cws", id_bits=1, secret_bits=2).text


@pytest.fixture(scope="module")
def cue(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    return CommandLine(tmp_path_factory.mktemp("sessions"))


@pytest.fixture(scope="module")
def server(cue: CommandLine) -> Iterator[Serving]:
    with serving(cue) as running:
        yield running


def sign_in(server: Serving, **by: str) -> Reply:
    return server.ask("POST", SESSION_PATH, by, Authorization=None, Origin=server.url)


def session_of(reply: Reply) -> str:
    """Return the cookie as a browser sends it back."""
    return reply.headers["set-cookie"].partition(";")[0]


def ask(server: Serving, method: str, path: str, cookie: str, body: object = None, **headers: str) -> Reply:
    """Ask as a page of the server does."""
    return server.ask(method, path, body, Authorization=None, Cookie=cookie, **({"Origin": server.url} | headers))


async def test_the_first_start_shows_a_link_that_signs_one_browser_in(tmp_path: Path) -> None:
    with serving(CommandLine(tmp_path)) as server:
        url, _, link = server.said["link"].partition("#")
        assert url == f"{server.url}/"

        first, second = sign_in(server, link=link), sign_in(server, link=link)

        assert (first.status, second.status) == (200, 401)
        assert ask(server, "GET", SESSION_PATH, session_of(first)).json["key_name"] == "first"
        assert server.end() == 0
    with serving(CommandLine(tmp_path)) as again:
        assert (again.said["key"], again.said["link"]) == (None, None)
        assert ask(again, "GET", "/api/v1/prompts", session_of(first)).status == 200, "a session outlives the process"


async def test_a_key_gets_links_by_command(cue: CommandLine, server: Serving) -> None:
    key_id = server.key.split("_")[1]

    link = (await cue("keys", "link", key_id, "--url", server.url, "--json")).json["link"]
    nobody = await cue("keys", "link", "nobody")

    assert sign_in(server, link=link.partition("#")[2]).status == 200
    assert nobody.code != 0
    assert "no API key has the id" in nobody.err


def test_a_key_signs_in_too_and_the_cookie_is_for_the_browser_alone(server: Serving) -> None:
    plain = sign_in(server, key=server.key)
    encrypted = server.ask(
        "POST", SESSION_PATH, {"key": server.key}, Authorization=None, Host="localhost", Origin="https://localhost"
    )

    assert plain.headers["set-cookie"].endswith("; Path=/; HttpOnly; SameSite=Lax")
    assert encrypted.headers["set-cookie"].endswith("; Path=/; HttpOnly; SameSite=Lax; Secure")
    assert server.key not in plain.headers["set-cookie"]
    assert b"cws_" not in plain.body


@pytest.mark.parametrize(
    ("by", "status"),
    [
        ({}, 422),
        ({"link": "", "key": ""}, 422),
        ({"link": "a", "key": "b"}, 422),
        ({"link": None}, 422),
        ({"links": "a"}, 422),
        ({"link": "nonsense"}, 401),
        ({"key": UNKNOWN}, 401),
        ({"link": UNKNOWN}, 401),
    ],
)
def test_what_opens_nothing_signs_nobody_in(server: Serving, by: dict[str, object], status: int) -> None:
    reply = server.ask("POST", SESSION_PATH, by, Authorization=None)

    assert reply.status == status
    assert "set-cookie" not in reply.headers


def test_a_session_does_what_its_key_may_do_until_it_is_left(server: Serving) -> None:
    session = session_of(sign_in(server, key=server.key))
    published = ask(server, "PUT", "/api/v1/prompts/mine", session, {"content": "{{ a }}", "model": "scripted/echo"})
    ran = ask(server, "POST", "/api/v1/executions", session, {"prompt": "mine", "inputs": {"a": "x"}})

    assert (published.status, ran.json["value"]) == (200, "x")
    left = ask(server, "DELETE", SESSION_PATH, session)
    assert left.headers["set-cookie"].startswith("cuewire_session=; Max-Age=0")
    assert ask(server, "GET", SESSION_PATH, session).status == 401


@pytest.mark.contract("S3-129")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": None}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content_Type": "multipart/form-data; boundary=x"}, 415),
        ({"Content_Type": None}, 415),
    ],
)
def test_a_page_of_another_site_can_do_nothing_with_the_cookie(
    server: Serving, headers: dict[str, str], status: int
) -> None:
    session = session_of(sign_in(server, key=server.key))

    reply = ask(server, "PUT", "/api/v1/prompts/forged", session, {"content": "x"}, **headers)

    assert reply.status == status
    assert server.ask("GET", "/api/v1/prompts/forged").status == 404


@pytest.mark.parametrize("cookie", ["cuewire_session=", f"cuewire_session={UNKNOWN}", "cuewire_session=a; x=y"])
def test_a_cookie_that_is_no_session_opens_nothing(server: Serving, cookie: str) -> None:
    assert ask(server, "GET", "/api/v1/prompts", cookie).status == 401


def test_two_cookies_of_the_name_are_none(server: Serving) -> None:
    session = session_of(sign_in(server, key=server.key))

    assert ask(server, "GET", "/api/v1/prompts", f"{session}; {session}").status == 401


def test_a_person_without_a_session_is_led_to_the_page_where_one_signs_in(server: Serving) -> None:
    led = server.ask("GET", "/docs", Authorization=None, Accept="text/html,*/*")
    page = server.ask("GET", "/", Authorization=None)
    session = session_of(sign_in(server, key=server.key))

    assert (led.status, led.headers["location"]) == (303, "/")
    assert page.status == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for file in ("/sign-in.js", "/sign-in.css"):
        assert file.encode() in page.body
        assert server.ask("GET", file, Authorization=None).status == 200
    assert ask(server, "GET", "/docs", session, Accept="text/html").status == 200


def test_who_tries_links_is_sent_away(tmp_path: Path) -> None:
    with serving(CommandLine(tmp_path)) as server:
        tried = {sign_in(server, link="nonsense").status for _ in range(WRONG_KEYS)}
        sent_away = sign_in(server, link="nonsense")

        assert tried == {401}
        assert (sent_away.status, sent_away.json["code"]) == (429, "too_many_wrong_keys")
        assert server.ask("GET", "/api/v1/prompts").status == 200
