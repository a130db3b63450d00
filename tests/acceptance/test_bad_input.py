"""Each bad input gives one typed error, is recorded where an execution was opened, and changes nothing else."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any, TypeAlias

import pytest

import cuewire
from cuewire.model.errors import (
    AuthenticationFailed,
    ConfigError,
    IncompleteAnswer,
    InvalidInput,
    LabelNotFound,
    ModelNotFound,
    ModelNotServed,
    NetworkError,
    PromptArchived,
    PromptNotFound,
    ProtocolError,
    ProviderFault,
    ProviderTimeout,
    RateLimited,
    RequestRejected,
    TemplateError,
    VersionNotFound,
)
from tests.acceptance.conftest import KEY, SettingsMaker
from tests.support import postgres
from tests.support.model_server import (
    Action,
    Close,
    Hang,
    ModelServer,
    Reset,
    Send,
    chunk,
    completion,
    delta,
    head,
    plain,
)

DEEP: Any = 0
for _ in range(100_000):
    DEEP = [DEEP]
NESTED = "{% for a in range(9999) %}{% for b in range(9999) %}{{ text }}{% endfor %}{% endfor %}"
DOUBLING = "{% set ns = namespace(s=text) %}{% for a in range(99) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}"
TRUNCATED: list[Action] = [Send(head(kind="text/event-stream")), Send(chunk(delta("It is "))), Close()]
HTML: list[Action] = [Send(head(kind="text/html", length=20) + b"<html>Welcome</html>")]


PHOTO = "https://example.com/a.png"
RATING: dict[str, Any] = {"text": "x", "stars": 4, "photo": PHOTO}
BESIDE_RECORDS = (
    *("SELECT * FROM prompts", "SELECT * FROM versions", "SELECT * FROM labels"),
    *("SELECT * FROM outcomes", "SELECT * FROM api_keys"),
)


async def executions(app: cuewire.App) -> int:
    return len((await app.executions.list(limit=1_000)).items)


async def stored_beside_records(database_url: str) -> list[list[tuple[Any, ...]]]:
    """Return all that the database holds, but for the records of executions."""
    if database_url.startswith("sqlite"):
        with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as database:
            return [database.execute(question).fetchall() for question in BESIDE_RECORDS]
    return [[tuple(row) for row in await postgres.run(question, url=database_url)] for question in BESIDE_RECORDS]


@pytest.mark.parametrize(
    ("asked", "kind", "field"),
    [
        ({"prompt": "absent"}, PromptNotFound, "/prompt"),
        ({"prompt": "triage@beta"}, LabelNotFound, "/prompt"),
        ({"prompt": "triage@9"}, VersionNotFound, "/prompt"),
        ({"prompt": "Triage"}, InvalidInput, "/prompt"),
        ({"inputs": {"text": "a\x00b"}}, InvalidInput, "/inputs/text"),
        ({"inputs": {"text": "a\ud800b"}}, InvalidInput, "/inputs/text"),
        ({"inputs": {"text": DEEP}}, InvalidInput, "/inputs/text" + "/0" * 63),
        ({"inputs": {"text": float("nan")}}, InvalidInput, "/inputs/text"),
        ({"inputs": {"text": 10**400}}, InvalidInput, "/inputs/text"),
        ({"inputs": ["x"]}, InvalidInput, "/inputs"),
        ({"metadata": {"a": [{"b": "\x00"}]}}, InvalidInput, "/metadata/a/0/b"),
        ({"model": "gpt"}, InvalidInput, "/model"),
        ({"parameters": {"temperature": "hot"}}, InvalidInput, "/parameters/temperature"),
        ({"parameters": {"base_url": "http://evil"}}, InvalidInput, "/parameters/base_url"),
        ({"idempotency_key": "\x00"}, InvalidInput, "/idempotency_key"),
        ({"timeout_s": 0}, InvalidInput, "/timeout_s"),
    ],
)
async def test_what_cannot_be_recorded_is_refused_before_anything_happens(
    app: cuewire.App, database_url: str, asked: Any, kind: type[cuewire.CuewireError], field: str
) -> None:
    before = await stored_beside_records(database_url)

    with pytest.raises(kind) as caught:
        await app.run(**({"prompt": "triage", "inputs": {"text": "x"}} | asked))

    assert caught.value.field == field
    assert caught.value.execution_id is None
    assert await executions(app) == 0
    assert await stored_beside_records(database_url) == before


@pytest.mark.parametrize(
    ("asked", "kind", "field"),
    [
        ({"inputs": {"stars": 4, "photo": PHOTO}}, InvalidInput, "/inputs/text"),
        ({"inputs": RATING | {"txet": "x"}}, InvalidInput, "/inputs/txet"),
        ({"inputs": RATING | {"stars": "four"}}, InvalidInput, "/inputs/stars"),
        ({"inputs": RATING | {"past": "Hi"}}, InvalidInput, "/inputs/past"),
        ({"inputs": RATING | {"past": [{"role": "king"}]}}, InvalidInput, "/inputs/past"),
        ({"inputs": RATING | {"photo": "file:///etc/passwd"}}, InvalidInput, "/inputs/photo"),
        ({"model": "nowhere/gpt"}, ModelNotFound, "/model"),
        ({"model": "groq/llama"}, ConfigError, "providers.groq.key"),
    ],
)
async def test_what_is_wrong_with_a_run_is_recorded(
    app: cuewire.App, database_url: str, asked: Any, kind: type[cuewire.CuewireError], field: str
) -> None:
    await app.prompts.publish(
        "rate",
        [cuewire.Placeholder("past"), cuewire.Message("user", ("{{ text }} {{ stars }}", cuewire.Image("photo")))],
        model="openai/gpt-4o-mini",
        variables={"stars": {"type": "integer"}, "past": {"default": []}},
    )
    before = await stored_beside_records(database_url)

    with pytest.raises(kind) as caught:
        await app.run(**({"prompt": "rate", "inputs": RATING} | asked))

    assert await executions(app) == 1
    assert await stored_beside_records(database_url) == before
    assert caught.value.execution_id is not None
    record = await app.executions.get(caught.value.execution_id)
    assert caught.value.field == field
    assert (record.status, record.error_code, record.cost_usd) == ("failed", caught.value.code, 0.0)
    assert record.failure is not None
    assert (record.failure.message, record.failure.field) == (caught.value.message, field)


async def test_megabytes_of_input_run_or_are_refused_but_never_break(app: cuewire.App, server: ModelServer) -> None:
    server.script(plain(completion("ok")))
    large = "x" * 8_000_000  # a server takes 8 MiB

    with pytest.raises(TemplateError) as caught:
        await app.run("triage", {"text": large})

    assert (caught.value.code, caught.value.field) == ("template_limit_exceeded", "/templates/0")
    assert (await app.run("triage", {"text": "small"})).text == "ok"
    assert caught.value.execution_id is not None
    record = await app.executions.get(caught.value.execution_id)
    assert (record.status, record.error_code, record.inputs) == ("failed", caught.value.code, {"text": large})
    assert len(server.received) == 1


@pytest.mark.contract("S3-088")
@pytest.mark.parametrize(
    ("template", "code"),
    [
        ("{{ text.__class__.__mro__ }}", "template_forbidden"),
        ("{% if text %}{{ text.missing.field }}{% endif %}", "template_undefined"),
        (NESTED, "template_limit_exceeded"),
        (DOUBLING, "template_limit_exceeded"),
    ],
)
async def test_a_hostile_or_runaway_template_is_stopped_and_recorded(
    app: cuewire.App, server: ModelServer, database_url: str, template: str, code: str
) -> None:
    server.script(plain(completion("ok")))
    await app.prompts.publish("hostile", template, model="openai/gpt-4o-mini")
    before = await stored_beside_records(database_url)

    with pytest.raises(TemplateError) as caught:
        await app.run("hostile", {"text": "xxxxxxxx"})

    assert (caught.value.code, caught.value.field) == (code, "/templates/0")
    assert caught.value.execution_id is not None
    record = await app.executions.get(caught.value.execution_id)
    assert (record.status, record.error_code, record.cost_usd) == ("failed", code, 0.0)
    assert await stored_beside_records(database_url) == before
    assert (await app.run("triage", {"text": "still here"})).text == "ok"
    assert len(server.received) == 1


def failing(status: int) -> list[Action]:
    return plain({"error": {"message": f"no: {KEY}", "type": "x", "code": None}}, status)


Fault: TypeAlias = tuple[list[Action], type[cuewire.ProviderError], int]
"""What the server does, the error that this is, and its HTTP status, 0 for none."""
FAULTS: list[Fault] = [
    (failing(400), RequestRejected, 400),
    (failing(401), AuthenticationFailed, 401),
    (failing(404), ModelNotServed, 404),
    (failing(429), RateLimited, 429),
    (failing(500), ProviderFault, 500),
    ([Hang()], ProviderTimeout, 0),
    ([Reset()], NetworkError, 0),
    ([Send(head(length=100) + b'{"choices'), Close()], NetworkError, 0),
    (HTML, ProtocolError, 200),
    (plain(b'{"choices": [{'), ProtocolError, 200),
    (plain({"object": "chat.completion"}), ProtocolError, 200),
]


@pytest.mark.contract("S1-07")
@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("fault", FAULTS)
async def test_each_fault_of_a_provider_is_one_typed_error_and_one_record(
    server: ModelServer,
    make_settings: SettingsMaker,
    database_url: str,
    fault: Fault,
    *,
    streams: bool,
) -> None:
    script, kind, http_status = fault
    server.script(script, plain(completion("ok")))
    settings = make_settings(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY, CUEWIRE_TIMEOUTS__FIRST_BYTE_S="0.3")
    async with cuewire.open(settings=settings) as app:
        await app.prompts.publish("greet", "Hi", model="openai/gpt-4o-mini")
        before = await stored_beside_records(database_url)

        with pytest.raises(kind) as caught:
            await (app.stream("greet").result() if streams else app.run("greet"))

        assert caught.value.execution_id is not None
        record = await app.executions.get(caught.value.execution_id)
        status = "timed_out" if kind is ProviderTimeout else "failed"
        cost_usd = 0.0 if 400 <= http_status < 500 else None  # what is refused is not charged
        found = record.status, record.success, record.error_code, record.cost_usd
        assert found == (status, False, kind.code, cost_usd)
        assert record.duration_ms is not None
        assert record.duration_ms > 0
        assert [(call.status, call.http_status) for call in record.calls] == [(status, http_status or None)]
        assert caught.value.status == http_status
        assert KEY not in f"{caught.value} {caught.value.snippet} {record}"
        assert await executions(app) == 1
        assert await stored_beside_records(database_url) == before
        if kind is not AuthenticationFailed:  # a key that was not accepted is left alone for a while
            assert (await app.run("greet")).text == "ok"


async def test_a_stream_cut_short_keeps_its_text_and_says_so(app: cuewire.App, server: ModelServer) -> None:
    server.script(TRUNCATED)
    running = app.stream("triage", {"text": "x"})
    pieces = aiter(running)

    first = await anext(pieces)

    with pytest.raises(IncompleteAnswer) as caught:
        await anext(pieces)
    assert first.text == caught.value.partial_text == "It is "
    assert caught.value.execution_id is not None
    record = await app.executions.get(caught.value.execution_id)
    assert (record.status, record.text, record.error_code) == ("failed", "It is ", "incomplete_answer")


async def test_negative_and_odd_usage_is_unknown_never_negative(app: cuewire.App, server: ModelServer) -> None:
    server.script(plain(completion("ok", usage={"prompt_tokens": -5, "completion_tokens": "many"})))

    result = await app.run("triage", {"text": "x"})

    assert (result.usage.input_tokens, result.usage.output_tokens, result.cost_usd) == (None, None, None)
    assert "no token counts" in result.cost_basis


async def test_unstorable_text_of_a_model_is_kept_with_marks(app: cuewire.App, server: ModelServer) -> None:
    server.script(plain(rb'{"choices":[{"message":{"content":"a\u0000b\ud800c"},"finish_reason":"stop"}]}'))

    result = await app.run("triage", {"text": "x"})

    record = await app.executions.get(result.id)
    assert result.text == record.text == "a\ufffdb\ufffdc"
    assert record.sanitised == 2


@pytest.mark.parametrize(
    ("content", "options", "kind", "field"),
    [
        ("{{ text", {}, TemplateError, "/content/0"),
        ("{% include 'secrets' %}", {}, cuewire.NotFound, "/content/0"),
        ("x" * 300_000, {}, TemplateError, "/content/0"),
        ("(" * 5_000, {}, None, ""),
        ("{{ " + "(" * 5_000 + " }}", {}, TemplateError, "/content/0"),
        ("a\x00b", {}, InvalidInput, "/content"),
        ([], {}, InvalidInput, "/content"),
        ([{"role": "king", "content": "x"}], {}, InvalidInput, "/content/0"),
        ([{"role": "user"}], {}, InvalidInput, "/content/0"),
        ("{{ a }}", {"variables": {"b": {}}}, InvalidInput, "/variables/b"),
        ("{{ a }}", {"variables": {"a": {"type": 7}}}, InvalidInput, "/variables/a"),
        ("{{ a }}", {"variables": {"a": {"$ref": "http://127.0.0.1:1/x"}}}, InvalidInput, "/variables/a"),
        ("{{ a }}", {"variables": {"a": {"type": "string", "default": 7}}}, InvalidInput, "/variables/a/default"),
        ("x", {"output": {"type": "nonsense"}}, InvalidInput, "/output"),
        ("x", {"model": "gpt-4o"}, InvalidInput, "/model"),
        ("x", {"labels": ["latest"]}, InvalidInput, "/label"),
        ("x", {"labels": ["7"]}, InvalidInput, "/label"),
        ("x", {"note": "n" * 2_001}, InvalidInput, "/note"),
    ],
)
async def test_a_bad_version_is_refused_with_its_place_and_nothing_is_stored(
    app: cuewire.App, content: Any, options: Any, kind: type[cuewire.CuewireError] | None, field: str
) -> None:
    if kind is None:
        assert (await app.prompts.publish("new", content, **options)).number == 1
        return

    with pytest.raises(kind) as caught:
        await app.prompts.publish("new", content, **options)

    assert caught.value.field == field
    assert [prompt.name for prompt in (await app.prompts.list()).items] == ["triage"]


async def test_an_archived_prompt_neither_runs_nor_grows_but_keeps_its_history(
    app: cuewire.App, server: ModelServer
) -> None:
    server.script(plain(completion()))
    before = await app.run("triage", {"text": "x"})

    archived = await app.prompts.archive("triage")

    assert archived.archived
    for reference in ("triage", "triage@1"):
        with pytest.raises(PromptNotFound):
            await app.run(reference, {"text": "x"})
    with pytest.raises(PromptArchived):
        await app.prompts.publish("triage", "again")
    assert (await app.executions.get(before.id)).prompt == "triage"
    on_shelf = await app.prompts.list(wanted=cuewire.PromptFilter(status="archived"))
    assert [prompt.name for prompt in on_shelf.items] == ["triage"]


async def test_outcomes_of_nothing_and_of_no_form_are_refused(app: cuewire.App) -> None:
    for execution_id in ("x", "018bcfe5-6800-7fff-bfff-ffffffffffff"):
        with pytest.raises(cuewire.NotFound):
            await app.report(execution_id, correct=True)
    with pytest.raises(InvalidInput):
        await app.report("018bcfe5-6800-7fff-bfff-ffffffffffff")
