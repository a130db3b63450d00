"""OpenAI's embeddings, read and written."""

from __future__ import annotations

import base64
from array import array
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuewire.model.embeddings import Embedded
from cuewire.model.errors import InvalidInput
from cuewire.model.results import Result
from cuewire.model.usage import Usage
from cuewire.wire.openai import error_body
from cuewire.wire.openai_embeddings import EmbeddingOrder, embedding_list, read_embedding

FLOATS = st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1)


def order(**fields: Any) -> EmbeddingOrder:
    return read_embedding(msgspec.json.encode({"model": "openai/m", "input": "a", **fields}))


def embedded(*vectors: array[float], usage: Usage | None = None, cost_usd: float | None = 0.5) -> Embedded:
    result = Result(
        id="01a1fec0-7980-7201-91d3-6d466173226c",
        value={"vectors": len(vectors)},
        text="vectors",
        prompt="embeddings",
        version=1,
        model="openai/m",
        finish_reason="stop",
        usage=usage or Usage(input_tokens=5, output_tokens=0),
        cost_usd=cost_usd,
        cost_basis="list",
        duration_ms=3.0,
        first_token_ms=None,
    )
    return Embedded(vectors=vectors, result=result)


def written(answer: Embedded, *, in_base64: bool = False) -> Any:
    return msgspec.json.decode(embedding_list(answer, model="openai/m", in_base64=in_base64))


@pytest.mark.parametrize(
    ("given", "inputs"),
    [
        ("a", ["a"]),
        ("", [""]),
        (["a", "b"], ["a", "b"]),
        ([1, 2], [[1, 2]]),
        ([[1, 2], [3]], [[1, 2], [3]]),
        (["a", [3]], ["a", [3]]),
        ([], []),
    ],
)
def test_one_input_is_a_list_of_one(given: Any, inputs: list[Any]) -> None:
    assert order(input=given).inputs == inputs


def test_what_is_not_ours_goes_to_the_model() -> None:
    read = order(dimensions=256, user="u-1", encoding_format="base64", metadata={"team": "search"}, truncate=None)

    assert (read.model, read.in_base64, read.metadata) == ("openai/m", True, {"team": "search"})
    assert read.parameters == {"dimensions": 256, "user": "u-1", "encoding_format": "base64"}


@pytest.mark.parametrize("given", [{}, {"encoding_format": None}, {"encoding_format": "float"}])
def test_numbers_are_written_out_unless_bytes_are_asked_for(given: dict[str, Any]) -> None:
    assert not order(**given).in_base64


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"input": None}, "/input"),
        ({"input": {"text": "a"}}, "/input"),
        ({"input": [None]}, "/input/0"),
        ({"input": [[["a"]]]}, "/input/0/0"),
        ({"input": [1.5]}, "/input/0"),
        ({"input": "a\x00"}, "/input"),
        ({"model": 7}, "/model"),
        ({"model": "prompt/triage"}, "/model"),
        ({"encoding_format": "hex"}, "/encoding_format"),
        ({"metadata": []}, "/metadata"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(fields: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        order(**fields)

    assert caught.value.field == pointer


def test_the_answer_is_as_openai_writes_it() -> None:
    answer = written(embedded(array("d", [0.1, -2.0]), array("d", [3.0, 4.0])))

    assert answer == {
        "object": "list",
        "data": [
            {"object": "embedding", "index": 0, "embedding": [0.1, -2.0]},
            {"object": "embedding", "index": 1, "embedding": [3.0, 4.0]},
        ],
        "model": "openai/m",
        "usage": {"prompt_tokens": 5, "total_tokens": 5},
        "cuewire": {
            "execution_ids": ["01a1fec0-7980-7201-91d3-6d466173226c"],
            "prompt": "embeddings@1",
            "model": "openai/m",
            "cost_usd": 0.5,
        },
    }


@given(FLOATS)
def test_both_encodings_say_the_same_numbers(numbers: list[float]) -> None:
    for kind in ("f", "d"):
        answer = embedded(array(kind, numbers))
        plain = written(answer)["data"][0]["embedding"]
        packed = written(answer, in_base64=True)["data"][0]["embedding"]

        assert plain == array("f", base64.b64decode(packed)).tolist() == numbers


def test_usage_that_nobody_reported_is_null() -> None:
    answer = written(embedded(array("f", [1.0]), usage=Usage(), cost_usd=None))

    assert (answer["usage"], answer["cuewire"]["cost_usd"]) == (None, None)


def test_an_error_names_a_parameter_as_the_client_gave_it() -> None:
    _, body = error_body(InvalidInput("must be an integer", field="/parameters/dimensions"), request_id="r")

    assert msgspec.json.decode(body)["error"]["param"] == "dimensions"
