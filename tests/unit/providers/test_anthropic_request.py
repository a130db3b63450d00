from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cuewire.model.errors import InvalidInput
from cuewire.model.outputs import JsonOutput, OutputKind, TextOutput
from cuewire.model.requests import ChatMessage, ImageContent, ModelRequest, TextContent, ToolCall
from cuewire.providers.anthropic_parameters import DEFAULT_MAX_TOKENS
from cuewire.providers.anthropic_request import encode_request

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
NATIVE = {**SCHEMA, "additionalProperties": False}
USER = ChatMessage(role="user", content="Hi")


def encoded(
    *messages: ChatMessage, output: OutputKind | None = None, is_streamed: bool = False, **parameters: Any
) -> Any:
    request = ModelRequest(
        model="m",
        messages=messages or (USER,),
        parameters=parameters,
        output=output or TextOutput(),
        idempotency_key="k",
    )
    return msgspec.json.decode(encode_request(request, is_streamed=is_streamed))


def refused(*messages: ChatMessage, **parameters: Any) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        encoded(*messages, **parameters)
    return caught.value


def test_least_request_names_a_model_a_message_and_a_bound() -> None:
    assert encoded() == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "max_tokens": DEFAULT_MAX_TOKENS,
    }


def test_stream_is_asked_for_by_one_word() -> None:
    assert encoded(is_streamed=True) == {**encoded(), "stream": True}


def test_system_and_developer_messages_become_the_system_prompt_in_their_order() -> None:
    body = encoded(
        ChatMessage(role="system", content="Be brief"),
        USER,
        ChatMessage(role="developer", content=(TextContent("Be kind"), TextContent("Be true"))),
        ChatMessage(role="system", content=""),
    )

    assert body["system"] == "Be brief\n\nBe kind\n\nBe true"
    assert body["messages"] == [{"role": "user", "content": "Hi"}]


def test_neighbours_of_one_role_become_one_message() -> None:
    body = encoded(
        USER,
        ChatMessage(role="user", content="There"),
        ChatMessage(role="assistant", content="Yes?"),
        ChatMessage(role="user", content=""),
        ChatMessage(role="user", content=None),
    )

    assert body["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "text", "text": "There"}]},
        {"role": "assistant", "content": "Yes?"},
    ]


def test_images_are_sent_as_blocks() -> None:
    body = encoded(
        ChatMessage(
            role="user",
            content=(
                TextContent("What?"),
                TextContent(""),
                ImageContent("https://a/b.png"),
                ImageContent("data:image/PNG;base64,iVBORw0KGgo="),
            ),
        )
    )

    assert body["messages"][0]["content"] == [
        {"type": "text", "text": "What?"},
        {"type": "image", "source": {"type": "url", "url": "https://a/b.png"}},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
    ]


@pytest.mark.parametrize("url", ["data:text/plain;base64,aGk=", "data:image/png,abc", "data:image/png;base64,"])
def test_image_that_is_none_is_refused(url: str) -> None:
    error = refused(ChatMessage(role="user", content=(ImageContent(url),)))

    assert (error.field, "data:image/png;base64" in error.hint) == ("/messages", True)


def test_image_in_a_system_message_is_refused() -> None:
    assert "image" in str(refused(ChatMessage(role="system", content=(ImageContent("https://a/b.png"),)), USER))


def test_tool_calls_and_their_results_are_sent() -> None:
    body = encoded(
        USER,
        ChatMessage(
            role="assistant",
            content="I add",
            tool_calls=(
                ToolCall(id="c1", name="add", arguments='{"a": 1}'),
                ToolCall(id="c2", name="now", arguments=""),
            ),
        ),
        ChatMessage(role="tool", content="3", tool_call_id="c1", name="add"),
        ChatMessage(role="tool", content=(ImageContent("https://a/b.png"),), tool_call_id="c2"),
        ChatMessage(role="user", content="And?"),
    )

    assert body["messages"][1:] == [
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "I add"},
                {"type": "tool_use", "id": "c1", "name": "add", "input": {"a": 1}},
                {"type": "tool_use", "id": "c2", "name": "now", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "3"}]},
                {
                    "type": "tool_result",
                    "tool_use_id": "c2",
                    "content": [{"type": "image", "source": {"type": "url", "url": "https://a/b.png"}}],
                },
                {"type": "text", "text": "And?"},
            ],
        },
    ]


@pytest.mark.parametrize("arguments", ["[1]", "{", "7", "[" * 100_000])
def test_tool_call_whose_arguments_are_no_object_is_refused(arguments: str) -> None:
    message = ChatMessage(role="assistant", tool_calls=(ToolCall(id="c", name="add", arguments=arguments),))

    assert "'add'" in str(refused(USER, message))


def test_result_without_the_id_of_its_call_is_refused() -> None:
    assert "tool_call_id" in str(refused(USER, ChatMessage(role="tool", content="3")))


def test_name_of_a_speaker_is_refused() -> None:
    error = refused(ChatMessage(role="user", content="Hi", name="ada"))

    assert "'ada'" in str(error)
    assert error.hint == "write the name into the text"


@pytest.mark.parametrize("content", ["", None, "Be brief"])
def test_request_without_a_message_of_the_user_is_refused(content: str | None) -> None:
    error = refused(ChatMessage(role="system" if content else "user", content=content))

    assert "wants a message of the user" in str(error)


def test_json_output_sends_its_schema() -> None:
    body = encoded(output=JsonOutput(json_schema=SCHEMA), reasoning_effort="low")

    assert body["output_config"] == {"format": {"type": "json_schema", "schema": NATIVE}, "effort": "low"}
    assert "system" not in body


@pytest.mark.parametrize("schema", [{}, {"type": "object"}])
def test_json_that_the_api_cannot_be_held_to_is_asked_for_in_words(schema: dict[str, Any]) -> None:
    body = encoded(ChatMessage(role="system", content="Be brief"), USER, output=JsonOutput(json_schema=schema))

    assert body["system"].startswith("Be brief\n\nAnswer with one JSON value")
    assert ('{"type":"object"}' in body["system"]) == bool(schema)
    assert "output_config" not in body


def test_response_format_among_the_parameters_wins() -> None:
    as_text = encoded(output=JsonOutput(json_schema=SCHEMA), response_format={"type": "text"})
    as_json = encoded(output=JsonOutput(json_schema=SCHEMA), response_format={"type": "json_object"})
    as_schema = encoded(
        response_format={"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA}}
    )

    assert "output_config" not in as_text
    assert as_json["system"] == "Answer with one JSON value and nothing else."
    assert as_schema["output_config"]["format"]["schema"] == NATIVE


def test_output_config_of_the_caller_wins() -> None:
    own = {"format": {"type": "json_schema", "schema": {"type": "string"}}}

    assert encoded(output=JsonOutput(json_schema=SCHEMA), output_config=own)["output_config"] == own
