"""Embeddings: what is asked of a model that turns texts into vectors, and what comes back."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from math import fsum, sqrt
from operator import mul
from typing import Any, TypeAlias

from cuewire.model.errors import InvalidInput
from cuewire.model.results import Result
from cuewire.model.usage import Usage
from cuewire.model.values import Value

MAX_INPUTS = 2_048
"""Texts of one request, as OpenAI has it."""

Embeddable: TypeAlias = str | Sequence[int]
"""A text, or the tokens of one."""
Vector: TypeAlias = "array[float]"
"""Numbers as they came: of 32 bits where the provider sent bytes, of 64 where it wrote them out. Never changed."""


class EmbeddingRequest(Value, frozen=True):
    """One call to make. `parameters` use OpenAI's names (dimensions, encoding_format, user, ...)."""

    model: str
    inputs: tuple[Embeddable, ...]
    parameters: dict[str, Any]
    idempotency_key: str


class Embeddings(Value, frozen=True):
    """A provider's answer: one vector for each input, in order, all of one length and every number finite.

    `cost_usd` is the cost that the provider itself reported, if it did. `model` is the name under which it answered.
    """

    vectors: tuple[Vector, ...]
    usage: Usage
    cost_usd: float | None = None
    model: str = ""
    request_id: str = ""

    @property
    def dimensions(self) -> int:
        """The length of each vector."""
        return len(self.vectors[0])


class Embedded(Value, frozen=True):
    """What the caller gets: the vectors, which are kept nowhere, and the result, which tells how many there were."""

    vectors: tuple[Vector, ...]
    result: Result


def packed(vector: Vector) -> bytes:
    """Return the numbers as floats of 32 bits, the lowest byte first; what is too large for them becomes infinite."""
    floats = vector if vector.typecode == "f" else array("f", vector)
    return floats.tobytes() if sys.byteorder == "little" else _swapped(floats).tobytes()


def unpacked(data: bytes) -> Vector:
    """Return the numbers of `packed`. Raises ValueError if the bytes do not make up whole ones."""
    floats = array("f", data)
    return floats if sys.byteorder == "little" else _swapped(floats)


def is_finite(data: bytes) -> bool:
    """Tell whether all numbers of `packed` are finite, and below 2**127, where the highest byte alone says so."""
    highest = data[3::4]
    return 0x7F not in highest and 0xFF not in highest


def signs(vector: Vector) -> bytes:
    """Return a bit for each number, 1 where it is above 0: the first number's is the lowest of the first byte.

    Vectors that point the same way differ in few of them: in a share of the angle over pi, on average.
    """
    bits = sum(1 << place for place, number in enumerate(vector) if number > 0)
    return bits.to_bytes((len(vector) + 7) // 8, "little")


def unit(vector: Vector) -> Vector:
    """Return the vector of length 1 that points the same way, in 32 bits; one of nothing but zeros stays so."""
    length = sqrt(fsum(map(mul, vector, vector))) or 1.0
    return array("f", [number / length for number in vector])


def cosine(one: Vector, other: Vector) -> float:
    """Return the cosine of the angle between two vectors of length 1, and of equal dimensions."""
    product: float = sum(map(mul, one, other))
    return max(-1.0, min(1.0, product))


def cosines_of(vector: Vector, others: Sequence[bytes]) -> Sequence[float]:
    """Return the cosine of each of the packed vectors to the vector, all of length 1 and of equal dimensions."""
    return [cosine(vector, unpacked(other)) for other in others]


def _swapped(floats: Vector) -> Vector:
    copied = floats[:]
    copied.byteswap()
    return copied


def check_embeddable(inputs: Sequence[object], *, field: str = "/input") -> tuple[Embeddable, ...]:
    """Return what can be embedded. Raises InvalidInput with the place of what cannot, or if it is too much."""
    if not 1 <= len(inputs) <= MAX_INPUTS:
        raise InvalidInput(f"give 1 to {MAX_INPUTS:,} texts, not {len(inputs):,}", field=field)
    checked: list[Embeddable] = []
    for at, item in enumerate(inputs):
        if isinstance(item, str) or (isinstance(item, list | tuple) and all(type(token) is int for token in item)):
            checked.append(item)
        else:
            raise InvalidInput("is neither a text nor a list of tokens", field=f"{field}/{at}")
    return tuple(checked)
