from __future__ import annotations

from array import array
from math import hypot
from typing import Any

import msgspec
import pytest

from cuewire.model.embeddings import EmbeddingRequest, Embeddings
from cuewire.model.errors import ProviderUnavailable, RateLimited, RequestRejected
from cuewire.model.outputs import parse_output
from cuewire.model.requests import ChatMessage, ImageContent, ModelRequest, TextContent
from cuewire.model.results import Answer
from cuewire.model.usage import Usage
from cuewire.ports import Listener
from cuewire.providers.scripted import Reply, Script, Scripted


async def asked(
    script: Script | None = None,
    text: str = "Hi there",
    *,
    output: Any = None,
    listener: Listener | None = None,
    **parameters: Any,
) -> Answer:
    request = ModelRequest(
        model="anything",
        messages=(ChatMessage(role="user", content=text),),
        parameters=parameters,
        output=parse_output(output),
        idempotency_key="k",
    )
    return await Scripted(script).call(request, listener=listener)


async def test_without_a_script_the_last_message_is_echoed() -> None:
    answer = await asked(text="Good morning")

    assert (answer.text, answer.finish_reason, answer.model) == ("Good morning", "stop", "anything")


@pytest.mark.parametrize(
    ("output", "text", "answer"),
    [
        (["bug", "idea"], "I have an IDEA", "idea"),
        (["bug", "idea"], "Hm", "bug"),
        ("number", "It costs -3.5 euros", "-3.5"),
        ("number", "Hm", "0"),
        ("date", "It is due on 2026-11-21T14:30Z.", "2026-11-21T14:30Z"),
        ("date", "Hm", "1970-01-01"),
        ("boolean", "Is it so?", "true"),
        ("boolean", "It is not", "false"),
    ],
)
async def test_echo_has_the_form_that_the_output_asks_for(output: Any, text: str, answer: str) -> None:
    assert (await asked(text=text, output=output)).text == answer


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "object", "properties": {"a": {"type": "integer"}, "b": {}}, "required": ["a"]}, {"a": 0}),
        ({"type": "object", "properties": {"a": {"type": "string", "minLength": 4}}}, {"a": "Hm  "}),
        ({"type": "array", "items": {"enum": ["x", "y"]}}, ["x"]),
        ({"anyOf": [{"type": "null"}, {"type": "string"}]}, None),
        ({"type": ["number", "null"], "minimum": 3}, 3),
        ({"const": 7}, 7),
        ({"type": "string", "pattern": "^x+$", "examples": ["xx", "x"]}, "xx"),
        ({"example": {"due:date": None, "tags?:[2+]": ["a"], "name": "Ada"}}, {"due": "2026-11-21", "name": "Hm"}),
        ({"type": "boolean"}, True),
        ({"type": "string", "maxLength": 1}, "H"),
        ({}, "Hm"),
    ],
)
async def test_echo_gives_an_example_of_a_json_schema(schema: dict[str, Any], value: object) -> None:
    assert msgspec.json.decode((await asked(text="Hm", output=schema)).text) == value


async def test_list_is_answered_in_order_and_then_refuses() -> None:
    provider = Scripted(["one", Reply(text="two")])
    request = ModelRequest(model="m", messages=(), parameters={}, output=parse_output(None), idempotency_key="k")

    texts = [(await provider.call(request, listener=None)).text for _ in range(2)]

    assert texts == ["one", "two"]
    with pytest.raises(RequestRejected, match="this is call 3"):
        await provider.call(request, listener=None)
    assert len(provider.requests) == 3


async def test_rules_are_tried_in_order() -> None:
    rules = {"bug": "a bug", "": "something"}

    assert (await asked(rules, "a bug here")).text == "a bug"
    assert (await asked(rules, "hello")).text == "something"
    with pytest.raises(RequestRejected, match="no rule"):
        await asked({"bug": "x"}, "hello")


async def test_function_answers_by_the_request() -> None:
    assert (await asked(lambda request: f"to {request.model}")).text == "to anything"


async def test_error_is_raised() -> None:
    with pytest.raises(RateLimited):
        await asked([RateLimited("slow down", retry_after_s=2)])


async def test_reply_may_break_off_after_its_text() -> None:
    heard: list[str] = []

    async def listen(text: str) -> None:
        heard.append(text)

    with pytest.raises(ProviderUnavailable) as caught:
        await asked([Reply(text="Half of it", error=ProviderUnavailable("down"))], listener=listen)

    assert caught.value.partial_text == "".join(heard) == "Half of it"


@pytest.mark.parametrize("text", ["one two  three\n", " lead", "", "   ", "a\n\nb"])
async def test_pieces_of_a_stream_are_the_text(text: str) -> None:
    heard: list[str] = []

    async def listen(piece: str) -> None:
        heard.append(piece)

    answer = await asked([text], listener=listen)

    assert "".join(heard) == answer.text == text


@pytest.mark.contract("S0-11", "S4-12")
async def test_tokens_are_words() -> None:
    assert (await asked(["a b c"], "Hi there")).usage == Usage(input_tokens=2, output_tokens=3)


async def test_max_tokens_cuts_the_answer() -> None:
    answer = await asked(["a b c d"], max_tokens=2)

    assert (answer.text, answer.finish_reason, answer.usage.output_tokens) == ("a b", "length", 2)


async def test_reply_may_say_its_own_usage_and_cost() -> None:
    answer = await asked([Reply(text="x", usage=Usage(input_tokens=9), cost_usd=0.25, finish_reason="stop")])

    assert (answer.usage, answer.cost_usd) == (Usage(input_tokens=9), 0.25)


async def test_parts_of_a_message_are_read() -> None:
    message = ChatMessage(role="user", content=(TextContent("What is"), ImageContent("data:x"), TextContent("this?")))
    request = ModelRequest(
        model="m", messages=(message,), parameters={}, output=parse_output(None), idempotency_key="k"
    )

    assert (await Scripted().call(request, listener=None)).text == "What is this?"


def embedding(*inputs: Any, **parameters: Any) -> EmbeddingRequest:
    return EmbeddingRequest(model="anything", inputs=inputs, parameters=parameters, idempotency_key="k")


async def test_a_text_has_the_same_vector_of_length_1_in_every_process() -> None:
    scripted = Scripted()
    request = embedding("It crashes", (1, 2), dimensions=3)
    embeddings = await scripted.embed(request)

    first, second = (vector.tolist() for vector in embeddings.vectors)
    assert first == pytest.approx([0.0205, -0.6517, -0.7582], abs=1e-4)
    assert second == (await scripted.embed(embedding([1, 2], dimensions=3))).vectors[0].tolist()
    assert [hypot(*vector) for vector in (first, second)] == pytest.approx([1.0, 1.0])
    assert embeddings.usage == Usage(input_tokens=4, output_tokens=0)
    assert scripted.embedding_requests[0] == request


async def test_vectors_without_end_are_refused() -> None:
    with pytest.raises(RequestRejected, match=r"at most 4,096 dimensions, not 10,000,000"):
        await Scripted().embed(embedding("a", dimensions=10_000_000))


async def test_vectors_can_be_scripted() -> None:
    def zeros(request: EmbeddingRequest) -> Embeddings:
        return Embeddings(vectors=tuple(array("f", [0.0]) for _ in request.inputs), usage=Usage())

    embeddings = await Scripted(embedding=zeros).embed(embedding("a", "b"))

    assert [vector.tolist() for vector in embeddings.vectors] == [[0.0], [0.0]]
