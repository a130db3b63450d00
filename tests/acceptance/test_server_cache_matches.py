"""Answers to similar questions over HTTP: who sees and decides on which, and what is no request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.support.access import known_as
from tests.support.served_databases import serving_on
from tests.support.serving import Reply, Serving
from tests.support.stores import KINDS, execution_id

OURS, THEIRS = "ours/greet", "theirs/secret"
QUESTIONS = ("How do I pay?", "How do i pay")
"""Two that are the same, and have vectors that are near, as it happens."""
MATCHES = "/api/v1/cache/matches"


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Serve a database of each kind with a match of a prompt of ours, and one of theirs."""
    semantic = {"on": ["text"], "model": "scripted/echo", "threshold": 0.1}
    with serving_on(request.param, tmp_path_factory.mktemp("matches")) as running:
        for name in (OURS, THEIRS):
            path = name.replace("/", "%2F")
            running.publish(path, "{{ text }}", model="scripted/echo", policy={"cache": {"semantic": semantic}})
            for text in QUESTIONS:
                assert running.run(name, {"text": text}).status == 200
        yield running


def matches(server: Serving, query: str = "") -> list[dict[str, Any]]:
    """Return the matches that a client sees."""
    reply = server.ask("GET", f"{MATCHES}{query}")
    assert reply.status == 200, reply.body
    found: list[dict[str, Any]] = reply.json["items"]
    return found


def of(server: Serving, prompt: str) -> str:
    """Return the execution of a prompt's match."""
    (found,) = matches(server, f"?prompt={prompt}")
    execution: str = found["execution_id"]
    return execution


def decide(server: Serving, execution: str, body: object) -> Reply:
    return server.ask("PUT", f"{MATCHES}/{execution}", body)


def test_a_match_says_what_was_asked_and_answered_then_and_now(server: Serving) -> None:
    (found,) = matches(server, f"?prompt={OURS}")

    assert (found["prompt"], found["version"], found["subject"] != "") == (OURS, 1, True)
    assert (found["text"], found["matched_text"]) == QUESTIONS[::-1]
    assert (found["answer"], found["matched_answer"]) == QUESTIONS[::-1]
    assert 0.1 <= found["similarity"] <= 1
    assert len(matches(server)) == 2


def test_each_role_sees_and_decides_what_it_may(server: Serving) -> None:
    by_role = {role: known_as(server, name=role, role=role) for role in ("viewer", "runner", "editor", "publisher")}
    execution = of(server, OURS)

    seen = {role: client.ask("GET", f"{MATCHES}?prompt={OURS}").status for role, client in by_role.items()}
    told = {role: client.ask("GET", f"/api/v1/cache/trust?prompt={OURS}").status for role, client in by_role.items()}
    decided = {role: decide(client, execution, {"verdict": "right"}).status for role, client in by_role.items()}

    assert seen == {"viewer": 403, "runner": 200, "editor": 200, "publisher": 200}
    assert told == dict.fromkeys(by_role, 200)
    assert decided == {"viewer": 403, "runner": 403, "editor": 403, "publisher": 200}


def test_a_verdict_is_kept_with_who_said_it_and_counted(server: Serving) -> None:
    execution = of(server, OURS)
    ada = known_as(server, name="ada", role="publisher")

    wrong = decide(ada, execution, {"verdict": "wrong"})
    trust = server.ask("GET", f"/api/v1/cache/trust?prompt={OURS}@1").json
    right = decide(server, execution, {"verdict": "right"})

    assert (wrong.status, wrong.json["verdict"], wrong.json["decided_by"]) == (200, "wrong", "key:ada")
    assert wrong.json["answer"] == QUESTIONS[1]
    assert (trust["right"], trust["wrong"], trust["undecided"], trust["suffices"]) == (0, 1, 0, False)
    assert trust["most_wrong"] == 1.0
    assert (right.json["verdict"], right.json["decided_at"] >= wrong.json["decided_at"]) == ("right", True)
    assert execution not in {each["execution_id"] for each in matches(server, "?undecided=true")}


def test_who_decides_without_seeing_answers_is_shown_none(server: Serving) -> None:
    blind = known_as(server, scopes=["prompts:publish"])

    decided = decide(blind, of(server, OURS), {"verdict": "right"})

    assert (decided.status, decided.json["verdict"]) == (200, "right")
    assert (decided.json["text"], decided.json["matched_text"]) == ("", "")
    assert (decided.json["answer"], decided.json["matched_answer"]) == (None, None)
    assert QUESTIONS[0].encode() not in decided.body


def test_a_key_for_some_prompts_sees_and_decides_theirs_alone(server: Serving) -> None:
    narrow = known_as(server, role="admin", prompts=["ours/*"])
    theirs = of(server, THEIRS)

    refused = narrow.ask("GET", MATCHES)
    hidden = [
        narrow.ask("GET", f"{MATCHES}?prompt={THEIRS}"),
        narrow.ask("GET", f"/api/v1/cache/trust?prompt={THEIRS}"),
        decide(narrow, theirs, {"verdict": "wrong"}),
    ]
    absent = decide(narrow, execution_id(), {"verdict": "wrong"})

    assert (refused.status, [reply.status for reply in hidden]) == (403, [404] * 3)
    assert of(narrow, OURS) == of(server, OURS)
    assert decide(narrow, of(server, OURS), {"verdict": "right"}).status == 200
    assert (absent.status, absent.json["code"]) == (404, hidden[2].json["code"])
    assert {match["verdict"] for match in matches(server, f"?prompt={THEIRS}")} == {None}


@pytest.mark.parametrize(
    "body", [None, b"", b"{", {}, {"verdict": "perhaps"}, {"verdict": None}, {"verdict": "right", "by": "eve"}, []]
)
def test_what_is_no_verdict_is_refused(server: Serving, body: object) -> None:
    before = matches(server)

    refused = decide(server, of(server, THEIRS), body)

    assert refused.status in (400, 422), refused.body
    assert matches(server) == before


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?limit=0", 422),
        ("?limit=1001", 422),
        ("?undecided=perhaps", 422),
        ("?after=nowhere", 422),
        ("?prompt=absent", 404),
        (f"?prompt={'x' * 129}", 422),
        ("?number=1", 422),
    ],
)
def test_what_is_no_list_of_matches_is_refused(server: Serving, query: str, status: int) -> None:
    assert server.ask("GET", f"{MATCHES}{query}").status == status


@pytest.mark.parametrize(
    ("query", "status"),
    [("", 422), ("?prompt=absent", 404), (f"?prompt={OURS}@7", 404), (f"?prompt={OURS}@", 422), ("?prompt=", 422)],
)
def test_there_is_no_trust_in_what_is_not_there(server: Serving, query: str, status: int) -> None:
    assert server.ask("GET", f"/api/v1/cache/trust{query}").status == status


def test_a_page_goes_on_where_the_one_before_ended(server: Serving) -> None:
    first = server.ask("GET", f"{MATCHES}?limit=1").json
    second = server.ask("GET", f"{MATCHES}?limit=1&after={first['next']}").json
    other: Mapping[str, Any] = server.ask("GET", f"{MATCHES}?limit=1&undecided=true&after={first['next']}").json

    assert [*first["items"], *second["items"]] == matches(server)
    assert (second["next"], other["status"]) == (None, 422)
