"""The local model for embeddings: all-MiniLM-L6-v2, computed in this process on a thread of its own.

It needs neither the chat model nor its runtime. Nothing is imported or loaded before the first text.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from cuewire.model.embeddings import Embeddable, EmbeddingRequest, Embeddings, Vector
from cuewire.model.errors import InvalidInput, MissingExtra, ModelNotServed, ProviderUnavailable
from cuewire.model.usage import Usage
from cuewire.providers.local_embeddings_files import EmbeddingFiles, find_files

if TYPE_CHECKING:
    from cuewire.providers.local_encoder import Encoder, Pieces

T = TypeVar("T")

MODEL = "all-minilm-l6-v2"
DIMENSIONS = 384
SPLIT_INPUTS = 8
"""Inputs that are split into tokens in one turn, which takes at most a quarter of a second."""
LIBRARIES = ("numpy", "safetensors", "tokenizers")
_WITHOUT_EFFECT = frozenset({"encoding_format", "user"})
"""Parameters that say nothing of the vectors themselves."""


class LocalEmbeddings:
    """Implements the Embedder port. Calls take turns, pass by pass, so that a long one does not keep others waiting.

    A cancelled call is given up before its next pass, within some 150 ms. Input tokens are counted without the two
    special ones around each text. After `close` the next call loads the model again.
    """

    def __init__(self, *, path: str | Path | None, data_folder: Path) -> None:
        self._path = path
        self._folder = data_folder
        self._numbers = count(1)
        self._worker: _Worker | None = None

    async def embed(self, request: EmbeddingRequest) -> Embeddings:
        """Return the vectors: 384 numbers each, of length 1.

        Raises ModelNotServed for another model, InvalidInput for a parameter that cannot be followed,
        ContextLengthExceeded for an input of more than 254 tokens, MissingExtra if the model is not installed.
        """
        _check(request)
        worker = self._worker = self._worker or _Worker(self._find)
        pieces = await worker.pieces(request.inputs)
        vectors = await worker.vectors(pieces)
        return Embeddings(
            vectors=tuple(vectors[text] for text in pieces),
            usage=Usage(input_tokens=sum(map(len, pieces)), output_tokens=0),
            model=request.model,
            request_id=f"local-{next(self._numbers)}",
        )

    async def close(self) -> None:
        """Give up what is being computed, end the thread and let go of the model."""
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.close()

    def is_here(self) -> bool:
        """Tell whether the model is installed. Raises ConfigError if its files are configured and absent."""
        try:
            self._find()
        except MissingExtra:
            return False
        return True

    def _find(self) -> EmbeddingFiles:
        if any(find_spec(library) is None for library in LIBRARIES):
            raise MissingExtra(
                f"the local model for embeddings needs {', '.join(LIBRARIES[:-1])} and {LIBRARIES[-1]}",
                hint="install them with: pip install 'cuewire[vectors]'",
            )
        return find_files(self._path, self._folder)


class _Worker:
    """The thread, and the model that is loaded on it."""

    def __init__(self, find: Callable[[], EmbeddingFiles]) -> None:
        self._find = find
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="cuewire-embeddings")
        self._is_closed = False
        self._encoder: Encoder | None = None

    async def pieces(self, inputs: Sequence[Embeddable]) -> list[Pieces]:
        pieces: list[Pieces] = []
        for first in range(0, len(inputs), SPLIT_INPUTS):
            some = inputs[first : first + SPLIT_INPUTS]
            pieces += await self._turn(partial(self._split, some, first))
        return pieces

    async def vectors(self, pieces: Sequence[Pieces]) -> dict[Pieces, Vector]:
        """Return the vector of each text; equal ones are computed once, so that they have the same."""
        from cuewire.providers.local_encoder import passes

        vectors: dict[Pieces, Vector] = {}
        for texts in passes(set(pieces)):
            made = await self._turn(partial(self._pass, texts))
            vectors.update(zip(texts, made, strict=True))
        return vectors

    async def close(self) -> None:
        self._is_closed = True
        await asyncio.to_thread(self._thread.shutdown)

    async def _turn(self, step: Callable[[], T]) -> T:
        """Do one step on the thread, after those that wait already."""
        self._check_open()
        return await asyncio.wrap_future(self._thread.submit(step))

    def _split(self, inputs: Sequence[Embeddable], first: int) -> list[Pieces]:
        return self._loaded().pieces(inputs, first=first)

    def _pass(self, texts: Sequence[Pieces]) -> list[Vector]:
        return self._loaded().vectors(texts)

    def _loaded(self) -> Encoder:
        self._check_open()
        if self._encoder is None:
            files = self._find()
            from cuewire.providers.local_encoder import Encoder

            self._encoder = Encoder(files)
        return self._encoder

    def _check_open(self) -> None:
        if self._is_closed:
            raise ProviderUnavailable("the local model for embeddings was closed during the call")


def _check(request: EmbeddingRequest) -> None:
    """Refuse what this model cannot do, before anything is loaded."""
    if request.model != MODEL:
        raise ModelNotServed(
            f"the local model {request.model!r} does not turn texts into vectors", hint=f"name local/{MODEL}"
        )
    given = {name: value for name, value in request.parameters.items() if value is not None}
    if given.get("dimensions", DIMENSIONS) != DIMENSIONS:
        raise _refused("dimensions", f"is {DIMENSIONS} and cannot be another")
    for name in sorted(given.keys() - _WITHOUT_EFFECT - {"dimensions"}):
        raise _refused(name, "is not known")


def _refused(name: str, why: str) -> InvalidInput:
    return InvalidInput(f"parameter {name!r} {why} for local/{MODEL}", hint="leave it out", field=f"/parameters/{name}")
