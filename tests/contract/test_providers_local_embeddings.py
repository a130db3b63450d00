"""The local model for embeddings, really run, under the contract of what embeds."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import pytest_asyncio

from cuewire.clock import SystemClock
from cuewire.model.errors import (
    ConfigError,
    ContextLengthExceeded,
    InvalidInput,
    MissingExtra,
    ModelNotServed,
    ProviderUnavailable,
    RequestRejected,
)
from cuewire.ports import Embedder
from cuewire.providers.local import Local
from cuewire.providers.local_embeddings import DIMENSIONS, LIBRARIES, MODEL
from cuewire.providers.local_embeddings_files import TOKENIZER, WEIGHTS, EmbeddingFiles, find_files
from tests.contract.test_embedder import EmbedderContract, request
from tests.contract.test_provider import WITHIN_S
from tests.contract.test_provider import request as chat
from tests.support.embedding_weights import ensure_weights

pytestmark = pytest.mark.asyncio(loop_scope="module")

LONG = tuple(f"{'word ' * 200}{number}" for number in range(2_048))
"""Minutes of work."""


def open_local(folder: Path, path: Path | None = None) -> Local:
    return Local(model_path=None, embeddings_path=path, data_folder=folder, clock=SystemClock())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def folder(pytestconfig: pytest.Config) -> Path:
    """The data folder."""
    return await ensure_weights(pytestconfig)


@pytest.fixture(scope="module")
def files(folder: Path) -> EmbeddingFiles:
    """The model's files."""
    return find_files(None, folder)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def local(folder: Path) -> AsyncIterator[Local]:
    """The provider, with its model loaded once."""
    provider = open_local(folder)
    yield provider
    await provider.close()


class TestLocalEmbeddings(EmbedderContract):
    """The contract; the model has one length of vectors."""

    model = MODEL
    dimensions = DIMENSIONS
    provider: Local
    files: EmbeddingFiles

    @pytest.fixture(autouse=True)
    def _take(self, local: Local, files: EmbeddingFiles) -> None:
        self.provider, self.files = local, files

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[Embedder]:
        yield self.provider

    @asynccontextmanager
    async def failing(self) -> AsyncIterator[tuple[Embedder, str]]:
        broken = open_local(Path(), self.files.tokenizer)  # a file, but no weights
        yield broken, "provider_unavailable"
        await broken.close()

    async def test_cancelled_call_is_given_up_upstream(self) -> None:
        long = asyncio.create_task(self.provider.embed(self.request(*LONG)))
        await self.provider.embed(self.request("it is under way when another one has had a turn"))
        assert not long.done()

        long.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.wait_for(long, WITHIN_S)

        # What is still to be done is at most one pass, or closing would wait for minutes.
        await asyncio.wait_for(self.provider.close(), WITHIN_S)


async def test_twenty_calls_at_once_get_the_vectors_of_their_own_texts(local: Local) -> None:
    texts = [f"ticket {number}: {'it crashes ' * number}" for number in range(20)]
    alone = [(await local.embed(request(text, model=MODEL))).vectors for text in texts]
    together = await asyncio.gather(*(local.embed(request(text, model=MODEL)) for text in texts))

    assert [each.vectors for each in together] == alone
    assert len({vector.tobytes() for (vector,) in alone}) == 20
    assert len({each.request_id for each in together}) == 20


async def test_a_short_call_does_not_wait_for_the_end_of_a_long_one(local: Local) -> None:
    long = asyncio.create_task(local.embed(request(*LONG, model=MODEL)))
    await local.embed(request("a", model=MODEL))

    assert not long.done()
    long.cancel()
    await asyncio.wait([long])


async def test_the_loop_goes_on_while_the_model_computes(local: Local) -> None:
    computing = asyncio.create_task(local.embed(request(*LONG[:4], model=MODEL)))
    turns = 0
    while not computing.done():
        await asyncio.sleep(0)
        turns += 1

    assert turns > 100


async def test_tokens_are_counted_without_the_special_ones(local: Local) -> None:
    usage = (await local.embed(request("It crashes on save", "", "Dark mode, please", model=MODEL))).usage

    assert usage.input_tokens == 4 + 0 + 4


async def test_tokens_give_the_vector_of_their_text(local: Local) -> None:
    crashes = [2009, 19119, 2006, 3828]  # it crashes on save
    as_text, as_tokens = (await local.embed(request("It crashes on save", crashes, model=MODEL))).vectors

    assert as_text == as_tokens


async def test_text_of_the_most_tokens_is_embedded_and_one_more_is_refused(local: Local) -> None:
    assert (await local.embed(request("word " * 254, model=MODEL))).usage.input_tokens == 254

    too_long = [("word " * 255, "255 tokens"), ([1] * 255, "255 tokens"), (" " * 70_000, "70,000 characters")]
    for text, found in too_long:
        with pytest.raises(ContextLengthExceeded, match=f"input 10 has {found}, and the model takes at most"):
            await local.embed(request(*"abcdefghij", text, model=MODEL))


@pytest.mark.parametrize("wrong", [[30_522], [5, -1], "\ud83d"])
async def test_input_that_is_neither_text_nor_known_tokens_is_refused(local: Local, wrong: object) -> None:
    with pytest.raises(RequestRejected, match="input 1"):
        await local.embed(request("a", wrong, model=MODEL))


@pytest.mark.parametrize(
    ("name", "value"), [("dimensions", 256), ("dimensions", "384"), ("truncate", True), ("input_type", "query")]
)
async def test_parameter_that_cannot_be_followed_is_refused_by_its_name(local: Local, name: str, value: object) -> None:
    with pytest.raises(InvalidInput, match=f"parameter '{name}'") as caught:
        await local.embed(request("a", model=MODEL, **{name: value}))

    assert caught.value.field == f"/parameters/{name}"


async def test_parameters_that_change_no_vector_are_taken(local: Local) -> None:
    plain = await local.embed(request("a", model=MODEL))
    said = await local.embed(request("a", model=MODEL, user="u-1", encoding_format="base64", dimensions=None))

    assert said.vectors == plain.vectors


async def test_each_model_does_what_it_is_for(local: Local) -> None:
    with pytest.raises(ModelNotServed, match="does not turn texts into vectors; name local/all-minilm-l6-v2"):
        await local.embed(request("a", model="smollm2-135m"))
    with pytest.raises(ModelNotServed, match="does not chat; name local/smollm2-135m"):
        await local.call(chat(model=MODEL), listener=None)


async def test_closed_provider_gives_up_what_runs_and_works_again_when_asked(folder: Path) -> None:
    provider = open_local(folder)
    running = [asyncio.create_task(provider.embed(request(*LONG, model=MODEL))) for _ in range(3)]
    await provider.embed(request("a", model=MODEL))
    await asyncio.wait_for(provider.close(), WITHIN_S)

    for task in running:
        with pytest.raises(ProviderUnavailable, match="was closed during the call"):
            await asyncio.wait_for(task, WITHIN_S)
    assert (await provider.embed(request("a", model=MODEL))).dimensions == DIMENSIONS
    await provider.close()


async def test_own_files_are_used_as_a_folder_or_by_the_name_of_the_weights(
    files: EmbeddingFiles, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.safetensors"
    for path, target in ((mine, files.weights), (tmp_path / WEIGHTS, mine), (tmp_path / TOKENIZER, files.tokenizer)):
        path.symlink_to(target)

    for path, weights in ((mine, mine), (tmp_path, tmp_path / WEIGHTS)):
        assert find_files(path, Path()) == EmbeddingFiles(weights=weights, tokenizer=tmp_path / TOKENIZER)


async def test_own_files_that_are_absent_are_named(files: EmbeddingFiles, tmp_path: Path) -> None:
    (tmp_path / WEIGHTS).symlink_to(files.weights)

    for path, missing in ((tmp_path / "absent", "absent"), (tmp_path, TOKENIZER)):
        with pytest.raises(ConfigError, match=f"{missing}' is not a file") as caught:
            find_files(path, tmp_path)
        assert caught.value.field == "local_embeddings"


async def test_files_of_another_model_are_refused(files: EmbeddingFiles, tmp_path: Path) -> None:
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece

    (tmp_path / "words").mkdir()
    (tmp_path / "words" / WEIGHTS).symlink_to(files.weights)
    Tokenizer(WordPiece({"[UNK]": 0, "a": 1}, unk_token="[UNK]")).save(str(tmp_path / "words" / TOKENIZER))
    (tmp_path / "numbers").mkdir()
    save_file({}, tmp_path / "numbers" / WEIGHTS)
    shutil.copyfile(files.tokenizer, tmp_path / "numbers" / TOKENIZER)

    for name, reason in (("words", "another vocabulary"), ("numbers", "tensor 'embeddings.word_embeddings.weight'")):
        provider = open_local(tmp_path, tmp_path / name)
        with pytest.raises(ProviderUnavailable, match="cannot be loaded; check that its files are") as caught:
            await provider.embed(request("a", model=MODEL))
        assert reason in caught.value.snippet
        await provider.close()


async def test_model_that_is_nowhere_names_the_command_that_fetches_it(files: EmbeddingFiles, tmp_path: Path) -> None:
    with pytest.raises(MissingExtra, match=r"84 MB.*cuewire models pull embeddings"):
        find_files(None, tmp_path, package="cuewire_has_no_such_package")

    pulled = tmp_path / "all-minilm-l6-v2"
    pulled.mkdir()
    (pulled / WEIGHTS).symlink_to(files.weights)
    (pulled / TOKENIZER).symlink_to(files.tokenizer)
    assert find_files(None, tmp_path, package="cuewire_has_no_such_package").weights == pulled / WEIGHTS


@pytest.mark.parametrize("library", LIBRARIES)
async def test_without_a_library_the_install_line_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    provider = open_local(folder)
    monkeypatch.setitem(sys.modules, library, None)  # to Python it is not installed then

    with pytest.raises(MissingExtra, match=r"pip install 'cuewire\[vectors\]'"):
        await provider.embed(request("a", model=MODEL))
    assert MODEL not in await provider.models()
    await provider.close()


async def test_a_program_that_embeds_nothing_loads_no_library() -> None:
    probe = "import sys, cuewire.wiring, cuewire.providers.local; print(*sys.modules, sep='\\n')"
    loaded = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", probe], capture_output=True, text=True, check=True, env=dict(os.environ)
    )

    assert {*LIBRARIES} & {*loaded.stdout.splitlines()} == set()
    assert "cuewire.providers.local_embeddings" in loaded.stdout.splitlines()
