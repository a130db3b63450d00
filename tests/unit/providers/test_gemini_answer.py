from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cuewire.model.errors import ProtocolError
from cuewire.model.results import Answer
from cuewire.providers.gemini_answer import GrowingAnswer, read_usage, read_whole
from tests.support.gemini_answers import gemini_answer


def answered(**more: Any) -> Answer:
    return read_whole(msgspec.json.encode(gemini_answer(**more)), request_id="")


@pytest.mark.parametrize(
    ("finish", "reason"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("PROHIBITED_CONTENT", "content_filter"),
        ("SPII", "content_filter"),
        ("OTHER", "other"),
    ],
)
def test_reason_of_the_end_is_told_in_openais_words(finish: str, reason: str) -> None:
    assert answered(finish=finish).finish_reason == reason


@pytest.mark.parametrize("finish", ["MAX_TOKENS", "SAFETY"])
def test_answer_may_be_silent_if_its_end_explains_that(finish: str) -> None:
    silent = answered(candidates=[{"finishReason": finish}])

    assert (silent.text, silent.tool_calls) == ("", ())


@pytest.mark.parametrize("content", [{}, {"role": "model"}, {"parts": []}, {"parts": [{"inlineData": {}}]}, None])
def test_silence_that_nothing_explains_is_no_answer(content: object) -> None:
    candidate = {"content": content, "finishReason": "MALFORMED_FUNCTION_CALL", "finishMessage": "no such tool"}

    with pytest.raises(ProtocolError, match=r"neither content nor tool calls \(MALFORMED_FUNCTION_CALL: no such tool"):
        answered(candidates=[candidate])


def test_empty_text_is_an_answer() -> None:
    assert answered(text="").text == ""


def test_thoughts_are_no_part_of_the_text() -> None:
    assert answered(parts=[{"text": "hmm", "thought": True}, {"text": "A"}, {"text": "B"}]).text == "AB"


def test_half_a_character_at_the_end_of_an_event_is_read() -> None:
    body = msgspec.json.encode(gemini_answer("X")).replace(b"X", rb"ok \ud83d")

    assert read_whole(body, request_id="").text == "ok \ud83d"


def test_prefix_of_the_models_name_is_left_out_and_a_header_names_the_request_first() -> None:
    body = msgspec.json.encode(gemini_answer(modelVersion="models/tiny-1"))
    answer = read_whole(body, request_id="from the header")

    assert (answer.model, answer.request_id) == ("tiny-1", "from the header")


def test_answer_that_grows_knows_when_it_is_empty() -> None:
    growing = GrowingAnswer()
    before = growing.is_empty
    growing.add([b'{"responseId": "r"}'])

    assert (before, growing.is_empty, growing.is_finished, growing.is_over) == (True, False, False, False)


@pytest.mark.parametrize(
    ("said", "counts"),
    [
        ({"promptTokenCount": 5}, (5, 0, 0, 0)),
        ({"promptTokenCount": 5, "candidatesTokenCount": 2}, (5, 2, 0, 0)),
        ({"promptTokenCount": 5, "thoughtsTokenCount": 7, "totalTokenCount": 12}, (5, 7, 0, 7)),
        ({"promptTokenCount": 5, "toolUsePromptTokenCount": 3, "candidatesTokenCount": 2}, (8, 2, 0, 0)),
        ({"promptTokenCount": 5, "candidatesTokenCount": 2, "totalTokenCount": 17}, (5, 12, 0, 10)),
        ({"promptTokenCount": 5, "candidatesTokenCount": 2, "cachedContentTokenCount": 4}, (5, 2, 4, 0)),
        ({"promptTokenCount": 5, "candidatesTokenCount": -2, "totalTokenCount": "9"}, (5, 0, 0, 0)),
        ({"trafficType": "ON_DEMAND"}, (None, None, None, None)),
        ({}, (None, None, None, None)),
        ([], (None, None, None, None)),
        (None, (None, None, None, None)),
    ],
)
def test_usage_is_read_loosely(said: object, counts: tuple[int | None, ...]) -> None:
    usage = read_usage(said)

    assert (usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.reasoning_tokens) == counts
