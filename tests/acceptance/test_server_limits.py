"""The real server holds keys and addresses to what they may ask, says when to come again, and serves the others."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from time import monotonic

import openai
import pytest

from cuewire.model.tokens import make_token
from cuewire.registry.recent import KNOWN_FOR_S
from cuewire.server.limits import WRONG_KEYS
from tests.support.command_line import CommandLine
from tests.support.serving import Reply, Serving, serving

RUN = "/api/v1/executions"
SLACK_S = 3.0
UNKNOWN = make_token("cw", id_bits=1, secret_bits=2).text


@pytest.fixture
def cue(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


def begun_request(server: Serving, path: str = RUN) -> bytes:
    """Return the head of a request whose body is yet to come."""
    return server.head("POST", path, Content_Length="10", Content_Type="application/json")


def run_until(server: Serving, status: int) -> Reply:
    """Run a prompt until the answer has the status, or for too long."""
    deadline = monotonic() + SLACK_S
    while (reply := server.run("echo", {"text": "x"})).status != status and monotonic() < deadline:
        pass
    return reply


async def test_a_key_has_so_many_requests_a_minute(cue: CommandLine) -> None:
    with serving(cue, "--max-rate", "3") as server:
        other = (await cue("keys", "create", "other", "--json")).json["key"]
        allowed = [server.ask("GET", "/v1/models") for _ in range(3)]
        refused = server.ask("GET", RUN)

        assert [(reply.status, reply.headers["x-ratelimit-remaining-requests"]) for reply in allowed] == [
            (200, "2"),
            (200, "1"),
            (200, "0"),
        ]
        assert (refused.status, refused.json["code"]) == (429, "too_many_requests")
        assert 1 <= int(refused.headers["retry-after"]) <= 20
        assert refused.headers["x-ratelimit-limit-requests"] == "3"
        client = openai.OpenAI(base_url=f"{server.url}/v1", api_key=server.key, max_retries=0)
        with client, pytest.raises(openai.RateLimitError):
            client.models.list()
        assert server.ask("GET", RUN, Authorization=f"Bearer {other}").status == 200
        assert server.ask("GET", "/healthz", Authorization=None).status == 200


def test_without_a_rate_nothing_is_counted(cue: CommandLine) -> None:
    with serving(cue) as server:
        replies = [server.ask("GET", RUN + "?limit=1") for _ in range(50)]

    assert {reply.status for reply in replies} == {200}
    assert "x-ratelimit-limit-requests" not in replies[0].headers


def test_an_address_has_so_many_requests_open(cue: CommandLine) -> None:
    with serving(cue, "--max-open", "2") as server:
        server.publish("echo", "{{ text }}", model="scripted/echo")
        with ExitStack() as held:
            for _ in range(2):
                connection = held.enter_context(server.connect())
                connection.sendall(begun_request(server))
            refused = run_until(server, 429)
            healthy = server.ask("GET", "/healthz")

        assert (refused.status, refused.json["code"]) == (429, "too_many_open_requests")
        assert refused.headers["retry-after"] == "1"
        assert healthy.status == 200
        assert run_until(server, 200).status == 200, "the places of those who hung up are free again"


def test_who_tries_keys_is_sent_away_and_who_has_one_is_not(cue: CommandLine) -> None:
    with serving(cue) as server:
        assert server.ask("GET", RUN).status == 200
        tried = [server.ask("GET", RUN, Authorization=f"Bearer {UNKNOWN}").status for _ in range(WRONG_KEYS)]
        sent_away = server.ask("GET", RUN, Authorization=f"Bearer {UNKNOWN}")
        mistyped = server.ask("GET", RUN, Authorization=f"Bearer {UNKNOWN[:-1]}")

        assert set(tried) == {401}
        assert (sent_away.status, sent_away.json["code"]) == (429, "too_many_wrong_keys")
        assert 1 <= int(sent_away.headers["retry-after"]) <= 60 / WRONG_KEYS * 2
        assert mistyped.status == 401
        assert server.ask("GET", RUN).status == 200


async def test_a_revoked_key_is_refused_though_it_was_remembered(cue: CommandLine) -> None:
    with serving(cue) as server:
        made = (await cue("keys", "create", "other", "--json")).json
        assert server.ask("GET", RUN, Authorization=f"Bearer {made['key']}").status == 200
        for _ in range(WRONG_KEYS):
            server.ask("GET", RUN, Authorization=f"Bearer {UNKNOWN}")

        await cue("keys", "revoke", made["id"])
        deadline = monotonic() + SLACK_S * KNOWN_FOR_S
        while (status := server.ask("GET", RUN, Authorization=f"Bearer {made['key']}").status) == 200:
            assert monotonic() < deadline

    assert status in (401, 429)
