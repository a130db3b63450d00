from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cuewire.model.outputs import JsonOutput, OutputKind, TextOutput
from cuewire.model.requests import ChatMessage, ImageContent, ModelRequest, TextContent, ToolCall
from cuewire.providers.openai_wire import encode_request

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}


def encoded(
    *messages: ChatMessage, output: OutputKind | None = None, is_streamed: bool = False, **parameters: Any
) -> Any:
    request = ModelRequest(
        model="m",
        messages=messages or (ChatMessage(role="user", content="Hi"),),
        parameters=parameters,
        output=output or TextOutput(),
        idempotency_key="k",
    )
    return msgspec.json.decode(encode_request(request, is_streamed=is_streamed))


@pytest.mark.contract("S0-10")
def test_system_and_user_messages_are_sent_as_they_are() -> None:
    body = encoded(
        ChatMessage(role="system", content="Be brief"), ChatMessage(role="user", content="Hi", name="ada"), max_tokens=5
    )

    assert body == {
        "model": "m",
        "messages": [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "Hi", "name": "ada"}],
        "max_tokens": 5,
    }


def test_images_are_sent_as_parts() -> None:
    body = encoded(ChatMessage(role="user", content=(TextContent("What?"), ImageContent("https://a/b.png"))))

    assert body["messages"][0]["content"] == [
        {"type": "text", "text": "What?"},
        {"type": "image_url", "image_url": {"url": "https://a/b.png"}},
    ]


def test_tool_calls_and_their_results_are_sent() -> None:
    body = encoded(
        ChatMessage(role="assistant", tool_calls=(ToolCall(id="c1", name="add", arguments="{}"),)),
        ChatMessage(role="tool", content="3", tool_call_id="c1"),
    )

    function = {"name": "add", "arguments": "{}"}
    assert body["messages"] == [
        {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", "type": "function", "function": function}]},
        {"role": "tool", "content": "3", "tool_call_id": "c1"},
    ]


@pytest.mark.contract("S0-12")
def test_stream_asks_for_usage() -> None:
    body = encoded(is_streamed=True)

    assert (body["stream"], body["stream_options"]) == (True, {"include_usage": True})


def test_json_output_sends_its_schema() -> None:
    body = encoded(output=JsonOutput(json_schema=SCHEMA))

    assert body["response_format"] == {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}


def test_response_format_among_the_parameters_wins() -> None:
    body = encoded(output=JsonOutput(json_schema=SCHEMA), response_format={"type": "text"})

    assert body["response_format"] == {"type": "text"}


def test_json_of_any_kind_is_asked_for_only_if_the_messages_say_the_word() -> None:
    output = JsonOutput(json_schema={})

    said = encoded(ChatMessage(role="user", content="Answer in JSON"), output=output)
    unsaid = encoded(output=output)

    assert said["response_format"] == {"type": "json_object"}
    assert "response_format" not in unsaid
