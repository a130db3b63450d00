"""OpenAI's embeddings, as any of its clients speaks them: requests read, vectors written in the encoding asked for.

All fields that are not ours to read go to the model as parameters, `dimensions` and `encoding_format` among them.

Source: OpenAI API reference, embeddings (November 2026).
"""

from __future__ import annotations

import base64
from array import array
from typing import Any, Literal

import msgspec

from cuewire.model.embeddings import Embeddable, Embedded, Vector, packed
from cuewire.model.errors import InvalidInput
from cuewire.wire.openai import ours, prompt_of
from cuewire.wire.shapes import Shape
from cuewire.wire.strict_json import convert, decode

_encode = msgspec.json.Encoder().encode
_OWN = frozenset({"model", "input", "metadata"})


class _Read(msgspec.Struct, frozen=True):
    """The fields of a request that are looked at here."""

    model: str
    input: str | list[str | int | list[int]]
    encoding_format: Literal["float", "base64"] | None = None
    metadata: dict[str, Any] | None = None


class EmbeddingOrder(Shape, frozen=True):
    """A request for vectors, as the App takes it; `in_base64` is how its client wants them."""

    model: str
    inputs: list[Embeddable]
    parameters: dict[str, Any]
    metadata: dict[str, Any] | None
    in_base64: bool


def read_embedding(body: bytes) -> EmbeddingOrder:
    """Read the body of `POST /v1/embeddings`. Raises InvalidInput with a JSON pointer."""
    fields = decode(body, dict[str, Any])
    read = convert(fields, _Read)
    if prompt_of(read.model):
        raise InvalidInput(
            "a stored prompt has no vectors", field="/model", hint="name a model, as in openai/text-embedding-3-small"
        )
    return EmbeddingOrder(
        model=read.model,
        inputs=_inputs(read.input),
        parameters={name: value for name, value in fields.items() if name not in _OWN and value is not None},
        metadata=read.metadata,
        in_base64=read.encoding_format == "base64",
    )


def embedding_list(embedded: Embedded, *, model: str, in_base64: bool) -> bytes:
    """Write the answer."""
    written = _in_base64 if in_base64 else array.tolist
    usage = embedded.result.usage
    return _encode(
        {
            "object": "list",
            "data": [
                {"object": "embedding", "index": index, "embedding": written(vector)}
                for index, vector in enumerate(embedded.vectors)
            ],
            "model": model,
            "usage": None  # 0 would say that it was free
            if usage.total_tokens is None
            else {"prompt_tokens": usage.input_tokens, "total_tokens": usage.total_tokens},
            "cuewire": ours([embedded.result]),
        }
    )


def _inputs(given: str | list[Any]) -> list[Any]:
    """Return one input as a list of it: a text, or the tokens of one."""
    is_one = isinstance(given, str) or (given and all(isinstance(item, int) for item in given))
    return [given] if is_one else list(given)


def _in_base64(vector: Vector) -> str:
    return base64.b64encode(packed(vector)).decode()
