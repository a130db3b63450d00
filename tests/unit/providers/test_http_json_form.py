from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cuewire.model.errors import ConfigError, InvalidInput, ProtocolError
from cuewire.model.outputs import TextOutput
from cuewire.model.requests import ChatMessage, ImageContent, ModelRequest, TextContent
from cuewire.model.results import Answer
from cuewire.providers.http_json_form import Form, fill, found_at, read_answer, read_form

HI = ChatMessage(role="user", content="Hi")
RULES = ChatMessage(role="system", content="Be brief.")


def filled(template: object, *messages: ChatMessage, **parameters: Any) -> Any:
    """Return what a template becomes."""
    request = ModelRequest(
        model="m", messages=messages or (HI,), parameters=parameters, output=TextOutput(), idempotency_key="k"
    )
    return msgspec.json.decode(fill(Form(body=template), request))


def read(document: object, **form: Any) -> Answer:
    return read_answer(Form(body={}, **form), msgspec.json.encode(document), request_id="")


def test_text_that_is_one_placeholder_takes_the_value_with_its_type() -> None:
    template = {
        "t": "{{parameters.temperature}}",
        "stop": ["{{ parameters.stop }}"],
        "say": "{{model}}: {{prompt}} ({{parameters.temperature}}, {{parameters.stop}})",
        "stream": False,
        "n": None,
    }

    assert filled(template, temperature=0.5, stop=["a"]) == {
        "t": 0.5,
        "stop": [["a"]],
        "say": 'm: Hi (0.5, ["a"])',
        "stream": False,
        "n": None,
    }


def test_place_without_a_value_is_left_out_and_empty_within_a_text() -> None:
    template = {"p": "{{prompt}}", "t": "{{parameters.temperature}}", "s": ["{{system}}"], "x": "[{{system}}]"}

    assert filled(template) == {"p": "Hi", "s": [], "x": "[]"}
    assert filled(["{{prompt}}"]) == ["Hi"]


def test_seed_without_a_place_is_left_out() -> None:
    assert filled({"p": "{{prompt}}"}, seed=7) == {"p": "Hi"}


def test_prompt_is_the_last_user_text_and_system_all_instructions() -> None:
    more = ChatMessage(role="developer", content=(TextContent("In "), TextContent("French.")))

    assert filled({"s": "{{system}}", "p": "{{prompt}}"}, RULES, more, HI) == {
        "s": "Be brief.\n\nIn French.",
        "p": "Hi",
    }


def test_messages_are_the_list_as_openai_has_it() -> None:
    image = ChatMessage(role="user", content=(TextContent("What?"), ImageContent(url="https://a.test/b.png")))

    assert filled({"m": "{{messages}}"}, RULES, HI, image) == {
        "m": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi"},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What?"},
                    {"type": "image_url", "image_url": {"url": "https://a.test/b.png"}},
                ],
            },
        ]
    }


def test_what_looks_like_a_placeholder_in_a_value_stays_as_it_is() -> None:
    assert filled({"p": "> {{prompt}}"}, ChatMessage(role="user", content="{{model}}")) == {"p": "> {{model}}"}


@pytest.mark.parametrize(
    ("template", "messages", "parameters", "words"),
    [
        ({"p": "{{prompt}}"}, [HI], {"top_k": 1}, "parameter 'top_k'"),
        ({"p": "{{prompt}}"}, [ChatMessage(role="user", content="Hi", name="Ann")], {}, "the name of a message"),
        ({"p": "{{prompt}}"}, [RULES, HI], {}, "the instructions"),
        ({"p": "{{prompt}}"}, [HI, ChatMessage(role="assistant", content="Yes?"), HI], {}, "3 messages"),
        ({"p": "{{prompt}}"}, [ChatMessage(role="user", content=(ImageContent(url="data:,"),))], {}, "the images"),
        ({"s": "{{system}}"}, [RULES, HI], {}, "the user's message"),
    ],
)
def test_what_the_template_has_no_place_for_is_refused(
    template: object, messages: list[ChatMessage], parameters: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidInput, match=f"the provider's body has no place for (a conversation of )?{words}"):
        filled(template, *messages, **parameters)


def test_prompt_of_instructions_alone_is_refused_where_a_user_message_is_wanted() -> None:
    with pytest.raises(InvalidInput, match="there is no user message"):
        filled({"s": "{{system}}", "p": "{{prompt}}"}, RULES)
    assert filled({"s": "{{system}}"}, RULES) == {"s": "Be brief."}


@pytest.mark.contract("S2-18")
@pytest.mark.parametrize(
    ("document", "text"),
    [
        ("plain", "plain"),
        ({"response": "a", "content": "b", "text": "c", "completion": "e"}, "a"),
        ({"content": "b", "text": "c", "choices": [{"message": {"content": "d"}}], "completion": "e"}, "b"),
        ({"text": "c", "choices": [{"message": {"content": "d"}}], "completion": "e"}, "c"),
        ({"choices": [{"message": {"content": "d"}}], "completion": "e"}, "d"),
        ({"completion": "e"}, "e"),
        ({"response": None, "content": ["x"], "text": "c"}, "c"),
        ({"response": ""}, ""),
        ({"label": "bug", "score": 0.5}, '{"label":"bug","score":0.5}'),
        ([1, "two"], '[1,"two"]'),
        (7, "7"),
        ({"error": None, "label": "bug"}, '{"error":null,"label":"bug"}'),
    ],
)
def test_well_known_places_are_tried_in_the_old_order_and_then_the_whole_is_the_text(
    document: object, text: str
) -> None:
    assert read(document).text == text


@pytest.mark.parametrize(
    ("pointer", "text"),
    [("", '{"a/b":{"~":[10,{"x":"y"}]}}'), ("/a~1b/~0/1/x", "y"), ("/a~1b/~0/0", "10"), ("/a~1b/~0/1", '{"x":"y"}')],
)
def test_pointer_says_where_the_text_is(pointer: str, text: str) -> None:
    assert read({"a/b": {"~": [10, {"x": "y"}]}}, answer=pointer).text == text


@pytest.mark.parametrize("pointer", ["/b", "/a/2", "/a/-1", "/a/x", "/a/0/x", "/a/١", "/a/99999999999", "/a/1"])
def test_pointer_to_nothing_is_told(pointer: str) -> None:
    with pytest.raises(ProtocolError, match=f"nothing at '{pointer}'"):
        read({"a": ["x", None]}, answer=pointer)


def test_null_is_no_answer() -> None:
    with pytest.raises(ProtocolError, match="the answer is null"):
        read(None)


def test_counts_model_reason_and_id_are_read_where_they_are() -> None:
    document = {
        "text": "Hi",
        "in": 3,
        "out": [4.0],
        "model": "m-1",
        "id": "r-1",
        "choices": [{"finish_reason": "length"}],
    }
    answer = read(document, usage_input="/in", usage_output="/out/0")

    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (3, 4)
    assert (answer.model, answer.request_id, answer.finish_reason) == ("m-1", "r-1", "length")


def test_counts_and_names_that_are_none_are_unknown() -> None:
    document = {"text": "Hi", "in": "three", "model": 7, "id": 8}
    answer = read(document, usage_input="/in", usage_output="/out")

    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (None, None)
    assert (answer.model, answer.request_id, answer.finish_reason) == ("", "", "unknown")


def test_value_that_is_not_there_is_none() -> None:
    assert found_at({"a": None}, "/b") is None


def test_form_is_read_from_settings_also_where_its_body_is_json_text() -> None:
    form = read_form({"body": '{"p": "{{prompt}}"}', "models": ["a"], "method": "PATCH"}, place="providers.mine")

    assert form == Form(body={"p": "{{prompt}}"}, models=("a",), method="PATCH")


@pytest.mark.parametrize(
    ("said", "field", "words"),
    [
        ({}, "body", "is missing"),
        ({"body": "null"}, "body", "is missing"),
        ({"body": "{"}, "body", "is not JSON"),
        ({"body": "[" * 100_000}, "body", "is not JSON"),
        ({"body": {"a": ["{{promt}}"]}}, "body", "unknown placeholder {{promt}}"),
        ({"body": {"a": "{{parameters.}}"}}, "body", "unknown placeholder {{parameters.}}"),
        ({"body": {"a": "x {{ Prompt }}"}}, "body", "unknown placeholder {{Prompt}}"),
        ({"body": {"a": "{{1 + 1}}"}}, "body", "unknown placeholder {{1 + 1}}"),
        ({"body": {}, "method": "GET"}, "method", "use one of POST, PUT, PATCH"),
        ({"body": {}, "answer": "choices"}, "answer", "no JSON Pointer"),
        ({"body": {}, "usage_input": "$.usage"}, "usage_input", "no JSON Pointer"),
    ],
)
def test_form_that_cannot_be_meant_is_refused_by_the_settings_name(
    said: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read_form(said, place="providers.mine")

    assert caught.value.field == f"providers.mine.{field}"
    assert words in str(caught.value)
