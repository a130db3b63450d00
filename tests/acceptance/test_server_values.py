"""Values that no two readers, or no two databases, hold alike: refused with their place, or kept as they came."""

from __future__ import annotations

import asyncio
import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.model_server import ModelServer, completion, plain
from tests.support.served_databases import serving_on
from tests.support.serving import Serving
from tests.support.stores import KINDS

RUN = "/api/v1/executions"


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Serve a database of each kind with one prompt."""
    with serving_on(request.param, tmp_path_factory.mktemp("values")) as running:
        running.publish("echo", "{{ text }}", model="scripted/echo")
        yield running


def body_with(text: str) -> bytes:
    """Return the body of a run, with raw JSON as the input."""
    return f'{{"prompt": "echo", "inputs": {{"text": {text}}}}}'.encode()


# T8: JSON that no two readers understand alike


MALFORMED = [
    b"",
    b"{",
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}",
    body_with('"x", "text": "y"'),
    body_with("NaN"),
    body_with("-Infinity"),
    body_with("1e999"),
    body_with("[" * 100_000 + "]" * 100_000),
    body_with("9" * 5_000),
    body_with("{" + ",".join(f'"k{number}":1' for number in range(20_000)) + "}"),
    body_with('"a\x01b"'),
    body_with('"\xed\xa0\x80"') + b"}",
]


@pytest.mark.parametrize("body", MALFORMED, ids=lambda body: repr(body[:24]))
def test_what_is_no_strict_json_is_malformed_on_every_route(server: Serving, body: bytes) -> None:
    execution_id = server.run("echo", {"text": "x"}).json["id"]
    routes = {
        ("POST", RUN),
        ("POST", "/api"),
        ("POST", f"{RUN}/{execution_id}/outcomes"),
        ("PUT", "/api/v1/prompts/other"),
        ("POST", "/api/v1/prompts/echo/labels"),
        ("POST", "/api/v1/prompts/variables"),
    }

    for method, path in routes:
        reply = server.ask(method, path, body)
        assert (reply.status, reply.json["code"]) == (400, "malformed_json"), path
        assert len(reply.body) < 4_096
    assert server.ask("POST", "/v1/chat/completions", body).json["error"]["code"] == "malformed_json"


# T9, T10: values that cannot be stored, or cannot be meant


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (body_with('"a\\u0000b"'), "/inputs/text"),
        (body_with('"\\ud800"'), "/inputs/text"),
        (body_with('{"a~/\\u0041": ["\\udfff"]}'), "/inputs/text/a~0~1A/0"),
        (body_with(str(2**63)), "/inputs/text"),
        (body_with(str(-(2**63) - 1)), "/inputs/text"),
        (body_with("[" * 80 + "]" * 80), "/inputs/text" + "/0" * 62),
        (b'{"inputs": {}}', ""),
        (b"[]", ""),
        (b'{"prompt": 7}', "/prompt"),
        (b'{"prompt": ""}', "/prompt"),
        (b'{"prompt": "echo@"}', "/label"),
        (b'{"prompt": "echo@0"}', "/prompt"),
        (b'{"prompt": "echo@99999999999999999999"}', "/prompt"),
        (b'{"prompt": "ec\\u202eho"}', "/prompt"),
        (b'{"prompt": "\\u00e9cho"}', "/prompt"),
        (b'{"prompt": "e\\u0301cho"}', "/prompt"),
        (b'{"prompt": "echo", "timeout_s": -1}', "/timeout_s"),
        (b'{"prompt": "echo", "timeout_s": 1e300}', "/timeout_s"),
        (b'{"prompt": "echo", "timeout_s": "NaT"}', "/timeout_s"),
        (b'{"prompt": "echo", "linger_s": 1e9}', "/linger_s"),
        (b'{"prompt": "echo", "metadata": []}', "/metadata"),
        (b'{"prompt": "echo", "metadata": {"a": "\\u0000"}}', "/metadata/a"),
        (b'{"prompt": "echo", "temprature": 1}', ""),
        (b'{"prompt": "echo", "parameters": {"max_tokens": 0}}', "/parameters/max_tokens"),
        (b'{"prompt": "echo", "parameters": {"max_tokens": 10000000000}}', "/parameters/max_tokens"),
        (b'{"prompt": "echo", "model": "scripted/a\\r\\nX-Evil: 1"}', "/model"),
        (b'{"prompt": "echo", "model": ""}', "/model"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(server: Serving, body: bytes, field: str) -> None:
    reply = server.ask("POST", RUN, body)

    assert (reply.status, reply.json["code"], reply.json.get("field", "")) == (422, "invalid_input", field)
    assert reply.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "prompts/A", b'{"content": "x"}'),
        ("PUT", "prompts/" + "a" * 129, b'{"content": "x"}'),
        ("PUT", "prompts/a%00", b'{"content": "x"}'),
        ("PUT", "prompts/%ed%a0%80", b'{"content": "x"}'),
        ("PUT", "prompts/a", b'{"content": "a\\u0000"}'),
        ("PUT", "prompts/a", b'{"content": "x", "note": "\\udc00"}'),
        ("PUT", "prompts/a", b'{"content": "x", "labels": [""]}'),
        ("PUT", "prompts/a", b'{"content": "x", "labels": ["\\u202e"]}'),
        ("PUT", "prompts/a", b'{"content": "x", "parameters": {"seed": 9223372036854775808}}'),
        ("PUT", "prompts/a", b'{"content": "{{ x }}", "variables": {"x": {"default": "\\ud800"}}}'),
        ("POST", "prompts/echo/labels", b'{"label": "a", "number": 9223372036854775808}'),
        ("POST", "prompts/echo/labels", b'{"label": "a", "number": 0}'),
        ("POST", "prompts/echo/labels", b'{"label": "a", "number": -1}'),
        ("POST", "prompts/echo/labels", b'{"label": "", "number": 1}'),
        ("POST", "executions/{id}/outcomes", b'{"a": "\\u0000"}'),
        ("POST", "executions/{id}/outcomes", b'{"a\\u0000": 1}'),
        ("POST", "executions/{id}/outcomes", b'{"a": 9223372036854775808}'),
        ("POST", "executions/{id}/outcomes", b'{"a": null}'),
        ("POST", "executions/{id}/outcomes", b"{}"),
    ],
)
def test_no_route_takes_what_cannot_be_stored(server: Serving, method: str, path: str, body: bytes) -> None:
    execution_id = server.run("echo", {"text": "x"}).json["id"]

    reply = server.ask(method, f"/api/v1/{path.format(id=execution_id)}", body)

    assert (reply.status, reply.json["code"]) == (422, "invalid_input")


@pytest.mark.parametrize(("number", "status"), [(2, 404), (2**31 - 1, 404), (2**31, 422), (2**63 - 1, 422)])
def test_a_number_is_a_version_that_is_not_there_or_none_at_all(server: Serving, number: int, status: int) -> None:
    assert server.ask("POST", "/api/v1/prompts/echo/labels", {"label": "a", "number": number}).status == status


@pytest.mark.parametrize("key", ["k" * 256, ""])
def test_an_idempotency_key_has_a_length(server: Serving, key: str) -> None:
    assert server.ask("POST", RUN, body_with('"x"'), Idempotency_Key=key).status == 422


@pytest.mark.parametrize(
    "query",
    [
        "limit=-1",
        "limit=0",
        "limit=1001",
        "limit=99999999999999999999",
        "limit=1000000000000",
        "limit=1e3",
        "limit=x",
        "limit=",
        "status=done",
        "after=nonsense",
        "after=",
        "prompt=%00",
        "prompt=",
        "a=1",
    ],
)
def test_a_list_that_makes_no_sense_is_refused(server: Serving, query: str) -> None:
    assert server.ask("GET", f"{RUN}?{query}").status == 422


@pytest.mark.parametrize(
    "text",
    [
        "\x85\x9f\x7f",
        "\u202eabc\u2066",
        "\ufeffabc",
        "e" + "\u0301" * 32_768,
        "\uffff\U0010ffff\ue000",
        unicodedata.normalize("NFD", "é한"),
        "\r\n\t\u2028",
    ],
    ids=ascii,
)
def test_text_that_can_be_stored_is_kept_as_it_came(server: Serving, text: str) -> None:
    run = server.run("echo", {"text": text}, metadata={text[:9]: text})

    record = server.ask("GET", f"{RUN}/{run.json['id']}").json

    assert (run.status, run.json["text"]) == (200, text)
    assert (record["inputs"]["text"], record["text"], record["metadata"]) == (text, text, {text[:9]: text})
    assert record["sanitised"] == 0


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), 2**53 + 1, 1e308, 5e-324, -0.0, 1.0, 0.1 + 0.2])
def test_numbers_are_kept_to_the_last_digit(server: Serving, number: float) -> None:
    run = server.run("echo", {"text": [number]}, metadata={"number": number}).json["id"]
    server.ask("POST", f"{RUN}/{run}/outcomes", {"number": number})

    record = server.ask("GET", f"{RUN}/{run}").json

    kept = [record["inputs"]["text"][0], record["metadata"]["number"], record["outcomes"][0]["value"]]
    assert [(type(one), repr(one)) for one in kept] == [(type(number), repr(number))] * 3


@pytest.mark.parametrize("kind", KINDS)
async def test_what_a_model_writes_is_kept_with_a_mark_for_each_character_that_cannot_be(
    kind: str, tmp_path: Path
) -> None:
    said = json.dumps(completion("a\x00b\ud800c 😀")).encode()
    async with ModelServer() as model:
        model.script(plain(said))
        with serving_on(kind, tmp_path, {"OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": "sk-x"}) as server:
            server.publish("ask", "{{ text }}", model="openai/gpt-4o-mini")
            run = await asyncio.to_thread(server.run, "ask", {"text": "?"})
            record = server.ask("GET", f"{RUN}/{run.json['id']}").json

    assert run.json["text"] == record["text"] == record["value"] == "a\ufffdb\ufffdc 😀"
    assert record["sanitised"] > 0
