"""Values cross the wire unchanged; what comes from outside is read strictly."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from cuewire.model.errors import InvalidInput, ProtocolError
from cuewire.model.executions import CallRecord, ExecutionDetail, Failure
from cuewire.model.outcomes import Outcome
from cuewire.model.outputs import BooleanOutput, ChoiceOutput, JsonOutput, NumberOutput, OutputKind, TextOutput
from cuewire.model.prompts import Image, Message, Placeholder, PromptVersion, Variable
from cuewire.model.requests import ChatMessage, ImageContent, TextContent, ToolCall
from cuewire.model.results import Result
from cuewire.model.usage import Usage
from cuewire.wire.executions import ExecutionDetailShape, ResultShape, RunRequest
from cuewire.wire.prompts import UpdateRequest
from cuewire.wire.streams import HEARTBEAT, EventReader, PieceShape, written
from cuewire.wire.strict_json import MalformedJson, decode
from cuewire.wire.versions import VersionShape

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ID = "018bcfe5-6800-7fff-bfff-ffffffffffff"
USAGE = Usage(input_tokens=3, output_tokens=5)
CALL = ToolCall(id="c1", name="find", arguments='{"a": 1}')
RESULT = Result(
    id=ID,
    value={"a": [1, None]},
    text='{"a": [1, null]}',
    prompt="triage",
    version=7,
    model="openai/x",
    finish_reason="stop",
    usage=USAGE,
    cost_usd=None,
    cost_basis="unknown",
    duration_ms=12.5,
    first_token_ms=None,
    tool_calls=(CALL,),
    called_ms=11.0,
)
DETAIL = ExecutionDetail(
    id=ID,
    prompt="triage",
    version=7,
    label="production",
    model="openai/x",
    status="failed",
    started_at=NOON,
    ended_at=NOON,
    duration_ms=12.5,
    first_token_ms=None,
    input_tokens=3,
    output_tokens=None,
    total_tokens=3,
    cost_usd=None,
    cost_basis=None,
    finish_reason=None,
    error_code="rate_limited",
    error_message="slow down",
    metadata={"user": "u1"},
    inputs={"text": "x"},
    messages=(ChatMessage(role="user", content=(TextContent("see"), ImageContent("https://x/y.png"))),),
    text=None,
    value=None,
    tool_calls=(CALL,),
    calls=(
        CallRecord(
            number=1,
            purpose="first",
            model="openai/x",
            status="failed",
            duration_ms=9.0,
            usage=USAGE,
            cost_usd=None,
            started_ms=1.5,
        ),
    ),
    failure=Failure(code="rate_limited", message="slow down"),
    sanitised=0,
    idempotency_key=None,
    request_hash=None,
)
VERSION = PromptVersion(
    id=1,
    prompt_id=2,
    prompt="triage",
    number=7,
    messages=(Message("system", ("look: ", Image("photo"))), Placeholder("history"), Message("user", "{{ text }}")),
    variables={"text": Variable(json_schema={"type": "string"}), "history": Variable(kind="messages", required=False)},
    model=None,
    parameters={"temperature": 0.5},
    output=TextOutput(),
    content_hash="a" * 64,
    note="",
    created_at=NOON,
    labels=("production",),
)
OUTPUTS: list[OutputKind] = [
    TextOutput(),
    ChoiceOutput(choices=("a", "b")),
    NumberOutput(),
    BooleanOutput(),
    JsonOutput(json_schema={"type": "object"}),
]


def crossed(shape: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(shape), type=type(shape))


def test_a_result_crosses_unchanged() -> None:
    assert crossed(ResultShape.of(RESULT)).result() == RESULT


def test_an_execution_crosses_unchanged_with_what_was_reported_of_it() -> None:
    outcome = Outcome(execution_id=ID, name="stars", value=4, reported_at=NOON)

    shape = crossed(ExecutionDetailShape.of(DETAIL, (outcome,)))

    assert shape.detail() == DETAIL
    assert shape.outcomes[0].value == 4


@pytest.mark.parametrize("output", OUTPUTS, ids=lambda output: type(output).__name__)
def test_a_version_crosses_unchanged(output: OutputKind) -> None:
    version = msgspec.structs.replace(VERSION, output=output)

    assert crossed(VersionShape.of(version)).version() == version


def test_what_is_published_crosses_as_it_was_given() -> None:
    content = (Message("user", "{{ text }}"), {"role": "assistant", "content": "yes"})

    shape = crossed(UpdateRequest.of(content, labels=("a",), publish=True, options={"output": ("bug", "idea")}))

    assert shape.content == [{"type": "message", "role": "user", "content": "{{ text }}"}, content[1]]
    assert (shape.labels, shape.publish, shape.output) == (["a"], True, ["bug", "idea"])


def test_what_json_cannot_hold_is_refused_before_it_is_sent() -> None:
    with pytest.raises(InvalidInput) as caught:
        UpdateRequest.of("a\ud800", labels=(), publish=False, options={})

    assert caught.value.field == "/content"


@pytest.mark.parametrize(
    "body", [b'{"prompt": "a", "prompt": "b"}', b'{"a": NaN}', b"\xff", b"[" * 200_000, b'{"a":1e999}']
)
def test_what_is_no_strict_json_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedJson):
        decode(body, dict[str, Any])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"prompt": "a", "inputs": 3}', "/inputs"),
        (b'{"prompt": "a", "inputs": {"b/c": "\\u0000"}}', "/inputs/b~1c"),
        (b'{"prompt": "a", "inputs": {"b": [1, 9223372036854775808]}}', "/inputs/b/1"),
        (b'{"prompt": "a", "surprise": 1}', ""),
    ],
)
def test_what_has_another_shape_is_refused_with_its_place(body: bytes, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        decode(body, RunRequest)

    assert type(caught.value) is InvalidInput
    assert caught.value.field == field


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_events_are_read_however_their_bytes_were_cut(size: int) -> None:
    piece = PieceShape(text="two\nlines \N{SNOWMAN}", offset=0)
    data = HEARTBEAT + written(piece, at=11) + HEARTBEAT + written(ResultShape.of(RESULT), at=11)
    reader = EventReader()

    events = [event for start in range(0, len(data), size) for event in reader.feed(data[start : start + size])]

    assert events == [piece, ResultShape.of(RESULT)]


@pytest.mark.parametrize("data", [b"event: nonsense\ndata: {}\n\n", b"event: piece\ndata: {}\n\n", b"data: x\n\n"])
def test_events_that_make_no_sense_are_a_protocol_error(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        list(EventReader().feed(data))
