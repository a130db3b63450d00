"""Embeddings in this process: one execution for each request, recorded and priced, without the vectors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cuewire.engine.app import LocalApp
from cuewire.model.embeddings import MAX_INPUTS, EmbeddingRequest, Embeddings
from cuewire.model.errors import InvalidInput, ModelNotFound, PromptNotFound, RateLimited
from cuewire.model.executions import ExecutionDetail
from cuewire.model.requests import ModelRequest
from cuewire.model.results import Answer
from cuewire.ports import Listener
from cuewire.providers.scripted import Scripted
from cuewire.wiring import connect

SMALL = "openai/text-embedding-3-small"


class OnlyChats:
    """A provider that embeds nothing."""

    async def call(self, request: ModelRequest, *, listener: Listener | None) -> Answer:
        raise NotImplementedError

    async def models(self) -> tuple[str, ...]:
        return ()

    async def close(self) -> None:
        """Do nothing."""


def busy(_request: EmbeddingRequest) -> Embeddings:
    raise RateLimited("slow down", status=429)


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[LocalApp]:
    providers: dict[str, Any] = {
        "openai": Scripted(),
        "slow": Scripted(delay_s=3_600),
        "busy": Scripted(embedding=busy),
        "chats": OnlyChats(),
    }
    opened = await connect(f"sqlite:///{tmp_path}/cue.db", providers=providers)
    yield opened
    await opened.close()


async def newest(app: LocalApp) -> ExecutionDetail:
    (found,) = (await app.executions.list(limit=1)).items
    return await app.executions.get(found.id)


async def test_a_request_is_an_execution_with_its_texts_its_price_and_no_vectors(app: LocalApp) -> None:
    opened: list[str] = []
    embedded = await app.embed(
        ["It crashes on save", "Dark mode"],
        model=SMALL,
        parameters={"dimensions": 4, "user": "u-1"},
        metadata={"team": "search"},
        on_open=opened.append,
    )
    record = await app.executions.get(embedded.result.id)

    assert [len(vector) for vector in embedded.vectors] == [4, 4]
    assert opened == [record.id]
    assert (record.prompt, record.version, record.status, record.model) == ("embeddings", 1, "succeeded", SMALL)
    assert record.inputs == {"input": ["It crashes on save", "Dark mode"]}
    assert (record.text, record.value) == ("2 vectors of 4 dimensions", {"vectors": 2, "dimensions": 4})
    assert (record.input_tokens, record.output_tokens, record.total_tokens) == (6, 0, 6)
    assert record.cost_usd == pytest.approx(6 * 0.02e-6)
    assert record.cost_basis is not None
    assert record.cost_basis.startswith("genai-prices")
    assert record.metadata == {"team": "search"}
    (call,) = record.calls
    assert (call.status, call.model, call.provider_request_id) == ("ok", SMALL, "scripted")


async def test_requests_side_by_side_in_a_new_database_share_one_version(app: LocalApp) -> None:
    embedded = await asyncio.gather(*(app.embed([f"text {number}"], model=SMALL) for number in range(5)))

    assert {each.result.version for each in embedded} == {1}
    assert len(await app.prompts.versions("embeddings")) == 1
    assert (await newest(app)).text == "1 vector of 16 dimensions"


async def test_a_failure_is_recorded_and_raised_with_its_execution(app: LocalApp) -> None:
    with pytest.raises(RateLimited) as caught:
        await app.embed(["a"], model="busy/x")
    record = await app.executions.get(caught.value.execution_id or "")

    assert (record.status, record.error_code, record.cost_usd) == ("failed", "rate_limited", 0.0)
    assert [(call.status, call.http_status) for call in record.calls] == [("failed", 429)]


async def test_a_cancelled_request_is_recorded_so(app: LocalApp) -> None:
    opened = asyncio.Event()
    running = asyncio.create_task(app.embed(["a"], model="slow/x", on_open=lambda _: opened.set()))
    await asyncio.wait_for(opened.wait(), 10)
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait([running])

    assert running.cancelled()
    assert (await newest(app)).status == "cancelled"


async def test_a_provider_without_such_models_says_so(app: LocalApp) -> None:
    with pytest.raises(ModelNotFound, match="has no models for embeddings") as caught:
        await app.embed(["a"], model="chats/x")

    assert caught.value.field == "/model"
    assert (await newest(app)).error_code == "model_not_found"


async def test_where_the_prompt_is_archived_nothing_is_embedded(app: LocalApp) -> None:
    await app.embed(["a"], model=SMALL)
    await app.prompts.archive("embeddings")

    with pytest.raises(PromptNotFound, match="is archived"):
        await app.embed(["a"], model=SMALL)


async def test_a_prompt_of_that_name_that_is_inactive_stays_as_it_is(app: LocalApp) -> None:
    await app.prompts.publish("embeddings", "our own: {{ input }}", status="inactive")

    with pytest.raises(PromptNotFound, match="is inactive"):
        await app.embed(["a"], model=SMALL)

    (version,) = await app.prompts.versions("embeddings")
    assert version.messages[0].content == "our own: {{ input }}"  # type: ignore[union-attr]  # it is a message


@pytest.mark.parametrize(
    ("inputs", "field"),
    [
        ([], "/input"),
        (["a"] * (MAX_INPUTS + 1), "/input"),
        (["a", 1], "/input/1"),
        ([[1, "a"]], "/input/0"),
        ([[True]], "/input/0"),
        ([None], "/input/0"),
        (["a", "b\x00"], "/inputs/input/1"),
    ],
)
async def test_what_cannot_be_embedded_is_refused_with_its_place(app: LocalApp, inputs: list[Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await app.embed(inputs, model=SMALL)

    assert caught.value.field == field


@pytest.mark.parametrize("parameters", [{"dimensions": 0}, {"dimensions": "4"}, {"input": ["b"]}, {"model": "x"}])
async def test_parameters_that_cannot_be_meant_are_refused(app: LocalApp, parameters: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="unusable parameters"):
        await app.embed(["a"], model=SMALL, parameters=parameters)
