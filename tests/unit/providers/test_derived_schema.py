"""Each provider is asked for the JSON Schema of an example, without the marks in which its author wrote it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from cuewire.model.outputs import JsonOutput, parse_output
from cuewire.model.requests import ChatMessage, ModelRequest
from cuewire.providers import anthropic_request, gemini_wire, openai_wire

EXAMPLE = {"title": "It crashes", "due?:date": "2026-11-21", "tags:[1+]": ["bug"]}


def asked_of_openai(request: ModelRequest) -> Any:
    body = msgspec.json.decode(openai_wire.encode_request(request, is_streamed=False))
    return body["response_format"]["json_schema"]["schema"]


def asked_of_gemini(request: ModelRequest) -> Any:
    return msgspec.json.decode(gemini_wire.encode_request(request))["generationConfig"]["responseJsonSchema"]


def asked_of_anthropic(request: ModelRequest) -> Any:
    body = msgspec.json.decode(anthropic_request.encode_request(request, is_streamed=False))
    return body["output_config"]["format"]["schema"]


def request_for(output: Any) -> ModelRequest:
    message = ChatMessage(role="user", content="Which bug?")
    return ModelRequest(
        model="m",
        messages=(message,),
        parameters={"max_tokens": 9},
        output=parse_output(output),
        idempotency_key="k",
    )


@pytest.mark.parametrize("asked", [asked_of_openai, asked_of_gemini])
def test_the_schema_of_an_example_goes_out_as_it_is(asked: Callable[[ModelRequest], Any]) -> None:
    request = request_for({"example": EXAMPLE})

    schema = asked(request)

    assert isinstance(request.output, JsonOutput)
    assert schema == request.output.json_schema
    assert sorted(schema["properties"]) == ["due", "tags", "title"]
    assert schema["required"] == ["title", "tags"]


def test_anthropic_is_held_to_what_its_grammar_knows_of_it_and_told_the_rest() -> None:
    schema = asked_of_anthropic(request_for({"example": EXAMPLE}))

    assert {name: each["type"] for name, each in schema["properties"].items()} == {
        "title": "string",
        "due": "string",
        "tags": "array",
    }
    assert (schema["required"], schema["properties"]["tags"]["minItems"]) == (["title", "tags"], 1)
    assert "an ISO 8601 date or date-time" in schema["properties"]["due"]["description"]


def test_any_content_is_asked_of_anthropic_in_words() -> None:
    request = request_for({"example": {"more*": {}}})

    body = msgspec.json.decode(anthropic_request.encode_request(request, is_streamed=False))

    assert "output_config" not in body
    assert '"required":["more"]' in body["system"]
