"""Vectors for the official client of OpenAI, unchanged, from the real server, on both databases."""

from __future__ import annotations

import asyncio
import base64
from array import array
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import openai
import pytest

import cuewire
from cuewire.config import load
from tests.support import postgres
from tests.support.command_line import CommandLine
from tests.support.embedding_model import EmbeddingModel, vector_of
from tests.support.model_server import Hang, ModelServer
from tests.support.serving import Reply, Serving, serving

MODEL = "openai/text-embedding-3-small"
TEXTS = ["It crashes on save", "Dark mode, please"]
INPUTS: list[tuple[Any, list[Any]]] = [
    ("It crashes", ["It crashes"]),
    (TEXTS, TEXTS),
    ([1, 2, 3], [[1, 2, 3]]),
    ([[1], [2, 3]], [[1], [2, 3]]),
]
"""What a client may give, and what the model gets of it."""
REFUSED: list[tuple[Any, ...]] = [
    ({"input": []}, openai.UnprocessableEntityError, "invalid_input", "input"),
    ({"input": ["a"] * 2_049}, openai.UnprocessableEntityError, "invalid_input", "input"),
    ({"input": ["a", 1]}, openai.UnprocessableEntityError, "invalid_input", "input.1"),
    ({"dimensions": 0}, openai.UnprocessableEntityError, "invalid_input", "dimensions"),
    ({"encoding_format": "hex"}, openai.UnprocessableEntityError, "invalid_input", "encoding_format"),
    ({"model": "nonsense"}, openai.UnprocessableEntityError, "invalid_input", "model"),
    ({"model": "prompt/triage"}, openai.UnprocessableEntityError, "invalid_input", "model"),
    ({"model": "nobody/x"}, openai.NotFoundError, "model_not_found", "model"),
    ({"model": "local/smollm2-135m"}, openai.NotFoundError, "model_not_served", None),
    ({"model": "openai/absent"}, openai.NotFoundError, "model_not_served", None),
]
"""What a client may not ask for, with what it gets to see."""


@pytest.fixture
async def model() -> AsyncIterator[EmbeddingModel]:
    running = EmbeddingModel()
    async with running:
        yield running


@pytest.fixture(params=["sqlite", "postgres"])
async def server(request: pytest.FixtureRequest, tmp_path: Path, model: EmbeddingModel) -> AsyncIterator[Serving]:
    """Serve in front of the model, on each database."""
    environment = {"OPENAI_API_KEY": "sk-canary-77", "OPENAI_BASE_URL": model.url}
    if request.param == "sqlite":
        with serving(CommandLine(tmp_path, environment)) as started:
            yield started
        return
    async with postgres.database() as url:
        with serving(CommandLine(tmp_path, environment | {"CUEWIRE_DATABASE_URL": url})) as started:
            yield started


@pytest.fixture
async def client(server: Serving) -> AsyncIterator[openai.AsyncOpenAI]:
    """Return the client as its manual shows it."""
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key=server.key, max_retries=0) as client:
        yield client


async def ask(server: Serving, body: object, **headers: str) -> Reply:
    return await asyncio.to_thread(server.ask, "POST", "/v1/embeddings", body, **headers)


async def test_every_kind_of_input_has_its_vectors(client: openai.AsyncOpenAI, model: EmbeddingModel) -> None:
    for asked, inputs in INPUTS:
        embedded = await client.embeddings.create(model=MODEL, input=asked)

        assert [each.embedding for each in embedded.data] == [vector_of(item).tolist() for item in inputs]
        assert [each.index for each in embedded.data] == list(range(len(inputs)))
        assert (embedded.object, embedded.model) == ("list", MODEL)
        assert embedded.usage.prompt_tokens == embedded.usage.total_tokens > 0
        assert model.received[-1].json == {
            "model": "text-embedding-3-small",
            "input": inputs,
            "encoding_format": "base64",  # what the client says unless told otherwise
        }


async def test_vectors_come_in_the_encoding_that_was_asked_for(client: openai.AsyncOpenAI, server: Serving) -> None:
    written = await client.embeddings.create(model=MODEL, input=TEXTS, encoding_format="float", dimensions=6)
    raw: Any = await client.embeddings.create(model=MODEL, input=TEXTS, encoding_format="base64", dimensions=6)
    unsaid = await ask(server, {"model": MODEL, "input": TEXTS, "dimensions": 6})

    expected = [vector_of(text, 6).tolist() for text in TEXTS]
    assert [each.embedding for each in written.data] == expected
    assert [array("f", base64.b64decode(each.embedding)).tolist() for each in raw.data] == expected
    assert [each["embedding"] for each in unsaid.json["data"]] == expected


async def test_a_request_is_recorded_and_priced_without_its_vectors(
    client: openai.AsyncOpenAI, server: Serving, tmp_path: Path
) -> None:
    answered = await client.embeddings.with_raw_response.create(
        model=MODEL, input=TEXTS, user="u-1", extra_body={"metadata": {"team": "search"}}
    )
    headers, ours = answered.headers, answered.http_response.json()["cuewire"]
    settings = load(
        environment={"CUEWIRE_DATA_FOLDER": str(tmp_path), "CUEWIRE_SERVER": server.url, "CUEWIRE_TOKEN": server.key},
        folder=tmp_path,
    )
    async with cuewire.open(settings=settings) as app:
        record = await app.executions.get(headers["x-cuewire-execution-id"])

    assert (record.prompt, record.status, record.model) == ("embeddings", "succeeded", MODEL)
    assert record.inputs == {"input": TEXTS}
    assert (record.text, record.value) == ("2 vectors of 4 dimensions", {"vectors": 2, "dimensions": 4})
    assert (record.input_tokens, record.output_tokens) == (7, 0)
    assert record.metadata == {"team": "search"}
    assert record.calls[0].provider_request_id == "req-7"
    assert record.cost_usd == pytest.approx(7 * 0.02e-6)
    assert float(headers["x-cuewire-cost-usd"]) == pytest.approx(record.cost_usd, abs=1e-9)
    assert float(headers["x-cuewire-overhead-ms"]) >= 0
    assert ours == {
        "execution_ids": [record.id],
        "prompt": "embeddings@1",
        "model": MODEL,
        "cost_usd": record.cost_usd,
    }


async def test_errors_are_those_that_the_client_knows(client: openai.AsyncOpenAI) -> None:
    found: list[tuple[Any, ...]] = []
    for asked, *_ in REFUSED:
        with pytest.raises(openai.APIStatusError) as caught:
            await client.embeddings.create(**{"model": MODEL, "input": "a", **asked})
        assert "canary" not in str(caught.value)
        found.append((asked, type(caught.value), caught.value.code, caught.value.param))

    assert found == REFUSED


async def test_a_prompt_that_was_archived_since_is_said_to_be(server: Serving) -> None:
    first = await ask(server, {"model": MODEL, "input": "a"})
    await asyncio.to_thread(server.ask, "DELETE", "/api/v1/prompts/embeddings")

    again = await ask(server, {"model": MODEL, "input": "a"})

    assert (first.status, again.status) == (200, 404)
    assert again.json["error"]["message"].startswith("prompt 'embeddings' is archived")


async def test_a_client_that_leaves_ends_the_call(tmp_path: Path) -> None:
    async with ModelServer() as model:
        model.script([Hang()])
        cue = CommandLine(tmp_path, {"OPENAI_API_KEY": "sk-canary-77", "OPENAI_BASE_URL": model.url})
        with serving(cue) as server:
            async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key=server.key, max_retries=0) as client:
                running = asyncio.create_task(client.embeddings.create(model=MODEL, input="a"))
                await asyncio.wait_for(model.arrived.wait(), 10)
                running.cancel()
                await asyncio.wait_for(model.received[0].hung_up.wait(), 3)

                async with asyncio.timeout(3):
                    while (status := await asyncio.to_thread(_last_status, server)) in ("", "running"):
                        continue
    assert status == "cancelled"


def _last_status(server: Serving) -> str:
    """Return the status of the newest execution, nothing while none is stored."""
    return "".join(item["status"] for item in server.ask("GET", "/api/v1/executions?limit=1").json["items"])
