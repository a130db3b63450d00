"""The official client of OpenAI, unchanged, against the real server: that is how teams come to it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionChunk

from tests.support.command_line import CommandLine
from tests.support.model_server import DONE, Action, Close, Hang, ModelServer, Until, Wait, delta, plain, stream
from tests.support.serving import Serving, serving

BEGUN = stream(delta("It is "))[:-1]
LOOK: Any = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Serve a prompt on a model that repeats it."""
    with serving(CommandLine(tmp_path_factory.mktemp("echo"))) as server:
        server.publish("triage", "Bug or idea? {{ text }}", model="scripted/echo")
        yield server


@pytest.fixture
def client(echo: Serving) -> Iterator[openai.OpenAI]:
    """Return the client as its manual shows it."""
    with openai.OpenAI(base_url=f"{echo.url}/v1", api_key=echo.key, max_retries=0) as client:
        yield client


@asynccontextmanager
async def upstream(
    folder: Path, *scripts: list[Action]
) -> AsyncIterator[tuple[ModelServer, Serving, openai.AsyncOpenAI]]:
    """Serve in front of a scripted model server, and return both with a client."""
    async with ModelServer() as model:
        model.script(*scripts)
        cue = CommandLine(folder, {"OPENAI_API_KEY": "sk-canary-77", "OPENAI_BASE_URL": model.url})
        with serving(cue) as server:
            async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key=server.key, max_retries=0) as client:
                yield model, server, client


def answer(**message: Any) -> list[Action]:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}
    return plain({"id": "c-1", "choices": [choice], "usage": {"prompt_tokens": 5, "completion_tokens": 2}})


def test_a_stored_prompt_answers_by_its_name(client: openai.OpenAI, echo: Serving) -> None:
    completion = client.chat.completions.create(
        model="prompt/triage@production", messages=[], extra_body={"inputs": {"text": "It crashes"}}
    )

    assert completion.choices[0].message.content == "Bug or idea? It crashes"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is not None
    assert completion.usage.total_tokens > 0
    recorded = echo.ask("GET", f"/api/v1/executions/{completion.id}").json
    assert (recorded["prompt"], recorded["status"]) == ("triage", "succeeded")


def test_a_stored_prompt_streams(client: openai.OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(
            model="prompt/triage",
            messages=[],
            stream=True,
            stream_options={"include_usage": True},
            extra_body={"inputs": {"text": "It crashes"}},
        )
    )

    texts = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(texts) == "Bug or idea? It crashes"
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage is not None
    assert len({chunk.id for chunk in chunks}) == 1


def test_a_model_answers_messages_that_no_prompt_stores(client: openai.OpenAI, echo: Serving) -> None:
    completion = client.chat.completions.create(
        model="scripted/echo",
        messages=[{"role": "system", "content": "be short"}, {"role": "user", "content": "hello"}],
        temperature=0.5,
        metadata={"user": "7"},
    )

    assert completion.choices[0].message.content == "hello"
    recorded = echo.ask("GET", f"/api/v1/executions/{completion.id}").json
    assert (recorded["prompt"], recorded["metadata"]) == ("adhoc", {"user": "7"})
    assert [message["role"] for message in recorded["messages"]] == ["system", "user"]


def test_many_choices_are_many_executions(client: openai.OpenAI, echo: Serving) -> None:
    completion = client.chat.completions.create(
        model="scripted/echo", messages=[{"role": "user", "content": "one of three"}], n=3
    )

    assert [choice.index for choice in completion.choices] == [0, 1, 2]
    recorded = echo.ask("GET", "/api/v1/executions?prompt=adhoc&limit=3").json["items"]
    assert len({item["id"] for item in recorded}) == 3


def test_the_prompts_are_listed_as_models(client: openai.OpenAI) -> None:
    names = [model.id for model in client.models.list()]

    assert {"prompt/triage", "prompt/triage@production", "prompt/triage@latest"} <= set(names)


@pytest.mark.parametrize("name", ["prompt/triage", "prompt/triage@production", "prompt/triage@1"])
def test_a_prompt_is_looked_up_as_a_model(client: openai.OpenAI, echo: Serving, name: str) -> None:
    assert client.models.retrieve(name).id == name
    assert echo.ask("GET", f"/v1/models/{name}").json["id"] == name  # the slash as it is


@pytest.mark.parametrize("name", ["prompt/absent", "prompt/triage@absent", "openai/gpt-4o-mini", "nonsense"])
def test_what_is_no_stored_prompt_is_not_found_as_a_model(client: openai.OpenAI, name: str) -> None:
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve(name)


@pytest.mark.parametrize(
    ("asked", "kind", "code", "param"),
    [
        ({"model": "prompt/absent"}, openai.NotFoundError, "prompt_not_found", None),
        ({"model": "prompt/triage"}, openai.UnprocessableEntityError, "invalid_input", "inputs.text"),
        ({"model": "scripted/echo", "temperature": 9}, openai.UnprocessableEntityError, "invalid_input", None),
        ({"model": "nonsense"}, openai.UnprocessableEntityError, "invalid_input", "model"),
    ],
)
def test_errors_are_those_that_the_client_knows(
    client: openai.OpenAI, asked: dict[str, Any], kind: type[openai.APIStatusError], code: str, param: str | None
) -> None:
    messages: Any = (
        [{"role": "user", "content": "x"}] if "/" not in asked["model"][:8] or "echo" in asked["model"] else []
    )

    with pytest.raises(kind) as caught:
        client.chat.completions.create(messages=messages, **asked)

    assert caught.value.code == code
    assert param is None or caught.value.param == param


def test_what_is_not_served_of_the_protocol_says_what_is(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="/v1/chat/completions"):
        client.responses.create(model="prompt/triage", input="x")


def test_a_wrong_key_is_an_authentication_error(echo: Serving) -> None:
    stranger = openai.OpenAI(base_url=f"{echo.url}/v1", api_key="cw_wrong", max_retries=0)

    with pytest.raises(openai.AuthenticationError):
        stranger.models.list()
    stranger.close()


async def test_tools_and_schemas_go_through_to_the_model(tmp_path: Path) -> None:
    call = {"id": "t-1", "type": "function", "function": {"name": "look", "arguments": '{"at": 1}'}}
    schema: Any = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}
    async with upstream(tmp_path, answer(content=None, tool_calls=[call])) as (model, _, client):
        completion = await client.chat.completions.create(
            model="openai/gpt-4o-mini",
            messages=[{"role": "user", "content": "look"}],
            tools=[LOOK],
            response_format=schema,
        )
        sent = model.received[0].json

    assert sent["tools"] == [LOOK]
    assert sent["response_format"] == schema
    calls = completion.choices[0].message.tool_calls
    assert calls is not None
    assert [each.model_dump() for each in calls] == [call]


async def test_an_error_in_the_middle_of_a_stream_is_told(tmp_path: Path) -> None:
    async with upstream(tmp_path, [*BEGUN, Close()]) as (_, _, client):
        chunks: list[ChatCompletionChunk] = []
        asked = await client.chat.completions.create(
            model="openai/gpt-4o-mini", messages=[{"role": "user", "content": "x"}], stream=True, timeout=20
        )
        reading = asyncio.create_task(_read(asked, chunks))
        with pytest.raises(openai.APIError, match="broke off"):
            await reading

    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "It is "


@pytest.mark.parametrize("is_streamed", [False, True])
async def test_a_client_that_leaves_ends_the_call(tmp_path: Path, is_streamed: bool) -> None:
    script: list[Action] = [*BEGUN, Hang()] if is_streamed else [Hang()]
    async with upstream(tmp_path, script) as (model, server, client):
        asked: Any = client.chat.completions.create(
            model="openai/gpt-4o-mini", messages=[{"role": "user", "content": "x"}], stream=is_streamed
        )
        running = asyncio.create_task(_first(asked) if is_streamed else asked)
        await asyncio.wait_for(model.arrived.wait(), 10)
        if is_streamed:
            answered = await asyncio.wait_for(running, 10)
            await answered.close()
        else:
            running.cancel()
        await asyncio.wait_for(model.received[0].hung_up.wait(), 3)

        async with asyncio.timeout(3):
            while (status := await asyncio.to_thread(_last_status, server)) in ("", "running"):
                continue
    assert status == "cancelled"


async def test_a_stream_that_runs_when_the_server_ends_comes_to_its_end(tmp_path: Path) -> None:
    go_on = asyncio.Event()
    script: list[Action] = [
        *BEGUN,
        Until(go_on),
        Wait(6),
        *stream(delta("a bug"), delta(finish_reason="stop"), DONE)[1:],
    ]
    async with upstream(tmp_path, script) as (_, server, client):
        asked = await client.chat.completions.create(
            model="openai/gpt-4o-mini", messages=[{"role": "user", "content": "x"}], stream=True
        )
        chunks: list[ChatCompletionChunk] = []
        chunks.append(await anext(aiter(asked)))
        server.process.send_signal(signal.SIGTERM)
        go_on.set()
        await _read(asked, chunks)

        assert await asyncio.to_thread(server.process.wait, 20) == 0
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "It is a bug"


async def test_an_execution_of_a_chat_can_be_cancelled_by_its_id(tmp_path: Path) -> None:
    async with upstream(tmp_path, [*BEGUN, Hang()]) as (model, server, client):
        asked = await client.chat.completions.create(
            model="openai/gpt-4o-mini", messages=[{"role": "user", "content": "x"}], stream=True
        )
        first = await anext(aiter(asked))
        cancelled = await asyncio.to_thread(server.ask, "POST", f"/api/v1/executions/{first.id}/cancel")
        with pytest.raises(openai.APIError, match="cancelled"):
            await _read(asked, [])
        await asyncio.wait_for(model.received[0].hung_up.wait(), 3)

    assert cancelled.json["status"] == "cancelled"


def _last_status(server: Serving) -> str:
    """Return the status of the newest execution, nothing while none is stored."""
    listed = server.ask("GET", "/api/v1/executions?limit=1").json["items"]
    return "".join(item["status"] for item in listed)


async def _read(chunks: Any, into: list[ChatCompletionChunk]) -> None:
    async for chunk in chunks:
        into.append(chunk)


async def _first(asked: Any) -> Any:
    chunks = await asked
    async for chunk in chunks:
        if chunk.choices[0].delta.content:
            break
    return chunks
