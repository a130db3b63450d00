from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuewire.model.errors import ProtocolError
from cuewire.model.results import Answer
from cuewire.model.usage import Usage
from cuewire.providers.openai_answer import GrowingAnswer, whole_answer
from cuewire.providers.openai_wire import decode_answer, decode_models, read_usage


def whole(message: object, finish_reason: str | None = "stop", **more: Any) -> Answer:
    body = {"choices": [{"message": message, "finish_reason": finish_reason}], **more}
    return whole_answer(decode_answer(msgspec.json.encode(body)), request_id="")


def grown(*deltas: object, finish_reason: str | None = "stop") -> Answer:
    growing = GrowingAnswer()
    events = [{"choices": [{"delta": delta}]} for delta in deltas]
    events.append({"choices": [{"delta": {}, "finish_reason": finish_reason}]})
    growing.add([msgspec.json.encode(event) for event in events])
    return growing.finish(request_id="")


def call(**fields: Any) -> dict[str, Any]:
    return {"tool_calls": [fields]}


def test_usage_is_none_where_nothing_is_reported() -> None:
    assert whole({"content": "a"}).usage == Usage()


@pytest.mark.parametrize("count", [-1, "7", 1.5, True, None, [], {}, 2**60, float("1e300")])
def test_f10_count_that_is_no_count_is_none(count: object) -> None:
    assert read_usage({"prompt_tokens": count, "completion_tokens": 3})[0] == Usage(output_tokens=3)


@pytest.mark.parametrize("usage", [None, 7, "many", [], {"prompt_tokens_details": 3, "completion_tokens_details": []}])
def test_f10_usage_that_is_no_usage_is_empty(usage: object) -> None:
    assert whole({"content": "a"}, usage=usage).usage == Usage()


@pytest.mark.parametrize("cost", [-0.1, "0.1", True, None, float("inf"), float("nan")])
def test_cost_that_is_no_cost_is_none(cost: object) -> None:
    assert read_usage({"cost": cost})[1] is None


@pytest.mark.contract("S0-11")
def test_cost_of_zero_is_a_cost() -> None:
    assert read_usage({"cost": 0})[1] == 0.0


@given(
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "choices",
                        "message",
                        "content",
                        "usage",
                        "prompt_tokens",
                        "finish_reason",
                        "tool_calls",
                        "function",
                        "name",
                        "id",
                        "error",
                    ]
                ),
                inner,
            )
        ),
    )
)
def test_f10_any_json_is_an_answer_or_one_clear_error(body: object) -> None:
    try:
        answer = whole_answer(decode_answer(msgspec.json.encode(body)), request_id="")
    except (ValueError, ProtocolError):
        return
    assert (answer.usage.input_tokens or 0) >= 0


@pytest.mark.parametrize("build", [whole, grown])
def test_null_content_without_a_reason_is_a_protocol_error(build: Any) -> None:
    with pytest.raises(ProtocolError, match="neither content nor tool calls"):
        build({"content": None})


@pytest.mark.parametrize("build", [whole, grown])
@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_null_content_is_empty_text_when_the_finish_reason_explains_it(build: Any, reason: str) -> None:
    answer = build({"content": None}, finish_reason=reason)

    assert (answer.text, answer.finish_reason) == ("", reason)


@pytest.mark.parametrize("build", [whole, grown])
def test_empty_content_is_an_answer(build: Any) -> None:
    assert build({"content": ""}).text == ""


@pytest.mark.parametrize("build", [whole, grown])
def test_refusal_is_the_text_of_an_answer_that_was_refused(build: Any) -> None:
    answer = build({"content": None, "refusal": "I cannot help with that"})

    assert (answer.text, answer.finish_reason) == ("I cannot help with that", "refusal")


@pytest.mark.parametrize("build", [whole, grown])
def test_content_in_parts_is_their_text(build: Any) -> None:
    assert (
        build({"content": [{"type": "text", "text": "a"}, {"type": "x"}, {"type": "text", "text": "b"}]}).text == "ab"
    )


def test_absent_finish_reason_is_unknown() -> None:
    assert whole({"content": "a"}, finish_reason=None).finish_reason == "unknown"


def test_tool_calls_pass_through() -> None:
    function = {"name": "add", "arguments": '{"a": 1}'}
    answer = whole({"content": None, "tool_calls": [{"id": "c1", "function": function}]}, "tool_calls")

    assert [(each.id, each.name, each.arguments) for each in answer.tool_calls] == [("c1", "add", '{"a": 1}')]


def test_arguments_sent_as_an_object_become_json_text() -> None:
    answer = whole({"tool_calls": [{"function": {"name": "add", "arguments": {"a": 1}}}]})

    assert answer.tool_calls[0].arguments == '{"a":1}'


def test_tool_call_without_a_name_is_a_protocol_error() -> None:
    with pytest.raises(ProtocolError, match="without a name"):
        whole({"tool_calls": [{"id": "c1", "function": {"arguments": "{}"}}]})


def test_tool_calls_are_put_together_across_events() -> None:
    answer = grown(
        call(index=0, id="c1", type="function", function={"name": "add", "arguments": ""}),
        call(index=0, function={"arguments": '{"a":'}),
        call(index=1, id="c2", function={"name": "sub", "arguments": "{}"}),
        call(index=0, function={"arguments": " 1}"}),
        finish_reason="tool_calls",
    )

    assert [(each.id, each.name, each.arguments) for each in answer.tool_calls] == [
        ("c1", "add", '{"a": 1}'),
        ("c2", "sub", "{}"),
    ]


def test_tool_calls_without_an_index_are_told_apart_by_their_ids() -> None:
    answer = grown(
        call(id="c1", function={"name": "add", "arguments": "{}"}),
        call(id="c2", function={"name": "sub", "arguments": "{"}),
        call(function={"arguments": "}"}),
    )

    assert [(each.id, each.arguments) for each in answer.tool_calls] == [("c1", "{}"), ("c2", "{}")]


def test_usage_and_cost_come_with_a_last_event_without_choices() -> None:
    growing = GrowingAnswer()
    growing.add([b'{"id":"x","model":"m","choices":[{"delta":{"content":"a"},"finish_reason":"stop"}],"usage":null}'])
    growing.add([b'{"choices":[],"usage":{"prompt_tokens":2,"completion_tokens":1,"cost":0.5}}'])
    answer = growing.finish(request_id="")

    assert (answer.usage.total_tokens, answer.cost_usd, answer.request_id, answer.model) == (3, 0.5, "x", "m")


def test_text_is_taken_once() -> None:
    growing = GrowingAnswer()
    growing.add([b'{"choices":[{"delta":{"content":"a"}}]}', b'{"choices":[{"delta":{"content":"b"}}]}'])

    assert (growing.take(), growing.take(), growing.text) == ("ab", "", "ab")


def test_half_of_a_surrogate_pair_does_not_spoil_the_answer() -> None:
    growing = GrowingAnswer()
    growing.add([rb'{"choices":[{"delta":{"content":"a\ud83d"}}]}', b'{"choices":[{"delta":{"content":"b"}}]}'])

    assert growing.text == "a\ud83db"


def test_list_of_models_is_their_names() -> None:
    assert decode_models(b'{"object":"list","data":[{"id":"a","x":1},{"id":"b"}]}') == ["a", "b"]
