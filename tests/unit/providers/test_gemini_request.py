from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cuewire.model.errors import InvalidInput
from cuewire.model.outputs import JsonOutput, OutputKind, TextOutput
from cuewire.model.requests import ChatMessage, ImageContent, ModelRequest, TextContent, ToolCall
from cuewire.providers.gemini_wire import NO_SIGNATURE, encode_request, path_of

HI = ChatMessage(role="user", content="Hi")
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}


def body_of(
    *messages: ChatMessage, output: OutputKind | None = None, model: str = "gemini-2.5-flash", **parameters: Any
) -> Any:
    return msgspec.json.decode(
        encode_request(
            ModelRequest(
                model=model,
                messages=messages or (HI,),
                parameters=parameters,
                output=output or TextOutput(),
                idempotency_key="k",
            )
        )
    )


def config_of(output: OutputKind | None = None, *, model: str = "gemini-2.5-flash", **parameters: Any) -> Any:
    return body_of(output=output, model=model, **parameters).get("generationConfig", {})


def test_roles_become_turns_and_instructions_stand_apart() -> None:
    body = body_of(
        ChatMessage(role="system", content="Be brief."),
        ChatMessage(role="user", content="One"),
        ChatMessage(role="user", content="Two"),
        ChatMessage(role="assistant", content="Three"),
        ChatMessage(role="developer", content="In French."),
        ChatMessage(role="assistant", content=None),
        ChatMessage(role="user", content=(TextContent("Four"),)),
    )

    assert body == {
        "systemInstruction": {"parts": [{"text": "Be brief."}, {"text": "In French."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "One"}, {"text": "Two"}]},
            {"role": "model", "parts": [{"text": "Three"}]},
            {"role": "user", "parts": [{"text": "Four"}]},
        ],
    }


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("data:image/png;base64,aGk=", {"inlineData": {"mimeType": "image/png", "data": "aGk="}}),
        ("data:image/PNG;name=a.png;base64,aGk=", {"inlineData": {"mimeType": "image/png", "data": "aGk="}}),
        ("https://a.test/b.jpg?c", {"fileData": {"mimeType": "image/jpeg", "fileUri": "https://a.test/b.jpg?c"}}),
        ("https://a.test/b", {"fileData": {"fileUri": "https://a.test/b"}}),
    ],
)
def test_images_are_sent_inside_or_by_their_address(url: str, part: object) -> None:
    body = body_of(ChatMessage(role="user", content=(TextContent("What?"), ImageContent(url=url))))

    assert body["contents"] == [{"role": "user", "parts": [{"text": "What?"}, part]}]


def test_calls_of_tools_and_their_results_are_paired_by_id_and_name() -> None:
    calls = (ToolCall(id="a", name="look", arguments='{"at": 1}'), ToolCall(id="b", name="see", arguments=""))
    body = body_of(
        HI,
        ChatMessage(role="assistant", content=None, tool_calls=calls),
        ChatMessage(role="tool", content='{"found": true}', tool_call_id="a"),
        ChatMessage(role="tool", content="[1]", tool_call_id="b"),
        ChatMessage(role="tool", content="late", name="other"),
    )

    assert body["contents"][1:] == [
        {
            "role": "model",
            "parts": [
                {"functionCall": {"id": "a", "name": "look", "args": {"at": 1}}, "thoughtSignature": NO_SIGNATURE},
                {"functionCall": {"id": "b", "name": "see", "args": {}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"id": "a", "name": "look", "response": {"found": True}}},
                {"functionResponse": {"id": "b", "name": "see", "response": {"result": "[1]"}}},
                {"functionResponse": {"name": "other", "response": {"result": "late"}}},
            ],
        },
    ]


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([ChatMessage(role="system", content="Only this")], "only instructions"),
        ([HI, ChatMessage(role="tool", content="x", tool_call_id="zz")], "'zz' does not follow its call"),
        ([ChatMessage(role="user", content="Hi", name="Ann")], "a message has a name"),
        ([ChatMessage(role="user", content=(ImageContent(url="data:image/png,x"),))], "not a data URI in base64"),
        (
            [ChatMessage(role="assistant", tool_calls=(ToolCall(id="a", name="look", arguments="[1]"),))],
            "'look' are not a JSON object",
        ),
        (
            [ChatMessage(role="assistant", tool_calls=(ToolCall(id="a", name="look", arguments="{"),))],
            "'look' are not a JSON object",
        ),
    ],
)
def test_messages_that_gemini_cannot_be_told_are_refused(messages: list[ChatMessage], words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as caught:
        body_of(*messages)

    assert caught.value.field == "/messages"


def test_parameters_are_told_in_geminis_names() -> None:
    told = config_of(
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        max_completion_tokens=100,
        seed=7,
        stop="END",
        presence_penalty=1,
        frequency_penalty=-1,
        logprobs=True,
        top_logprobs=2,
        user="someone",
        parallel_tool_calls=True,
        logit_bias={},
        min_p=0,
        store=None,
        verbosity=None,
        response_format=None,
    )

    assert told == {
        "temperature": 0.5,
        "topP": 0.9,
        "topK": 40,
        "maxOutputTokens": 100,
        "seed": 7,
        "stopSequences": ["END"],
        "presencePenalty": 1,
        "frequencyPenalty": -1,
        "responseLogprobs": True,
        "logprobs": 2,
    }


def test_several_stops_and_geminis_own_parameters_go_through() -> None:
    safety = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]
    body = body_of(stop=["a", "b"], safety_settings=safety, cached_content="cachedContents/1", thinking_config={"a": 1})

    assert body["generationConfig"] == {"stopSequences": ["a", "b"], "thinkingConfig": {"a": 1}}
    assert (body["safetySettings"], body["cachedContent"]) == (safety, "cachedContents/1")


@pytest.mark.parametrize(
    ("model", "effort", "thinking"),
    [
        ("gemini-2.5-flash", "none", {"thinkingBudget": 0}),
        ("gemini-2.5-pro", "high", {"thinkingBudget": 24_576}),
        ("gemini-3-flash-preview", "minimal", {"thinkingLevel": "minimal"}),
        ("gemini-flash-latest", "high", {"thinkingLevel": "high"}),
    ],
)
def test_effort_is_a_budget_or_a_level_as_the_model_wants_it(model: str, effort: str, thinking: object) -> None:
    assert config_of(model=model, reasoning_effort=effort) == {"thinkingConfig": thinking}


@pytest.mark.parametrize(
    ("output", "parameters", "config"),
    [
        (JsonOutput(json_schema=SCHEMA), {}, {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}),
        (JsonOutput(json_schema={}), {}, {"responseMimeType": "application/json"}),
        (JsonOutput(json_schema=SCHEMA), {"response_format": {"type": "text"}}, {}),
        (TextOutput(), {"response_format": {"type": "json_object"}}, {"responseMimeType": "application/json"}),
        (
            TextOutput(),
            {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}},
            {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA},
        ),
    ],
)
def test_json_is_asked_for_by_output_kind_or_response_format(
    output: OutputKind, parameters: dict[str, Any], config: object
) -> None:
    assert config_of(output, **parameters) == config


def test_tools_are_declared_and_geminis_own_go_through() -> None:
    function = {"name": "look", "description": "Looks.", "parameters": SCHEMA, "strict": True}
    bare = {"type": "function", "function": {"name": "see"}}
    body = body_of(tools=[{"type": "function", "function": function}, bare, {"googleSearch": {}}])

    assert body["tools"] == [
        {
            "functionDeclarations": [
                {"name": "look", "description": "Looks.", "parametersJsonSchema": SCHEMA},
                {"name": "see"},
            ]
        },
        {"googleSearch": {}},
    ]


@pytest.mark.parametrize(
    ("choice", "config"),
    [
        ("auto", {"mode": "AUTO"}),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        ({"type": "function", "function": {"name": "look"}}, {"mode": "ANY", "allowedFunctionNames": ["look"]}),
    ],
)
def test_choice_of_tools_is_told(choice: object, config: object) -> None:
    assert body_of(tool_choice=choice)["toolConfig"] == {"functionCallingConfig": config}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("logit_bias", {"50256": -100}),
        ("verbosity", "low"),
        ("min_p", 0.1),
        ("parallel_tool_calls", False),
        ("reasoning_effort", "extreme"),
        ("reasoning_effort", ["low"]),
        ("response_format", {"type": "xml"}),
        ("response_format", {"type": "json_schema", "json_schema": {"name": "a"}}),
        ("tools", "look"),
        ("tools", [{}]),
        ("tools", [{"type": "custom", "custom": {"name": "look"}}]),
        ("tools", [{"type": "function", "function": {}}]),
        ("tool_choice", "any"),
        ("tool_choice", {"type": "allowed_tools"}),
    ],
)
def test_what_gemini_cannot_be_told_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(InvalidInput, match=f"parameter '{name}' cannot be sent to Gemini") as caught:
        body_of(**{name: value})

    assert caught.value.field == f"/parameters/{name}"


def test_thinking_cannot_be_turned_off_where_the_model_always_thinks() -> None:
    with pytest.raises(InvalidInput, match="one of minimal, low, medium, high"):
        body_of(model="gemini-3-pro-preview", reasoning_effort="none")


def test_tuned_models_have_a_path_of_their_own() -> None:
    assert path_of("tunedModels/mine", is_streamed=False) == "tunedModels/mine:generateContent"


@pytest.mark.parametrize("model", ["a/../b", "a/b", "..", "", "models/", "a?b", "a:b", "a\n"])
def test_path_cannot_be_led_elsewhere_by_a_model(model: str) -> None:
    with pytest.raises(InvalidInput, match="not the name of a Gemini model"):
        path_of(model, is_streamed=True)
