"""Prompts are brought in and given out over HTTP; importing twice adds nothing and moves nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.support.served_databases import serving_on
from tests.support.serving import Serving
from tests.support.stores import KINDS

IMPORT = "/api/v1/prompts/import"
EXPORT = "/api/v1/prompts/export"
LANGFUSE = [
    {
        "name": "Greeting",
        "type": "chat",
        "prompt": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Greet {{name}}"}],
        "config": {"temperature": 0.2, "team": "support"},
        "labels": ["production"],
        "tags": ["talk"],
        "commitMessage": "first",
    }
]


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving_on(request.param, tmp_path_factory.mktemp("bundles")) as running:
        yield running


def sent(server: Serving, path: str, document: object) -> dict[str, object]:
    reply = server.ask("POST", path, document)
    assert reply.status == 200, reply.body
    found: dict[str, object] = reply.json
    return found


@pytest.mark.contract("S3-148")
def test_what_one_registry_gives_out_another_takes_in_whole(server: Serving) -> None:
    for text in ("one {{ a }}", "two {{ a }}"):
        server.publish("carried", text, model="scripted/echo", tags=["x"], description="goes far")
    given = server.ask("GET", f"{EXPORT}?name=carried")
    renamed = json.loads(given.body.replace(b'"carried"', b'"arrived"'))

    foreseen = sent(server, f"{IMPORT}?dry_run=true", renamed)
    first = sent(server, IMPORT, renamed)
    server.ask("POST", "/api/v1/prompts/arrived/labels", {"label": "production", "number": 2})
    again = sent(server, IMPORT, renamed)

    assert given.headers["x-cuewire-losses"] == "0"
    assert [item["change"] for item in (*foreseen["items"], *first["items"], *again["items"])] == [  # type: ignore[misc]
        "new",
        "new",
        "unchanged",
    ]
    arrived = server.ask("GET", "/api/v1/prompts/arrived").json
    assert (arrived["versions"], arrived["tags"], arrived["description"]) == (2, ["x"], "goes far")
    assert arrived["labels"] == {"latest": 2, "production": 2}
    assert arrived["current"]["messages"][0]["content"] == "two {{ a }}"


def test_prompts_of_another_tool_come_with_a_report_of_what_was_lost(server: Serving) -> None:
    told = sent(server, f"{IMPORT}?format=langfuse", LANGFUSE)

    ((item,), losses) = told["items"], told["losses"]  # type: ignore[misc]
    assert (item["prompt"], item["change"]) == ("greeting", "new")  # type: ignore[has-type]
    assert "team" in json.dumps(losses)
    ran = server.run("greeting", {"name": "Ada"}, model="scripted/echo").json
    assert ran["text"] == "Greet Ada"


def test_a_document_is_taken_in_as_the_type_that_is_documented_or_as_text(server: Serving) -> None:
    (documented,) = server.ask("GET", "/openapi.json").json["paths"][IMPORT]["post"]["requestBody"]["content"]
    document = json.dumps(LANGFUSE).encode()
    types = (documented, "text/plain; charset=utf-8", "application/yaml", None)

    replies = [server.ask("POST", f"{IMPORT}?dry_run=true", document, Content_Type=said) for said in types]
    refused = server.ask("POST", IMPORT, document, Content_Type="image/png")

    assert [reply.status for reply in replies] == [200] * len(types)
    assert (refused.status, refused.json["code"]) == (415, "unsupported_media_type")
    assert documented in refused.json["hint"]


@pytest.mark.parametrize("form", ["bundle", "langfuse", "prompty", "promptfoo"])
def test_every_format_is_given_out(server: Serving, form: str) -> None:
    server.publish("formed", "Hello {{ name }}", model="scripted/echo")

    reply = server.ask("GET", f"{EXPORT}?format={form}&name=formed")

    assert (reply.status, b"Hello" in reply.body) == (200, True)


@pytest.mark.parametrize(
    ("path", "document"),
    [
        (f"{IMPORT}?format=bundle", {"not": "a bundle"}),
        (f"{IMPORT}?format=langfuse", [{"name": "x"}]),
        (f"{IMPORT}?format=what", []),
        (f"{IMPORT}?label=production", LANGFUSE),
        (f"{IMPORT}?surprise=1", LANGFUSE),
        (IMPORT, [[[[]]]]),
    ],
)
def test_what_is_no_document_is_refused_and_adds_nothing(server: Serving, path: str, document: object) -> None:
    before = server.ask("GET", "/api/v1/prompts/").json["total"]

    reply = server.ask("POST", path, document)

    assert (reply.status, reply.json["code"]) == (422, "invalid_input")
    assert server.ask("GET", "/api/v1/prompts/").json["total"] == before
