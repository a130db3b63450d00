"""OpenAI's chat completions, read and written."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from cuewire.model.errors import InvalidInput, PromptNotFound, ProviderTimeout, RateLimited
from cuewire.model.prompts import AD_HOC, Prompt
from cuewire.model.requests import ToolCall
from cuewire.model.results import Result
from cuewire.model.usage import Usage
from cuewire.wire.openai import ChatOrder, ChunkWriter, completion, error_body, model_list, read_chat

HELLO = [{"role": "user", "content": "hello"}]


def order(**fields: Any) -> ChatOrder:
    return read_chat(msgspec.json.encode({"model": "prompt/triage", **fields}))


def result(**more: Any) -> Result:
    fields: dict[str, Any] = {
        "id": "01a1fec0-7980-7201-91d3-6d466173226c",
        "value": "bug",
        "text": "bug",
        "prompt": "triage",
        "version": 3,
        "model": "openai/gpt-4o-mini",
        "finish_reason": "stop",
        "usage": Usage(input_tokens=5, output_tokens=1),
        "cost_usd": 0.5,
        "cost_basis": "list",
        "duration_ms": 3.0,
        "first_token_ms": None,
    }
    return Result(**(fields | more))


def events(writer: ChunkWriter, ended: Result, *, with_usage: bool = False) -> list[Any]:
    *rest, done = writer.end(ended, with_usage=with_usage)
    assert done == b"data: [DONE]\n\n"
    return [msgspec.json.decode(event.removeprefix(b"data: ")) for event in rest]


def test_a_stored_prompt_needs_no_messages() -> None:
    read = order(model="prompt/triage@candidate", inputs={"text": "x"}, temperature=0)

    assert (read.prompt, read.inputs, read.choices, read.is_streamed) == ("triage@candidate", {"text": "x"}, 1, False)
    assert read.options["model"] is None
    assert read.options["parameters"] == {"temperature": 0}


def test_a_model_gets_the_messages_as_they_are() -> None:
    read = order(model="openai/gpt-4o-mini", messages=HELLO, metadata={"user": "7"})

    assert (read.prompt, read.inputs) == (AD_HOC, {"messages": HELLO})
    assert (read.options["model"], read.options["metadata"]) == ("openai/gpt-4o-mini", {"user": "7"})


def test_parts_and_tool_calls_of_messages_are_kept() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    image = {"type": "image_url", "image_url": {"url": "https://example.org/a.png", "detail": "low"}}
    read = order(
        messages=[
            {"role": "user", "content": [{"type": "text", "text": "see"}, image]},
            {"role": "assistant", "content": None, "tool_calls": [call], "refusal": None},
            {"role": "tool", "tool_call_id": "c1", "content": "nothing"},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "I would rather not."}]},
        ]
    )

    assert read.inputs["messages"] == [
        {
            "role": "user",
            "content": [{"type": "text", "text": "see"}, {"type": "image", "url": "https://example.org/a.png"}],
        },
        {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", "name": "look", "arguments": "{}"}]},
        {"role": "tool", "content": "nothing", "tool_call_id": "c1"},
        {"role": "assistant", "content": [{"type": "text", "text": "I would rather not."}]},
    ]


def test_fields_without_a_value_are_as_if_not_given() -> None:
    read = order(temperature=None, n=None, stream=None, tools=None, inputs=None, messages=None, stream_options=None)

    assert (read.options["parameters"], read.choices, read.is_streamed) == (None, 1, False)
    assert (read.inputs, read.with_usage) == ({}, False)


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"model": 7}, "/model"),
        ({"model": "openai/gpt-4o-mini"}, "/messages"),
        ({"messages": "hello"}, "/messages"),
        ({"n": 0}, "/n"),
        ({"n": 9}, "/n"),
        ({"messages": HELLO, "inputs": {"messages": []}}, "/inputs/messages"),
        ({"messages": [{"role": "user", "content": [{"type": "sound"}]}]}, "/messages/0/content/0"),
        ({"messages": [{"role": "assistant", "tool_calls": [{}]}]}, "/messages/0/tool_calls/0"),
        ({"inputs": {"text": "\0"}}, "/inputs/text"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(fields: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        order(**fields)

    assert caught.value.field == pointer


def test_a_completion_has_the_fields_that_clients_read() -> None:
    body = msgspec.json.decode(completion([result()], model="prompt/triage", created=7))

    choice = body["choices"][0]
    assert (body["object"], body["created"], body["model"]) == ("chat.completion", 7, "prompt/triage")
    assert (choice["message"]["content"], choice["finish_reason"]) == ("bug", "stop")
    assert (body["usage"]["prompt_tokens"], body["usage"]["total_tokens"]) == (5, 6)
    assert body["cuewire"]["cost_usd"] == 0.5
    assert body["cuewire"]["prompt"] == "triage@3"


def test_many_choices_are_summed_and_an_unknown_cost_stays_unknown() -> None:
    body = msgspec.json.decode(completion([result(), result(cost_usd=None)], model="m", created=7))

    assert [choice["index"] for choice in body["choices"]] == [0, 1]
    assert body["usage"]["total_tokens"] == 12
    assert body["cuewire"]["cost_usd"] is None


def test_usage_that_nobody_reported_is_null() -> None:
    assert msgspec.json.decode(completion([result(usage=Usage())], model="m", created=7))["usage"] is None


def test_tool_calls_are_written_whole_and_streamed() -> None:
    asked = result(text="", finish_reason="tool_calls", tool_calls=(ToolCall(id="c1", name="look", arguments="{}"),))
    whole = msgspec.json.decode(completion([asked], model="m", created=7))["choices"][0]
    streamed, end = events(ChunkWriter(name="x", model="m", created=7), asked)

    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    assert (whole["message"]["content"], whole["message"]["tool_calls"]) == (None, [call])
    assert streamed["choices"][0]["delta"]["tool_calls"] == [{"index": 0, **call}]
    assert end["choices"][0]["finish_reason"] == "tool_calls"


@pytest.mark.parametrize(
    ("told", "details"), [((None, None), None), ((None, 0), {"cached_tokens": 0}), ((3, 4), {"cached_tokens": 7})]
)
def test_a_count_that_nobody_reported_is_not_zero(told: tuple[int | None, ...], details: dict[str, int] | None) -> None:
    results = [result(usage=Usage(input_tokens=5, output_tokens=1, cached_tokens=cached)) for cached in told]

    usage = msgspec.json.decode(completion(results, model="m", created=7))["usage"]

    assert (usage["prompt_tokens_details"], usage["completion_tokens_details"]) == (details, None)


def test_usage_ends_a_stream_only_when_it_was_asked_for() -> None:
    writer = ChunkWriter(name="x", model="m", created=7)

    assert events(writer, result())[-1]["choices"][0]["finish_reason"] == "stop"
    last = events(writer, result(), with_usage=True)[-1]
    assert (last["choices"], last["usage"]["completion_tokens"]) == ([], 1)


def test_a_reason_that_clients_do_not_know_is_told_as_stop() -> None:
    body = msgspec.json.decode(completion([result(finish_reason="unknown")], model="m", created=7))

    assert body["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (InvalidInput("wrong", field="/inputs/text"), 422, "invalid_request_error"),
        (PromptNotFound("absent"), 404, "not_found_error"),
        (RateLimited("too many"), 429, "rate_limit_error"),
        (ProviderTimeout("late", phase="total"), 504, "server_error"),
    ],
)
def test_errors_are_told_as_openai_tells_them(error: Any, status: int, kind: str) -> None:
    found, body = error_body(error, request_id="r1")

    said = msgspec.json.decode(body)["error"]
    assert (found, said["type"], said["code"]) == (status, kind, error.code)
    assert said["param"] == ("inputs.text" if error.field else None)


def test_models_are_the_prompts_and_their_labels() -> None:
    at = datetime(2026, 11, 21, tzinfo=UTC)
    prompt = Prompt(
        id=1,
        name="triage",
        strategy=None,
        language="en",
        description="",
        template_type="general",
        category="",
        tags=(),
        status="active",
        labels={"production": 1, "latest": 2},
        versions=2,
        revision=1,
        created_at=at,
        updated_at=at,
    )
    built_in = msgspec.structs.replace(prompt, name=AD_HOC)

    listed = msgspec.json.decode(model_list([prompt, built_in]))

    names = [model["id"] for model in listed["data"]]
    assert names == ["prompt/triage", "prompt/triage@latest", "prompt/triage@production"]
