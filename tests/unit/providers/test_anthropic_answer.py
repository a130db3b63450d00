from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuewire.model.errors import ProtocolError
from cuewire.model.requests import ToolCall
from cuewire.model.results import Answer
from cuewire.model.usage import Usage
from cuewire.providers.anthropic_answer import GrowingMessage, read_whole
from cuewire.providers.anthropic_wire import decode_models, read_usage
from cuewire.providers.upstream import ErrorInside

TEXT = {"type": "text", "text": "Hello"}
THOUGHT = {"type": "thinking", "thinking": "Hm", "signature": "x"}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"a": 1}}


def whole(*blocks: object, stop_reason: str | None = "end_turn", **more: Any) -> Answer:
    body = {"type": "message", "id": "msg_1", "content": blocks, "stop_reason": stop_reason, **more}
    return read_whole(msgspec.json.encode(body), request_id="")


def grown(*events: dict[str, Any] | bytes, begins: bool = True, stop_reason: str | None = "end_turn") -> Answer:
    growing = GrowingMessage()
    first = [{"type": "message_start", "message": {"id": "msg_1", "usage": {"input_tokens": 7}}}] if begins else []
    last = {"type": "message_delta", "delta": {"stop_reason": stop_reason}, "usage": {"output_tokens": 3}}
    growing.add(
        [each if isinstance(each, bytes) else msgspec.json.encode(each) for each in (*first, *events, last)],
    )
    return growing.finish(request_id="")


def start(block: object, index: int = 0) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def more(index: int = 0, **delta: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": delta}


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "refusal"),
        ("pause_turn", "pause_turn"),
        ("something_new", "something_new"),
        (None, "unknown"),
    ],
)
@pytest.mark.parametrize("is_streamed", [False, True])
def test_finish_reason_is_in_openais_words(theirs: str | None, ours: str, is_streamed: bool) -> None:
    answer = grown(start(TEXT), stop_reason=theirs) if is_streamed else whole(TEXT, stop_reason=theirs)

    assert (answer.text, answer.finish_reason) == ("Hello", ours)


def test_text_is_that_of_all_text_blocks_and_no_thought() -> None:
    blocks = (THOUGHT, TEXT, {"type": "redacted_thinking", "data": "x"}, {"type": "text", "text": " there"})
    streamed = grown(
        start({"type": "thinking", "thinking": ""}),
        more(type="thinking_delta", thinking="Hm"),
        more(type="signature_delta", signature="x"),
        start({"type": "text", "text": ""}, 1),
        more(1, type="text_delta", text="Hello"),
        more(1, type="citations_delta", citation={"type": "x"}),
        {"type": "content_block_stop", "index": 1},
        start({"type": "text", "text": ""}, 2),
        more(2, type="text_delta", text=" there"),
    )

    assert whole(*blocks).text == streamed.text == "Hello there"


@pytest.mark.parametrize("is_streamed", [False, True])
def test_answer_without_content_is_empty_text(is_streamed: bool) -> None:
    answer = grown() if is_streamed else whole()

    assert (answer.text, answer.tool_calls, answer.request_id) == ("", (), "msg_1")


def test_tool_calls_are_whole_or_in_pieces() -> None:
    calls = (ToolCall(id="toolu_1", name="add", arguments='{"a":1}'), ToolCall(id="t2", name="now", arguments="{}"))
    streamed = grown(
        start({**CALL, "input": {}}, 1),
        start({"type": "tool_use", "id": "t2", "name": "now", "input": {}}, 2),
        more(1, type="input_json_delta", partial_json=""),
        more(1, type="input_json_delta", partial_json='{"a"'),
        more(1, type="input_json_delta", partial_json=":1}"),
    )

    assert whole(TEXT, CALL, {"type": "tool_use", "id": "t2", "name": "now"}).tool_calls == calls
    assert streamed.tool_calls == calls


def test_calls_that_the_server_answers_itself_are_not_ours() -> None:
    searched = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "x"}}
    found = {"type": "web_search_tool_result", "tool_use_id": "s1", "content": [{"title": "x"}]}

    assert whole(searched, found, TEXT).tool_calls == ()
    assert grown(start(searched), more(partial_json="{}"), start(found, 1), start(TEXT, 2)).tool_calls == ()


@pytest.mark.parametrize("is_streamed", [False, True])
def test_tool_call_without_a_name_is_a_protocol_error(is_streamed: bool) -> None:
    nameless = {"type": "tool_use", "id": "t1"}

    with pytest.raises(ProtocolError, match="without a name"):
        grown(start(nameless)) if is_streamed else whole(nameless)


def test_answer_without_a_beginning_is_a_protocol_error() -> None:
    with pytest.raises(ProtocolError, match="never began"):
        grown(start(TEXT), begins=False)


def test_error_inside_an_answer_is_told() -> None:
    with pytest.raises(ErrorInside) as caught:
        read_whole(b'{"type": "error", "error": {"type": "overloaded_error"}}', request_id="")

    assert caught.value.error == {"type": "overloaded_error"}


def test_half_of_a_character_is_text() -> None:
    piece = b'{"type": "content_block_delta", "delta": {"text": "\\ud83d"}}'

    assert grown(start({"type": "text"}), piece).text == "\ud83d"


@pytest.mark.parametrize(
    "event",
    [
        {"type": "ping"},
        {"type": "something_new", "index": 3},
        {"type": "content_block_delta"},
        {"type": "content_block_start"},
        {"type": "message_start"},
        {"type": "message_delta"},
    ],
)
def test_event_that_says_nothing_changes_nothing(event: dict[str, Any]) -> None:
    assert grown(start(TEXT), event) == grown(start(TEXT))


def test_counts_of_later_events_are_totals_and_null_is_no_count() -> None:
    answer = grown(
        {"type": "message_delta", "usage": {"input_tokens": 9, "output_tokens": 1, "cache_read_input_tokens": 5}},
        {"type": "message_delta", "usage": {"input_tokens": None}},
        {"type": "message_delta", "usage": "many"},
    )

    assert answer.usage == Usage(input_tokens=14, output_tokens=3, cached_tokens=5)


@pytest.mark.parametrize("usage", [None, 7, "many", [], {"cache_creation": 3, "output_tokens_details": []}])
def test_f10_usage_that_is_no_usage_is_empty(usage: object) -> None:
    assert read_usage(usage) == Usage()


@pytest.mark.parametrize("count", [-1, "7", 1.5, True, None, [], {}, 2**60])
def test_f10_count_that_is_no_count_is_none(count: object) -> None:
    usage = {"input_tokens": 5, "cache_read_input_tokens": count, "output_tokens": count}

    assert read_usage(usage) == Usage(input_tokens=5)


def test_models_are_named() -> None:
    assert decode_models(b'{"data": [{"id": "a", "type": "model"}, {"id": "b"}], "has_more": false}') == ["a", "b"]


_NAMES = ["type", "content", "text", "usage", "input_tokens", "stop_reason", "input", "name", "id", "error", "delta"]
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["text", "tool_use", "message_start"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(_NAMES), inner),
)


@given(_JSON)
def test_f10_any_json_is_an_answer_or_one_clear_error(body: object) -> None:
    try:
        answer = read_whole(msgspec.json.encode(body), request_id="")
    except (ValueError, ProtocolError, ErrorInside):
        return
    assert (answer.usage.input_tokens or 0) >= 0


@given(st.lists(_JSON, max_size=4))
def test_f10_any_events_are_an_answer_or_one_clear_error(events: list[Any]) -> None:
    growing = GrowingMessage()
    try:
        growing.add([msgspec.json.encode(event) for event in events])
        answer = growing.finish(request_id="")
    except (ValueError, ProtocolError):
        return
    assert (answer.usage.input_tokens or 0) >= 0
