"""`POST /api`: whatever its body names is done, on a real server that calls a real model server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import msgspec
import pytest

from tests.support.command_line import CommandLine
from tests.support.model_server import ModelServer, completion, plain
from tests.support.serving import Reply, Serving, serving

KEY = "sk-canary-77ab10"
Asking: TypeAlias = Callable[..., Awaitable[Reply]]
ENDPOINTS = (
    "execute_multi_model_prompt, execute_prompt, generate_prompt, get_available_models, get_execution, health, "
    "test_openrouter_connection"
)


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    """Run a scripted model server."""
    async with ModelServer() as running:
        yield running


@pytest.fixture
async def cuewire(model: ModelServer, tmp_path: Path) -> AsyncIterator[Serving]:
    """Serve a database with one prompt, with the model server as OpenRouter."""
    environment = {
        "CUEWIRE_PROVIDERS__OPENROUTER__BASE_URL": model.url,
        "CUEWIRE_PROVIDERS__OPENROUTER__KEY": "env:OPENROUTER_API_KEY",
        "OPENROUTER_API_KEY": KEY,
    }
    with serving(CommandLine(tmp_path, environment)) as running:
        running.publish("triage", "Bug or idea? {{ text }}", model="scripted/echo")
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Serve a database with one prompt, without a provider."""
    with serving(CommandLine(tmp_path_factory.mktemp("dispatch"))) as running:
        running.publish("triage", "Bug or idea? {{ text }}", model="scripted/echo")
        yield running


@pytest.fixture
def ask(cuewire: Serving) -> Asking:
    """Return what sends a body to the one entry."""

    async def asking(endpoint: object, **body: object) -> Reply:
        return await asyncio.to_thread(cuewire.ask, "POST", "/api", {"endpoint": endpoint, **body})

    return asking


def models(*names: str) -> bytes:
    """Return what a provider says of its models."""
    return msgspec.json.encode({"object": "list", "data": [{"id": name, "object": "model"} for name in names]})


@pytest.mark.contract("S0-01")
async def test_one_entry_dispatches_by_the_name_of_the_endpoint(ask: Asking) -> None:
    run = await ask("execute_prompt", prompt="triage", inputs={"text": "x"}, metadata={"user": "u1"})
    found = await ask("get_execution", id=run.json["id"])
    health = await ask("health")
    unknown = await ask("format_disk")

    assert (run.status, run.json["value"]) == (200, "Bug or idea? x")
    assert run.headers["x-cuewire-execution-id"] == run.json["id"]
    assert (found.json["id"], found.json["metadata"]) == (run.json["id"], {"user": "u1"})
    assert health.json == {"status": "ok"}
    assert (unknown.status, unknown.json["field"], unknown.json["hint"]) == (404, "/endpoint", ENDPOINTS)


@pytest.mark.contract("S0-01")
async def test_the_same_prompt_streams_through_the_one_entry(ask: Asking) -> None:
    reply = await ask("execute_prompt", prompt="triage", inputs={"text": "x"}, stream=True)

    assert reply.headers["content-type"] == "text/event-stream"
    assert b"event: result" in reply.body


@pytest.mark.contract("S0-01")
async def test_models_are_listed_of_one_provider_or_of_all_that_are_set_up(ask: Asking, model: ModelServer) -> None:
    model.script(plain(models("meta/llama", "openai/gpt-4o-mini")))

    one = await ask("get_available_models", provider="openrouter")
    every = await ask("get_available_models")
    unknown = await ask("get_available_models", provider="nobody")

    listed = ["openrouter/meta/llama", "openrouter/openai/gpt-4o-mini"]
    assert one.json == {"models": listed, "faults": {}}
    assert set(every.json["models"]) >= {*listed, "scripted/echo"}
    assert "openai" not in every.json["faults"]  # it has no key here, so nobody asked it
    assert (unknown.status, unknown.json["code"]) == (404, "model_not_found")
    assert [received.path for received in model.received] == ["/v1/models"] * 2
    assert model.received[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.contract("S0-01")
async def test_the_connection_to_openrouter_is_tested_free_of_charge(ask: Asking, model: ModelServer) -> None:
    model.script(plain(models("meta/llama")), plain(b'{"error": {"message": "no such key sk-secret"}}', 401))

    good = await ask("test_openrouter_connection")
    refused = await ask("test_openrouter_connection")

    assert good.json == {"status": "success", "models": 1}
    assert (refused.status, refused.json["status"]) == (200, "error")
    assert refused.json["fault"]["code"] == "authentication_failed"
    assert b"sk-" not in refused.body
    assert {received.method for received in model.received} == {"GET"}


@pytest.mark.contract("S0-01")
async def test_a_prompt_is_written_by_a_model_and_can_be_published_as_it_came(
    ask: Asking, cuewire: Serving, model: ModelServer
) -> None:
    written = {"title": "Triage", "description": "Sorts tickets", "prompt": "Sort this for {{ team }}: {{ ticket }}"}
    model.script(plain(completion(msgspec.json.encode(written).decode())))

    reply = await ask(
        "generate_prompt",
        purpose="sort {{ tickets }}",
        model="openrouter/meta/llama",
        industry="software",
        audience="support",
        variables=["team", "ticket"],
        tone="brisk",
        uses_context=True,
    )
    again = await ask("generate_prompt", purpose="sort", model="openrouter/meta/llama")

    made = reply.json
    assert (made["title"], made["content"], list(made["variables"])) == (
        "Triage",
        written["prompt"],
        ["team", "ticket"],
    )
    system, user = model.received[0].json["messages"]
    assert "{{ text }}" in system["content"]
    for said in ("sort {{ tickets }}", "Industry: software", "Readers: support", "team, ticket", "brisk", "`context`"):
        assert said in user["content"]
    assert "Length" not in user["content"]
    assert again.status == 200
    record = await ask("get_execution", id=made["execution_id"])
    assert (record.json["prompt"], record.json["status"]) == ("generate-prompt", "succeeded")
    published = await asyncio.to_thread(cuewire.publish, "sorting", made["content"], model="scripted/echo")
    assert list(published.json["version"]["variables"]) == ["team", "ticket"]


@pytest.mark.parametrize("template", ["", "{{ team", 7, "{% include 'Not A Name' %}", "a\x00b"])
async def test_a_prompt_that_could_not_be_published_is_an_error_with_the_answer(
    ask: Asking, model: ModelServer, template: object
) -> None:
    answer = msgspec.json.encode({"title": "", "description": "", "prompt": template}).decode()
    model.script(plain(completion(answer)))

    reply = await ask("generate_prompt", purpose="sort", model="openrouter/meta/llama")

    assert (reply.status, reply.json["code"], reply.json["text"]) == (502, "output_invalid", answer)
    assert (await ask("get_execution", id=reply.json["execution_id"])).status == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"endpoint": "execute_prompt"}, ""),
        ({"endpoint": "execute_prompt", "prompt": "triage", "temprature": 1}, ""),
        ({"endpoint": "execute_prompt", "prompt": "triage", "linger_s": 99}, "/linger_s"),
        ({"endpoint": "get_execution", "id": 7}, "/id"),
        ({"endpoint": "get_available_models", "provider": ["openrouter"]}, "/provider"),
        ({"endpoint": "get_available_models", "base_url": "http://127.0.0.1"}, ""),
        ({"endpoint": "test_openrouter_connection", "command": "id"}, ""),
        ({"endpoint": "generate_prompt", "purpose": None}, "/purpose"),
        ({"endpoint": "generate_prompt", "purpose": "x", "variables": "a, b"}, "/variables"),
        ({"endpoint": "generate_prompt", "purpose": "a\x00b"}, "/purpose"),
        ({"endpoint": "generate_prompt", "purpose": "x", "model": "x"}, "/model"),
        ({"endpoint": "health", "id": "x"}, ""),
    ],
)
def test_each_operation_takes_its_own_fields_and_no_others(
    server: Serving, body: dict[str, object], field: str
) -> None:
    reply = server.ask("POST", "/api", body)

    assert (reply.status, reply.json["code"], reply.json.get("field", "")) == (422, "invalid_input", field)


@pytest.mark.parametrize("endpoint", [None, 7, [], {}, "", "health\x00", "HEALTH", "../health", "a" * 9_000])
def test_what_is_no_endpoint_is_not_found(server: Serving, endpoint: object) -> None:
    reply = server.ask("POST", "/api", {"endpoint": endpoint})

    assert reply.status in (404, 422)
    assert len(reply.body) < 4_096
