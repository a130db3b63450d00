"""A model server that embeds as OpenAI does: a vector of its own for each input, in the encoding that is asked for."""

from __future__ import annotations

import base64
from array import array
from collections.abc import Sequence

import msgspec

from tests.support.model_server import Action, ModelServer, embeddings, plain

DIMENSIONS = 4


class EmbeddingModel(ModelServer):
    """Answers every request but one for a model called `absent`; the vector of an input begins with its length."""

    def choose(self, path: str, body: bytes) -> Sequence[Action]:
        if path.endswith("/models"):
            return plain({"object": "list", "data": [{"id": "tiny-1"}]})
        asked = msgspec.json.decode(body)
        if asked["model"] == "absent":
            said = {"message": "The model does not exist: sk-canary", "code": "model_not_found"}
            return plain({"error": said}, 404)
        vectors = [vector_of(item, asked.get("dimensions", DIMENSIONS)) for item in asked["input"]]
        in_base64 = asked.get("encoding_format") == "base64"
        tokens = sum(len(item.split() if isinstance(item, str) else item) for item in asked["input"])
        return plain(
            embeddings(
                *([base64.b64encode(vector).decode() for vector in vectors] if in_base64 else map(list, vectors)),
                model=asked["model"],
                usage={"prompt_tokens": tokens, "total_tokens": tokens},
            ),
            headers={"x-request-id": "req-7"},
        )


def vector_of(item: str | Sequence[int], dimensions: int = DIMENSIONS) -> array[float]:
    """Return the vector of an input; every number of it is the same in 32 bits and in 64."""
    return array("f", [len(item), *(-(place**2) / 64 for place in range(1, dimensions))])
