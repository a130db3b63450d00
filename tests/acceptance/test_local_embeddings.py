"""Vectors of the model on this machine, for a client of OpenAI and on the command line: no network and no key."""

from __future__ import annotations

import asyncio
import base64
import os
from array import array
from collections.abc import AsyncIterator
from operator import mul
from pathlib import Path
from typing import Any

import openai
import pytest

import cuewire
from cuewire.config import load
from cuewire.providers.local_embeddings_files import FOLDER, TOKENIZER, WEIGHTS, EmbeddingFiles, find_files
from tests.support.command_line import CommandLine
from tests.support.embedding_weights import ensure_weights
from tests.support.serving import Serving, serving

MODEL = "local/all-minilm-l6-v2"
TEXTS = ["How do I reset my password?", "I forgot my password, what now?", "The soup is too salty"]
REFUSED: list[tuple[dict[str, Any], type[openai.APIStatusError], str, str | None]] = [
    ({"input": "word " * 255}, openai.UnprocessableEntityError, "context_length_exceeded", None),
    ({"input": [[1, 30_522]]}, openai.UnprocessableEntityError, "request_rejected", None),
    ({"dimensions": 256}, openai.UnprocessableEntityError, "invalid_input", "dimensions"),
    ({"model": "local/absent"}, openai.NotFoundError, "model_not_served", None),
]
"""What a client may not ask for, with what it gets to see."""


@pytest.fixture
async def files(pytestconfig: pytest.Config) -> EmbeddingFiles:
    """The model's files."""
    return find_files(None, await ensure_weights(pytestconfig))


@pytest.fixture
def cue(files: EmbeddingFiles, tmp_path: Path) -> CommandLine:
    """Return the command line of somebody without a key or a network, whose own files those of the model are."""
    nowhere = dict.fromkeys(["HTTPS_PROXY", "http_proxy"], "http://127.0.0.1:9")
    return CommandLine(tmp_path, {"CUEWIRE_LOCAL_EMBEDDINGS": str(files.weights.parent), **nowhere})


@pytest.fixture
async def server(cue: CommandLine) -> AsyncIterator[Serving]:
    with serving(cue) as started:
        yield started


@pytest.fixture
async def client(server: Serving) -> AsyncIterator[openai.AsyncOpenAI]:
    """Return the client as its manual shows it."""
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key=server.key, max_retries=0) as client:
        yield client


async def test_a_client_of_openai_finds_what_means_the_same(client: openai.AsyncOpenAI) -> None:
    embedded = await client.embeddings.create(model=MODEL, input=TEXTS)
    raw: Any = await client.embeddings.create(model=MODEL, input=TEXTS, encoding_format="base64", dimensions=384)

    question, also, soup = (each.embedding for each in embedded.data)
    assert [array("f", base64.b64decode(each.embedding)).tolist() for each in raw.data] == [question, also, soup]
    assert {len(each.embedding) for each in embedded.data} == {384}
    assert sum(map(mul, question, also)) > 0.7
    assert sum(map(mul, question, soup)) < 0.2
    assert (embedded.model, embedded.usage.prompt_tokens) == (MODEL, 20)


async def test_a_request_is_recorded_and_costs_nothing(client: openai.AsyncOpenAI, server: Serving) -> None:
    answered = await client.embeddings.with_raw_response.create(model=MODEL, input=TEXTS)
    settings = load(environment={"CUEWIRE_SERVER": server.url, "CUEWIRE_TOKEN": server.key}, folder=Path(os.devnull))
    async with cuewire.open(settings=settings) as app:
        record = await app.executions.get(answered.headers["x-cuewire-execution-id"])

    assert (record.status, record.model, record.text) == ("succeeded", MODEL, "3 vectors of 384 dimensions")
    assert (record.input_tokens, record.output_tokens, record.cost_usd) == (20, 0, 0.0)
    assert record.calls[0].provider_request_id == "local-1"


async def test_requests_side_by_side_each_get_their_own(client: openai.AsyncOpenAI) -> None:
    texts = [f"ticket {number}" for number in range(20)]
    together = await asyncio.gather(*(client.embeddings.create(model=MODEL, input=text) for text in texts))
    in_turn = [(await client.embeddings.create(model=MODEL, input=text)).data for text in texts[::5]]

    assert [each.data for each in together[::5]] == in_turn


async def test_what_the_model_cannot_do_is_an_error_that_the_client_knows(client: openai.AsyncOpenAI) -> None:
    found: list[tuple[Any, ...]] = []
    for asked, *_ in REFUSED:
        with pytest.raises(openai.APIStatusError) as caught:
            await client.embeddings.create(**{"model": MODEL, "input": "a", **asked})
        found.append((asked, type(caught.value), caught.value.code, caught.value.param))

    assert found == REFUSED


async def test_the_command_line_lists_and_examines_the_model(cue: CommandLine, files: EmbeddingFiles) -> None:
    listed = await cue("models", "list", "local", "--json")
    doctor = await cue("doctor", "--json")

    assert MODEL in listed.json["items"]
    (finding,) = (item for item in doctor.json["items"] if item["name"] == "local embeddings")
    assert (finding["state"], finding["what"]) == ("ok", str(files.weights))


async def test_settings_that_name_no_model_are_a_fault_that_doctor_explains(cue: CommandLine) -> None:
    cue.environment["CUEWIRE_LOCAL_EMBEDDINGS"] = "nowhere"

    doctor = await cue("doctor", "--json")

    (finding,) = (item for item in doctor.json["items"] if item["name"] == "local embeddings")
    assert (doctor.code, finding["state"]) == (1, "fault")
    assert "'nowhere/" in finding["what"] or "'nowhere'" in finding["what"]
    assert finding["advice"] == "name a folder with model.safetensors and tokenizer.json"


async def test_pull_of_what_is_there_needs_no_network(cue: CommandLine, files: EmbeddingFiles) -> None:
    folder = cue.folder / FOLDER
    folder.mkdir()
    (folder / WEIGHTS).symlink_to(files.weights)
    (folder / TOKENIZER).symlink_to(files.tokenizer)
    cue.environment |= {"CUEWIRE_LOCAL_EMBEDDINGS": str(folder), "PIP_NO_INDEX": "1"}

    pulled = await cue("models", "pull", "embeddings", "--json")

    assert pulled.json == {"path": str(folder / WEIGHTS)}
    assert sorted(os.listdir(folder)) == sorted([WEIGHTS, TOKENIZER])
