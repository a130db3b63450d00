"""Texts to vectors on the calling thread, in short steps: word pieces, limits, and passes through the network.

Imports numpy, tokenizers and safetensors, so it is itself imported only where something is embedded.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from tokenizers import Tokenizer

from cuewire.model.embeddings import Embeddable, Vector
from cuewire.model.errors import ContextLengthExceeded, ProviderUnavailable, RequestRejected
from cuewire.providers.blas_threads import find_control, one_thread
from cuewire.providers.local_embeddings_files import EmbeddingFiles
from cuewire.providers.minilm import MAX_PIECES, VOCABULARY, MiniLM

Pieces: TypeAlias = tuple[int, ...]
"""The ids of a text's word pieces, without the two special ones that are put around it."""

MAX_TOKENS = MAX_PIECES - 2
MAX_CHARACTERS = 65_536
"""Characters of one text: more than so many tokens ever need, and few enough to be split in 30 ms."""
PASS_TOKENS = 512
"""Tokens of one pass, some 150 ms: more at once are no faster."""


class Encoder:
    """A loaded model, 90 MB. Not for two threads at a time."""

    def __init__(self, files: EmbeddingFiles) -> None:
        """Load the model. Raises ProviderUnavailable if the files are not of this model, or cannot be read."""
        try:
            self._tokenizer = Tokenizer.from_file(str(files.tokenizer))
            self._network = MiniLM(files.weights)
        except Exception as error:  # tokenizers raises nothing narrower
            raise _unusable(str(error)) from error
        begin, end = (self._tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]"))
        if begin is None or end is None or self._tokenizer.get_vocab_size() != VOCABULARY:
            raise _unusable(f"{files.tokenizer.name} has another vocabulary")
        self._begin, self._end = begin, end
        # The file says that texts are cut, and filled up, to 128 tokens; here nothing is cut in silence.
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    def pieces(self, inputs: Sequence[Embeddable], *, first: int) -> list[Pieces]:
        """Split inputs, of which the first has this number. Raises RequestRejected, ContextLengthExceeded."""
        return [
            tuple(self._split(each, place) if isinstance(each, str) else _checked(each, place))
            for place, each in enumerate(inputs, first)
        ]

    def vectors(self, texts: Sequence[Pieces]) -> list[Vector]:
        """Return the vectors of the texts of one pass; other texts in it change less than 1e-6 of any number."""
        with one_thread(find_control()):
            rows = self._network.vectors([(self._begin, *text, self._end) for text in texts])
        return [array("f", row.tobytes()) for row in rows]

    def _split(self, text: str, place: int) -> Sequence[int]:
        if len(text) > MAX_CHARACTERS:
            raise _too_long(place, f"{len(text):,} characters", f"{MAX_CHARACTERS:,}")
        try:
            # A batch of one, since `encode` keeps all of Python waiting: 2 s for 3 MB.
            (encoding,) = self._tokenizer.encode_batch_fast([text], add_special_tokens=False)
        except TypeError:
            raise RequestRejected(f"input {place} is not text: it holds half of a surrogate pair") from None
        if len(encoding) > MAX_TOKENS:
            raise _too_long(place, f"{len(encoding):,} tokens", str(MAX_TOKENS))
        ids: list[int] = encoding.ids
        return ids


def passes(texts: Iterable[Pieces]) -> Iterator[list[Pieces]]:
    """Part the texts, the shortest first, into passes of PASS_TOKENS at most."""
    some: list[Pieces] = []
    room = PASS_TOKENS
    for text in sorted(texts, key=lambda each: (len(each), each)):
        size = len(text) + 2
        if size > room:
            yield some
            some, room = [], PASS_TOKENS
        some.append(text)
        room -= size
    if some:
        yield some


def _checked(tokens: Sequence[int], place: int) -> Sequence[int]:
    if len(tokens) > MAX_TOKENS:
        raise _too_long(place, f"{len(tokens):,} tokens", str(MAX_TOKENS))
    if wrong := [token for token in tokens if not 0 <= token < VOCABULARY]:
        raise RequestRejected(
            f"input {place} holds the token {wrong[0]}, and the vocabulary of the model ends at {VOCABULARY - 1}",
            hint="send the text, or ids of this model's own word pieces",
        )
    return tokens


def _too_long(place: int, found: str, most: str) -> ContextLengthExceeded:
    return ContextLengthExceeded(
        f"input {place} has {found}, and the model takes at most {most}", hint="shorten it, or embed it in parts"
    )


def _unusable(reason: str) -> ProviderUnavailable:
    return ProviderUnavailable(
        "the local model for embeddings cannot be loaded",
        hint="check that its files are those of all-MiniLM-L6-v2: model.safetensors and tokenizer.json",
        snippet=reason[:500],
    )
