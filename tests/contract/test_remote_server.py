"""One exchange with a server: the key that goes with it, the errors that come back, and connections that break."""

from __future__ import annotations

import logging
import ssl
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme

import cuewire
from cuewire.model.errors import (
    AccessDenied,
    CuewireError,
    IdempotencyMismatch,
    InvalidInput,
    NetworkError,
    OutputError,
    PromptNotFound,
    ProviderTimeout,
    ServerError,
    ServerUnavailable,
    StoreBusy,
    TemplateSyntaxError,
)
from cuewire.model.secrets import Secret
from cuewire.outbound.lazy import open_transport
from cuewire.remote.server import Server
from cuewire.wire.executions import ResultShape
from tests.support.hurry import hurried
from tests.support.model_server import Action, Close, Hang, ModelServer, Reset, Send, head, plain
from tests.support.scripted_cuewire import ID, TOKEN, opened, problem, result, version


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer() as running:
        yield running


@pytest.fixture
async def app(server: ModelServer, tmp_path: Path) -> AsyncIterator[cuewire.App]:
    async with opened(server, tmp_path) as app:
        yield app


async def test_a_run_is_one_request_with_the_key_and_the_callers_idempotency_key(
    app: cuewire.App, server: ModelServer
) -> None:
    server.script(plain(result()))

    answer = await app.run("triage@7", {"text": "x"}, model="openai/other", idempotency_key="order 1")

    assert (answer.id, answer.text, answer.usage.total_tokens, answer.cost_usd) == (ID, "a bug", 5, 0.1)
    (asked,) = server.received
    assert (asked.method, asked.path) == ("POST", "/api/v1/executions")
    assert (asked.headers["authorization"], asked.headers["idempotency-key"]) == (f"Bearer {TOKEN}", "order 1")
    assert asked.json == {"prompt": "triage@7", "inputs": {"text": "x"}, "model": "openai/other"}


@pytest.mark.parametrize(
    "broken",
    [[Reset()], [Close()], [Send(head(length=100) + b'{"id'), Reset()]],
    ids=["reset", "closed", "cut in the answer"],
)
async def test_a_run_whose_connection_breaks_is_sent_again_under_the_same_key(
    app: cuewire.App, server: ModelServer, broken: list[Action]
) -> None:
    server.script(broken, plain(result()))

    answer = await app.run("triage", {"text": "x"})

    assert answer.text == "a bug"
    first, again = server.received
    assert first.headers["idempotency-key"] == again.headers["idempotency-key"]
    assert first.body == again.body


async def test_a_run_that_the_server_cancels_because_its_connection_broke_is_asked_for_again(
    app: cuewire.App, server: ModelServer
) -> None:
    cancelled = CuewireError("the caller cancelled the execution")
    server.script([Reset()], problem(cancelled), plain(result()), problem(cancelled))

    assert (await app.run("triage", {"text": "x"})).text == "a bug"

    with pytest.raises(CuewireError, match="cancelled"):
        await app.run("triage", {"text": "x"})
    assert len({asked.headers["idempotency-key"] for asked in server.received}) == 2
    assert len(server.received) == 4


async def test_two_runs_never_share_a_key_that_was_made_for_them(app: cuewire.App, server: ModelServer) -> None:
    server.script(plain(result()))

    for _ in range(2):
        await app.run("triage", {"text": "x"})

    assert len({asked.headers["idempotency-key"] for asked in server.received}) == 2


@pytest.mark.parametrize("key", ["\N{SNOWMAN}", " a", "a\nb"])
async def test_an_idempotency_key_that_no_header_holds_is_refused_before_anything_is_sent(
    app: cuewire.App, server: ModelServer, key: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        await app.run("triage", {"text": "x"}, idempotency_key=key)
    with pytest.raises(InvalidInput):
        app.stream("triage", {"text": "x"}, idempotency_key=key)

    assert caught.value.field == "/idempotency_key"
    assert server.received == []


def place(error: CuewireError) -> tuple[object, ...]:
    """Return all that a caller can see of an error."""
    names = ("message", "hint", "field", "execution_id", "problems", "line", "column", "status", "phase", "text")
    return (type(error), *(getattr(error, name, None) for name in names))


NEEDS_KEY = "set CUEWIRE_TOKEN to an API key of the server; where it runs, cuewire keys create NAME makes one"
ERRORS = [
    PromptNotFound("no such prompt", hint="publish it", field="/prompt"),
    InvalidInput("two are wrong", problems=(("/inputs/a", "is missing"), ("/inputs/b", "is not a number"))),
    IdempotencyMismatch("the key was used before"),
    TemplateSyntaxError("unexpected end", field="/content/0", line=3, column=7),
    NetworkError("the provider is away", hint="wait"),
    ProviderTimeout("the provider is slow", phase="first_byte"),
    OutputError("not a choice", text="I think it is a bug"),
    StoreBusy("another process holds the database"),
    AccessDenied("the key is not known", hint=NEEDS_KEY),
    ServerUnavailable("too much to do"),
    ServerError("something broke"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.code)
async def test_an_error_of_the_server_is_raised_as_the_server_raised_it_and_the_request_is_not_sent_again(
    app: cuewire.App, server: ModelServer, error: CuewireError
) -> None:
    error.execution_id = ID
    server.script(problem(error))

    with pytest.raises(CuewireError) as caught:
        await app.run("triage", {"text": "x"})

    assert place(caught.value) == place(error)
    assert len(server.received) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (plain(b"<html>Bad gateway</html>", 502), ServerUnavailable),
        (plain(b"<html>Forbidden</html>", 403), AccessDenied),
        (plain(b"", 302, {"Location": "https://elsewhere.example"}), ServerError),
        (plain(b"<html>Welcome</html>"), ServerError),
        (plain(b'{"id": 7}'), ServerError),
        ([Send(head(422, length=1, kind="application/problem+json") + b"{")], ServerError),
        ([Send(b"not HTTP at all\r\n\r\n"), Close()], ServerError),
    ],
    ids=["502", "403", "redirect", "a page", "another shape", "no problem", "no HTTP"],
)
async def test_what_is_no_answer_of_a_cuewire_server_is_told_without_its_words(
    app: cuewire.App, server: ModelServer, answer: list[Action], kind: type[ServerError]
) -> None:
    server.script(answer)

    with pytest.raises(ServerError) as caught:
        await app.run("triage", {"text": "x"})

    assert type(caught.value) is kind
    assert "html" not in str(caught.value)
    assert caught.value.hint


async def test_no_server_at_the_address_is_told_within_a_second_or_so(server: ModelServer, tmp_path: Path) -> None:
    async with opened(server, tmp_path) as app:
        server.script([Reset()])
        with pytest.raises(ServerUnavailable) as caught:
            await app.executions.list()

    assert caught.value.hint == "see that the address is right and that the server runs"
    assert len(server.received) == 4


@pytest.mark.parametrize(
    "away", [[Reset()], problem(StoreBusy("locked")), plain(b"", 503)], ids=["gone", "busy", "503"]
)
async def test_while_the_server_is_away_a_version_is_the_last_that_was_known_and_that_is_logged(
    app: cuewire.App, server: ModelServer, caplog: pytest.LogCaptureFixture, away: list[Action]
) -> None:
    server.script(plain(version(2)), away)
    known = await app.prompts.get("triage")

    with caplog.at_level(logging.WARNING, "cuewire.remote"):
        again = await app.prompts.get("triage@production")
        with pytest.raises(CuewireError):
            await app.prompts.get("triage@7")

    assert again == known
    assert (known.prompt, known.number, known.text) == ("triage", 2, "Bug or idea? {{ text }}")
    (record,) = caplog.records
    assert record.getMessage().startswith("prompts.stale reference=triage@production version=2 reason=")


async def test_a_later_process_knows_the_last_version_too_from_files_that_only_its_user_may_read(
    server: ModelServer, tmp_path: Path
) -> None:
    server.script(plain(version(2)), [Reset()])
    async with opened(server, tmp_path) as app:
        known = await app.prompts.get("triage")

    async with opened(server, tmp_path) as app:
        again = await app.prompts.get("triage")

    assert again == known
    (file,) = (tmp_path / "last-known").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert TOKEN not in file.read_text()


async def test_a_version_that_is_gone_is_not_answered_from_memory(app: cuewire.App, server: ModelServer) -> None:
    server.script(plain(version(2)), problem(PromptNotFound("no such prompt")), [Reset()])
    await app.prompts.get("triage")

    with pytest.raises(PromptNotFound):
        await app.prompts.get("triage")
    with pytest.raises(ServerUnavailable):
        await app.prompts.get("triage")


async def test_a_damaged_file_of_a_version_is_as_good_as_none(server: ModelServer, tmp_path: Path) -> None:
    server.script(plain(version(2)), [Reset()])
    async with opened(server, tmp_path) as app:
        await app.prompts.get("triage")
    for file in (tmp_path / "last-known").iterdir():
        file.write_bytes(b'{"id": 1, "prom')

    async with opened(server, tmp_path) as app:
        with pytest.raises(ServerUnavailable):
            await app.prompts.get("triage")


async def test_the_key_shows_in_no_error_no_repr_and_no_address(
    app: cuewire.App, server: ModelServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.script(plain(b"", 401))

    with caplog.at_level(logging.DEBUG), pytest.raises(AccessDenied) as caught:
        await app.run("triage", {"text": "x"})

    transport = open_transport(origins=())
    token = Secret(TOKEN, origin="http://localhost:80")
    request = Server("http://localhost", token=token, transport=transport).request("GET", "/")
    error = caught.value
    shown = f"{request!r} {error!r} {error} {vars(error)} {app!r} {caplog.text} {server.received[0].path}"
    assert TOKEN not in shown


def test_a_server_that_takes_the_request_and_says_nothing_is_given_up(tmp_path: Path) -> None:
    async def main() -> int:
        async with ModelServer() as server, opened(server, tmp_path) as app:
            server.script([Hang()])
            with pytest.raises(ServerUnavailable, match="did not begin to answer in time"):
                await app.executions.list()
            with pytest.raises(ServerUnavailable, match="did not begin to answer in time"):
                await app.run("triage", {"text": "x"}, timeout_s=1)
            return len(server.received)

    assert hurried(main()) == 2


async def test_a_server_speaks_tls_and_its_certificate_is_checked(tmp_path: Path) -> None:
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    async with ModelServer(tls=tls) as server:
        server.script(plain(result()))
        token = Secret(TOKEN, origin=server.origin)
        trusting = open_transport(origins={server.origin}, ca_file=str(tmp_path / "ca.pem"))
        wary = open_transport(origins={server.origin})

        answer = await Server(server.origin, token=token, transport=trusting).get("/executions/x", ResultShape)
        with pytest.raises(ServerUnavailable, match="certificate"):
            await Server(server.origin, token=token, transport=wary).get("/executions/x", ResultShape)

        await trusting.close()
        await wary.close()
    assert answer.text == "a bug"
    assert len(server.received) == 1


async def test_the_last_version_of_a_strategy_is_not_that_of_a_language(app: cuewire.App, server: ModelServer) -> None:
    server.script(plain(version(2)), [Reset()])
    await app.prompts.get("triage", strategy="de")

    with pytest.raises(ServerUnavailable):
        await app.prompts.get("triage", language="de")
    with pytest.raises(ServerUnavailable):
        await app.prompts.get("triage")
    assert (await app.prompts.get("triage", strategy="de")).number == 2
