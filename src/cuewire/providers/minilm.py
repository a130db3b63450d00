"""The network of all-MiniLM-L6-v2 on numpy: ids of word pieces in, vectors of length 1 out.

Six layers of BERT (Devlin et al., arXiv:1810.04805), the mean over the word pieces, the Euclidean norm, as on the card
of sentence-transformers/all-MiniLM-L6-v2. The texts of a pass lie end to end and not in rows of one length: nothing
is padded, so there is no mask, and no text costs another one anything or changes more than last bits of its vector.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

Numbers: TypeAlias = NDArray[np.float32]

DIMENSIONS: Final = 384
VOCABULARY: Final = 30_522
MAX_PIECES: Final = 256
"""What the model was trained on; its table of positions has 512 rows, of which sentence-transformers uses these."""
_LAYERS = 6
_HEADS = 12
_HEAD = DIMENSIONS // _HEADS
_INNER = 1_536
_POSITIONS = 512
_EPSILON = np.float32(1e-12)
_HALF = np.float32(0.5)
_SCALE = np.float32(_HEAD**-0.5)
_BLOCK = 64
"""Rows of the activation at a time: they stay in the processor's cache, which makes it twice as fast."""
_ERFC = tuple(np.float32(each) for each in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592))
_ERFC_STEP = np.float32(0.3275911 / 2**0.5)

SHAPES: Final = {
    "embeddings.word_embeddings.weight": (VOCABULARY, DIMENSIONS),
    "embeddings.position_embeddings.weight": (_POSITIONS, DIMENSIONS),
    "embeddings.token_type_embeddings.weight": (2, DIMENSIONS),
    "embeddings.LayerNorm.weight": (DIMENSIONS,),
    "embeddings.LayerNorm.bias": (DIMENSIONS,),
    **{
        f"encoder.layer.{layer}.{part}.{kind}": shape if kind == "weight" else shape[:1]
        for layer in range(_LAYERS)
        for part, shape in {
            "attention.self.query": (DIMENSIONS, DIMENSIONS),
            "attention.self.key": (DIMENSIONS, DIMENSIONS),
            "attention.self.value": (DIMENSIONS, DIMENSIONS),
            "attention.output.dense": (DIMENSIONS, DIMENSIONS),
            "attention.output.LayerNorm": (DIMENSIONS,),
            "intermediate.dense": (_INNER, DIMENSIONS),
            "output.dense": (DIMENSIONS, _INNER),
            "output.LayerNorm": (DIMENSIONS,),
        }.items()
        for kind in ("weight", "bias")
    },
}
"""The tensors of the file that are used, by name."""


class MiniLM:
    """The weights, and what they make of texts. One pass at a time; it changes nothing that another one reads."""

    def __init__(self, weights: Path) -> None:
        """Read the weights, 90 MB. Raises ValueError if the file is not of this model, OSError."""
        try:
            found = load_file(weights)
        except SafetensorError as error:
            raise ValueError(str(error)) from error
        for name, shape in SHAPES.items():
            if name not in found or found[name].shape != shape:
                raise ValueError(f"tensor {name!r} should be there with the shape {shape}")
        self._tensors: dict[str, Numbers] = {name: np.asarray(found[name], np.float32) for name in SHAPES}
        types = self._tensors["embeddings.token_type_embeddings.weight"]
        self._positions: Numbers = self._tensors["embeddings.position_embeddings.weight"] + types[0]

    def vectors(self, texts: Sequence[Sequence[int]]) -> Numbers:
        """Return a row for each text, given as the ids of its word pieces, the special ones among them.

        Each text has 1 to 512 ids below VOCABULARY. All of them are one pass: time and memory grow with their sum.
        """
        order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
        runs = list(_runs([len(texts[at]) for at in order]))
        ids = np.concatenate([np.asarray(texts[at], np.intp) for at in order])
        places = np.concatenate([np.arange(len(texts[at])) for at in order])
        words = self._tensors["embeddings.word_embeddings.weight"]
        states = self._normed(words[ids] + self._positions[places], "embeddings.LayerNorm")
        for layer in range(_LAYERS):
            states = self._layer(states, f"encoder.layer.{layer}", runs)
        vectors = np.empty((len(texts), DIMENSIONS), np.float32)
        row = 0
        for begin, count, length in runs:
            whole = states[begin : begin + count * length].reshape(count, length, DIMENSIONS)
            vectors[order[row : row + count]] = whole.mean(axis=1)
            row += count
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    def _layer(self, states: Numbers, name: str, runs: list[Run]) -> Numbers:
        attended = self._dense(self._attention(states, name, runs), f"{name}.attention.output.dense")
        attended += states
        attended = self._normed(attended, f"{name}.attention.output.LayerNorm")
        inner = _activate(self._dense(attended, f"{name}.intermediate.dense"))
        made = self._dense(inner, f"{name}.output.dense")
        made += attended
        return self._normed(made, f"{name}.output.LayerNorm")

    def _attention(self, states: Numbers, name: str, runs: list[Run]) -> Numbers:
        """Return what each word piece takes from those of its own text; texts of one length share a call."""
        queries, keys, values = (
            self._dense(states, f"{name}.attention.self.{part}") for part in ("query", "key", "value")
        )
        queries *= _SCALE
        taken = np.empty_like(states)
        for begin, count, length in runs:
            rows = slice(begin, begin + count * length)
            query, key, value = (
                part[rows].reshape(count, length, _HEADS, _HEAD).transpose(0, 2, 1, 3)
                for part in (queries, keys, values)
            )
            weights = query @ key.swapaxes(2, 3)
            weights -= weights.max(axis=-1, keepdims=True)
            np.exp(weights, out=weights)
            weights /= weights.sum(axis=-1, keepdims=True)
            taken[rows] = (weights @ value).transpose(0, 2, 1, 3).reshape(count * length, DIMENSIONS)
        return taken

    def _dense(self, rows: Numbers, name: str) -> Numbers:
        made: Numbers = rows @ self._tensors[f"{name}.weight"].T
        made += self._tensors[f"{name}.bias"]
        return made

    def _normed(self, rows: Numbers, name: str) -> Numbers:
        """Bring each row, in its place, to mean 0 and variance 1, then to the scale and the shift that were learned."""
        rows -= rows.mean(axis=1, keepdims=True)
        variance = np.einsum("ij,ij->i", rows, rows)[:, None] / np.float32(DIMENSIONS)
        rows /= np.sqrt(variance + _EPSILON)
        rows *= self._tensors[f"{name}.weight"]
        rows += self._tensors[f"{name}.bias"]
        return rows


Run: TypeAlias = tuple[int, int, int]
"""Neighbours of one length: the first row, how many texts, and the rows of each."""


def _runs(lengths: Sequence[int]) -> Iterator[Run]:
    begin = 0
    for length, group in groupby(lengths):
        count = len(list(group))
        yield begin, count, length
        begin += count * length


def _activate(rows: Numbers) -> Numbers:
    """Apply the exact GELU in place, x times the normal distribution up to x.

    It is max(x, 0) - |x| erfc(|x| / sqrt 2) / 2, with erfc as in Abramowitz and Stegun, 7.1.26: off by 1.5e-7 at most,
    which is what 32 bits hold; numpy has none of its own.
    """
    for begin in range(0, len(rows), _BLOCK):
        x = rows[begin : begin + _BLOCK]
        size = np.abs(x)
        step = size * _ERFC_STEP
        step += 1
        np.reciprocal(step, out=step)
        tail = step * _ERFC[0]
        for coefficient in _ERFC[1:]:
            tail += coefficient
            tail *= step
        np.multiply(size, size, out=step)
        step *= -_HALF
        np.exp(step, out=step)
        tail *= step
        tail *= size
        tail *= _HALF
        np.maximum(x, 0, out=x)
        x -= tail
    return rows
