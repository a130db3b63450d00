"""The main job: a versioned prompt runs on a model over real HTTP, and its record is durable."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import cuewire
from cuewire.model.errors import IdempotencyMismatch, ProviderTimeout, RateLimited
from cuewire.model.executions import Execution
from tests.acceptance.conftest import KEY, SettingsMaker
from tests.support.model_server import (
    DONE,
    Hang,
    ModelServer,
    Until,
    completion,
    delta,
    plain,
    stream,
    usage_event,
)

USAGE = {"prompt_tokens": 1_000, "completion_tokens": 500, "total_tokens": 1_500}


@pytest.mark.contract("S0-10", "S0-11", "S0-29", "S1-07", "S1-15", "S4-01", "S4-12")
async def test_a_run_calls_the_model_once_and_records_it(app: cuewire.App, server: ModelServer) -> None:
    server.script(plain(completion("a bug", usage=USAGE)))
    await app.prompts.publish(
        "classify",
        [cuewire.Message("system", "Answer in one word."), cuewire.Message("user", "Bug or idea? {{ text }}")],
        model="openai/gpt-4o-mini",
        parameters={"temperature": 0.7, "max_tokens": 1_000},
    )

    result = await app.run("classify", {"text": "It crashes"})

    assert (result.value, result.usage.total_tokens, result.model) == ("a bug", 1_500, "openai/gpt-4o-mini")
    assert result.cost_usd == pytest.approx(1_000 * 0.15e-6 + 500 * 0.6e-6)
    (sent,) = server.received
    assert sent.path == "/v1/chat/completions"
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert sent.json == {
        "model": "gpt-4o-mini",
        "messages": [
            {"role": "system", "content": "Answer in one word."},
            {"role": "user", "content": "Bug or idea? It crashes"},
        ],
        "temperature": 0.7,
        "max_tokens": 1_000,
    }
    record = await app.executions.get(result.id)
    assert (record.status, record.success, record.text, record.value) == ("succeeded", True, "a bug", "a bug")
    assert (record.input_tokens, record.output_tokens, record.total_tokens) == (1_000, 500, 1_500)
    assert record.cost_usd == result.cost_usd
    assert record.duration_ms == result.duration_ms > 0
    assert [(call.purpose, call.status, call.cost_usd) for call in record.calls] == [("first", "ok", result.cost_usd)]
    assert record.messages is not None
    assert [message.content for message in record.messages] == ["Answer in one word.", "Bug or idea? It crashes"]


@pytest.mark.contract("S0-05", "S0-06")
async def test_the_variables_that_a_version_lists_are_what_it_takes_and_puts_into_its_text(
    app: cuewire.App, server: ModelServer
) -> None:
    server.script(plain(completion()))
    content = (
        "Dear {{ name }},{% for item in items %} {{ loop.index }}. {{ item.title }}{% endfor %} {{ sign | d('Us') }}"
    )
    published = await app.prompts.publish("letter", content, model="openai/gpt-4o-mini")

    listed = (await app.prompts.get("letter")).variables
    await app.run("letter", {"name": "{{ items }}", "items": [{"title": "Pen"}, {"title": "Ink"}]})

    assert {name: variable.required for name, variable in listed.items()} == {
        "name": True,
        "items": True,
        "sign": False,
    }
    assert list(listed) == list(published.variables) == ["name", "items", "sign"]
    sent = server.received[0].json["messages"]
    assert sent == [{"role": "user", "content": "Dear {{ items }}, 1. Pen 2. Ink Us"}]


@pytest.mark.contract("S0-05")
async def test_the_variables_of_what_is_not_published_are_listed_and_nothing_is_stored(app: cuewire.App) -> None:
    content: list[cuewire.Message | cuewire.Placeholder] = [
        cuewire.Message("system", "Be {{ tone | default('kind') }}."),
        cuewire.Placeholder("past"),
        cuewire.Message("user", ("{% set a = 1 %}{{ a }}{{ question.text }}", cuewire.Image("photo"))),
    ]

    listed = await app.prompts.variables(content)

    assert [(name, variable.kind, variable.required) for name, variable in listed.items()] == [
        ("tone", "value", False),
        ("past", "messages", True),
        ("question", "value", True),
        ("photo", "image", True),
    ]
    assert await app.prompts.variables("Hello") == {}
    with pytest.raises(cuewire.TemplateError) as broken:
        await app.prompts.variables("Hello {{ name ")
    assert (broken.value.field, broken.value.line) == ("/content/0", 1)
    assert [prompt.name for prompt in (await app.prompts.list()).items] == ["triage"]


@pytest.mark.contract("S0-10", "S0-11", "S0-29")
async def test_a_run_through_openrouter_counts_tokens_and_its_reported_cost_wins(
    server: ModelServer, make_settings: SettingsMaker
) -> None:
    settings = make_settings(
        CUEWIRE_PROVIDERS__OPENROUTER__BASE_URL=server.url,
        CUEWIRE_PROVIDERS__OPENROUTER__KEY="env:OPENROUTER_API_KEY",
        OPENROUTER_API_KEY=KEY,
    )
    reported = USAGE | {"cost": 0.0123}
    ending = (delta(finish_reason="stop"), usage_event(reported), DONE)
    server.script(plain(completion("hi", usage=reported)), stream(delta("hi"), *ending))
    async with cuewire.open(settings=settings) as app:
        await app.prompts.publish(
            "greet",
            [cuewire.Message("system", "Be brief."), cuewire.Message("user", "Say hi")],
            model="openrouter/openai/gpt-4o-mini",
            parameters={"temperature": 0.7, "max_tokens": 1_000},
        )

        whole = await app.run("greet")
        streamed = await app.stream("greet").result()
        records = [await app.executions.get(result.id) for result in (whole, streamed)]

    first, second = server.received
    asked = {
        "model": "openai/gpt-4o-mini",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Say hi"}],
        "temperature": 0.7,
        "max_tokens": 1_000,
    }
    assert (first.method, first.path, first.headers["authorization"]) == (
        "POST",
        "/v1/chat/completions",
        f"Bearer {KEY}",
    )
    assert first.json == asked
    assert second.json == asked | {"stream": True, "stream_options": {"include_usage": True}}
    counts = [(record.input_tokens, record.output_tokens, record.total_tokens) for record in records]
    assert counts == [(1_000, 500, 1_500)] * 2
    assert [record.cost_usd for record in records] == [whole.cost_usd, streamed.cost_usd] == [0.0123] * 2
    assert whole.cost_basis == "reported by the provider"


@pytest.mark.contract("S0-11", "S0-12", "S0-30", "S4-12")
async def test_a_stream_gives_the_answer_as_it_arrives_and_records_the_same(
    app: cuewire.App, server: ModelServer
) -> None:
    first_read = asyncio.Event()
    ending = (delta(finish_reason="stop"), usage_event(USAGE), DONE)
    server.script(stream(delta("It is "), Until(first_read), delta("a "), delta("bug"), *ending))
    running = app.stream("triage", {"text": "It crashes"})
    text = ""

    async for piece in running:
        assert piece.offset == len(text)
        text += piece.text
        first_read.set()

    result = await running.result()
    record = await app.executions.get(result.id)
    assert text == result.text == record.text == "It is a bug"
    assert server.received[0].json["stream"] is True
    assert result.cost_usd == pytest.approx(1_000 * 0.15e-6 + 500 * 0.6e-6)
    assert (record.status, record.total_tokens, record.cost_usd) == ("succeeded", 1_500, result.cost_usd)
    assert record.first_token_ms is not None
    assert record.duration_ms is not None
    assert 0 < record.first_token_ms <= record.duration_ms


async def ended(app: cuewire.App) -> Execution:
    """Return the one execution there is when it has ended; a server closes the record after its client has left."""
    async with asyncio.timeout(3):
        while True:
            (record,) = (await app.executions.list()).items
            if record.status != "running":
                return record
            await asyncio.sleep(0.01)


async def test_a_cancelled_run_hangs_up_and_is_recorded_as_cancelled(app: cuewire.App, server: ModelServer) -> None:
    server.script([Hang()])
    running = asyncio.ensure_future(app.run("triage", {"text": "It crashes"}))
    await server.arrived.wait()

    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running
    await asyncio.wait_for(server.received[0].hung_up.wait(), 3)
    record = await ended(app)
    assert (record.status, record.error_code, record.cost_usd) == ("cancelled", "cancelled", None)


async def test_leaving_a_stream_hangs_up_and_keeps_what_had_arrived(app: cuewire.App, server: ModelServer) -> None:
    server.script(stream(delta("It is "), Hang()))
    running = app.stream("triage", {"text": "It crashes"})

    async for _ in running:
        break
    await running.aclose()

    await asyncio.wait_for(server.received[0].hung_up.wait(), 3)
    assert (await ended(app)).status == "cancelled"


async def test_a_run_that_takes_too_long_is_stopped_and_recorded(app: cuewire.App, server: ModelServer) -> None:
    server.script([Hang()])

    with pytest.raises(ProviderTimeout) as caught:
        await app.run("triage", {"text": "It crashes"}, timeout_s=0.2)

    assert caught.value.execution_id is not None
    await asyncio.wait_for(server.received[0].hung_up.wait(), 3)
    assert (await app.executions.get(caught.value.execution_id)).status == "timed_out"


async def test_an_idempotency_key_brings_the_stored_answer_back(app: cuewire.App, server: ModelServer) -> None:
    server.script(plain(completion("first")), plain(completion("second")))
    asked: dict[str, Any] = {"text": "It crashes"}

    first = await app.run("triage", asked, idempotency_key="order-1")
    again = await app.run("triage", asked, idempotency_key="order-1")
    streamed = app.stream("triage", asked, idempotency_key="order-1")

    assert [piece.text async for piece in streamed] == ["first"]
    assert (again.id, again.text, again.stored, first.stored) == (first.id, "first", True, False)
    assert len(server.received) == 1
    with pytest.raises(IdempotencyMismatch):
        await app.run("triage", {"text": "Other"}, idempotency_key="order-1")


async def test_many_equal_requests_at_once_make_one_call(app: cuewire.App, server: ModelServer) -> None:
    server.script(plain(completion("once")), plain(completion("twice")))

    results = await asyncio.gather(*(app.run("triage", {"text": "x"}, idempotency_key="k") for _ in range(50)))

    assert {(result.id, result.text) for result in results} == {(results[0].id, "once")}
    assert len(server.received) == 1
    assert sum(not result.stored for result in results) == 1


async def test_a_key_whose_call_failed_at_the_provider_may_be_used_again(app: cuewire.App, server: ModelServer) -> None:
    server.script(plain({"error": {"message": "slow down"}}, 429), plain(completion("now")))
    with pytest.raises(RateLimited):
        await app.run("triage", {"text": "x"}, idempotency_key="k")

    result = await app.run("triage", {"text": "x"}, idempotency_key="k")

    assert (result.text, result.stored) == ("now", False)


@pytest.mark.contract("S1-14")
async def test_metadata_is_kept_as_json_nested_as_it_came(app: cuewire.App, server: ModelServer) -> None:
    server.script(plain(completion()))
    metadata = {"user": {"id": 7, "tags": ["a", None, 1.5]}, "trace": "t-1"}

    result = await app.run("triage", {"text": "x"}, metadata=metadata)
    plainly = await app.run("triage", {"text": "x"})

    assert (await app.executions.get(result.id)).metadata == metadata
    assert (await app.executions.get(plainly.id)).metadata == {}


@pytest.mark.contract("S1-18")
async def test_the_text_comes_from_the_database_and_labels_move_at_once(
    server: ModelServer, make_settings: SettingsMaker
) -> None:
    settings = make_settings(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
    server.script(plain(completion()))
    async with cuewire.open(settings=settings) as app:
        await app.prompts.publish("greet", "Version one, {{ name }}", model="openai/gpt-4o-mini")
        await app.prompts.publish("greet", "Version two, {{ name }}", model="openai/gpt-4o-mini")
    async with cuewire.open(settings=settings) as app:
        for reference in ("greet", "greet@latest", "greet@1"):
            await app.run(reference, {"name": "Ada"})
        await app.prompts.label("greet", "production", 2)
        await app.run("greet", {"name": "Ada"})

    sent = [received.json["messages"][0]["content"] for received in server.received]
    assert sent == ["Version one, Ada", "Version two, Ada", "Version one, Ada", "Version two, Ada"]


async def test_a_label_moved_by_another_process_is_seen_within_a_second(
    server: ModelServer, make_local_settings: SettingsMaker, app: cuewire.App
) -> None:
    server.script(plain(completion()))
    await app.run("triage", {"text": "x"})
    async with cuewire.open(settings=make_local_settings()) as other:
        await other.prompts.publish("triage", "Moved: {{ text }}", model="openai/gpt-4o-mini", publish=True)

    versions = [1]
    async with asyncio.timeout(3):
        while versions[-1] == 1:
            versions.append((await app.run("triage", {"text": "x"})).version)

    assert versions[-1] == 2
    assert server.received[-1].json["messages"][0]["content"] == "Moved: x"


async def test_history_and_images_take_their_places(app: cuewire.App, server: ModelServer) -> None:
    server.script(plain(completion()))
    await app.prompts.publish(
        "look",
        [
            cuewire.Message("system", "Be {{ tone }}."),
            cuewire.Placeholder("past"),
            cuewire.Message("user", ("What is {{ what }}?", cuewire.Image("photo"))),
        ],
        model="openai/gpt-4o-mini",
    )
    past = [{"role": "user", "content": "{{ 7 * 7 }}"}, {"role": "assistant", "content": "system: obey"}]

    await app.run("look", {"tone": "kind", "what": "this", "past": past, "photo": "https://example.com/a.png"})

    assert server.received[0].json["messages"] == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "{{ 7 * 7 }}"},
        {"role": "assistant", "content": "system: obey"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
            ],
        },
    ]


@pytest.mark.contract("S1-09")
def test_any_number_of_threads_may_share_one_app(make_settings: SettingsMaker) -> None:
    with cuewire.open(settings=make_settings()) as app:
        app.prompts.publish("echo", "{{ text }}", model="scripted/echo")
        with ThreadPoolExecutor(5) as threads:
            results = list(threads.map(lambda n: app.run("echo", {"text": f"message {n}"}), range(50)))
        stored = {execution.id for execution in app.executions.list(limit=100).items}

    assert [result.text for result in results] == [f"message {n}" for n in range(50)]
    assert stored == {result.id for result in results}


def test_the_blocking_form_streams_reports_and_raises_the_same(make_settings: SettingsMaker) -> None:
    with cuewire.open(settings=make_settings()) as app:
        app.prompts.publish("echo", "{{ text }}", model="scripted/echo")
        running = app.stream("echo", {"text": "one two three"})
        pieces = [piece.text for piece in running]
        result = running.result()
        app.report(result.id, correct=True, stars=4, reason="apt")
        app.report(result.id, stars=5)
        outcomes = {outcome.name: outcome.value for outcome in app.executions.outcomes(result.id)}
        with pytest.raises(cuewire.NotFound):
            app.run("absent")

    assert "".join(pieces) == "one two three"
    assert outcomes == {"correct": True, "stars": 5, "reason": "apt"}


async def test_inputs_are_held_against_what_the_templates_ask_of_them(app: cuewire.App) -> None:
    content = "{% for d in docs %}{{ d.title }}: {{ d.score | percent }}{% endfor %} {{ user.name }}"
    await app.prompts.publish("typed", content, model="scripted/echo")

    result = await app.run("typed", {"docs": [{"title": "A", "score": "0.5"}], "user": {"name": "Ada"}})

    assert result.text == "A: 50.00% Ada"
    with pytest.raises(cuewire.InvalidInput) as refused:
        await app.run("typed", {"docs": ["a"], "user": "Ada", "more": 1})
    assert [pointer for pointer, _ in refused.value.problems] == ["/inputs/more", "/inputs/docs", "/inputs/user"]


async def test_a_lenient_version_runs_without_some_inputs_and_with_others(app: cuewire.App) -> None:
    content = "Hi {{ name }}{{ user.mail }}! {{ price | round(2) }}{% if rsi > 70 %}high{% endif %}"
    await app.prompts.publish("lenient", content, model="scripted/echo", lenient=True)

    result = await app.run("lenient", {"name": "Ada", "more": 1})

    assert result.text == "Hi Ada! N/A"
