"""A desk whose embeddings say which words a text has, so that texts of like words mean the like."""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from zlib import crc32

import msgspec

from tests.support.model_server import Action, embeddings, plain
from tests.support.policy_models import Desk

DIMENSIONS = 256
EMBEDDING = "text-embedding-3-small"


class MeaningDesk(Desk):
    """Answers requests for embeddings itself; `refuses` them while it is set, and counts words unless `tokens` says."""

    refuses = False
    tokens: int | None = None

    def choose(self, path: str, body: bytes) -> Sequence[Action]:
        if not path.endswith("/embeddings"):
            return super().choose(path, body)
        if self.refuses:
            return plain({"error": {"message": "no"}}, 500)
        asked = msgspec.json.decode(body)
        vectors = [list(meaning(text)) for text in asked["input"]]
        words = sum(len(text.split()) for text in asked["input"])
        tokens = words if self.tokens is None else self.tokens
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return plain(embeddings(*vectors, model=asked["model"], usage=usage))

    @property
    def answered(self) -> int:
        """How often a chat model was asked."""
        return sum("input" not in received.json for received in self.received)


def meaning(text: str) -> array[float]:
    """Return a vector of the words of a text, whichever order they have: "how", "do" and the like hardly count."""
    vector = [0.01] * DIMENSIONS
    for word in re.findall(r"\w+", text.casefold()):
        weight = 0.05 if len(word) <= 3 and word.isalpha() else 1.0
        place = crc32(word.encode())
        vector[place % DIMENSIONS] += weight
        vector[place // DIMENSIONS % DIMENSIONS] -= weight
    return array("d", vector)
