"""The vectors are those of the model: as sentence-transformers computes them with torch (tests/data/embeddings)."""

from __future__ import annotations

import base64
import hashlib
import random

import msgspec
import numpy as np
import pytest
import pytest_asyncio

from cuewire.providers.local_embeddings_files import FILES, WEIGHTS, EmbeddingFiles, find_files
from cuewire.providers.local_encoder import Encoder, Pieces
from tests.ratchets.sources import ROOT
from tests.support.embedding_weights import ensure_weights

pytestmark = pytest.mark.asyncio(loop_scope="module")

REFERENCE = msgspec.json.decode((ROOT / "tests/data/embeddings/all-minilm-l6-v2.json").read_bytes())
TEXTS = [each["text"] for each in REFERENCE["texts"]]
VECTORS = np.array([np.frombuffer(base64.b64decode(each["vector"]), "<f4") for each in REFERENCE["texts"]])
CLOSE = 5e-6
"""How far a number may be from the reference: some last bits of 32. The nearest mistake known (the usual approximation
of the activation by tanh) is a hundred times as far away."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def files(pytestconfig: pytest.Config) -> EmbeddingFiles:
    """The model's files."""
    return find_files(None, await ensure_weights(pytestconfig))


@pytest.fixture(scope="module")
def encoder(files: EmbeddingFiles) -> Encoder:
    """The model, loaded once."""
    return Encoder(files)


@pytest.fixture(scope="module")
def pieces(encoder: Encoder) -> list[Pieces]:
    """The word pieces of the texts."""
    return encoder.pieces(TEXTS, first=0)


def in_one_pass(encoder: Encoder, pieces: list[Pieces]) -> np.ndarray:
    return np.array(encoder.vectors(pieces))


async def test_reference_is_of_the_weights_that_are_pinned(files: EmbeddingFiles) -> None:
    with files.weights.open("rb") as weights:
        assert hashlib.file_digest(weights, "sha256").hexdigest() == REFERENCE["weights_sha256"] == FILES.files[WEIGHTS]


async def test_texts_of_all_kinds_are_split_as_the_reference_splits_them(pieces: list[Pieces]) -> None:
    assert [len(each) for each in pieces] == [each["tokens"] for each in REFERENCE["texts"]]


@pytest.mark.parametrize("place", range(len(TEXTS)), ids=lambda place: ascii(TEXTS[place][:24]))
async def test_vector_is_that_of_the_reference(encoder: Encoder, pieces: list[Pieces], place: int) -> None:
    (vector,) = in_one_pass(encoder, [pieces[place]])

    assert vector.dtype == np.float32
    assert np.abs(vector - VECTORS[place]).max() < CLOSE
    assert abs(np.linalg.norm(vector) - 1) < CLOSE


async def test_texts_of_all_lengths_in_one_pass_have_the_same_vectors_as_alone(
    encoder: Encoder, pieces: list[Pieces]
) -> None:
    assert np.abs(in_one_pass(encoder, pieces) - VECTORS).max() < CLOSE


async def test_order_in_a_pass_changes_nothing(encoder: Encoder, pieces: list[Pieces]) -> None:
    order = list(range(len(TEXTS))) * 2
    random.Random(7).shuffle(order)

    assert np.abs(in_one_pass(encoder, [pieces[place] for place in order]) - VECTORS[order]).max() < CLOSE


async def test_what_means_the_same_is_near_and_what_does_not_is_not(encoder: Encoder, pieces: list[Pieces]) -> None:
    crashes, also_crashes, dark_mode, password, also_password = in_one_pass(encoder, pieces[:5])

    assert crashes @ also_crashes > 0.8
    assert password @ also_password > 0.75
    assert max(crashes @ dark_mode, crashes @ password, dark_mode @ also_password) < 0.25
