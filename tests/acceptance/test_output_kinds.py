"""Value, validity and text are three things: of each kind of output, under each validation, wherever one asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

import cuewire
from cuewire.model.errors import OutputError
from cuewire.model.outputs import JsonOutput
from tests.support.command_line import CommandLine
from tests.support.model_server import DONE, Action, completion, delta, plain, stream
from tests.support.policy_models import KEY, Desk
from tests.support.serving import Serving, serving

MODEL = "openai/gpt-4o-mini"


class Kind(NamedTuple):
    """An output as authors write it, an answer of that kind and its value, another answer and what is wrong with it."""

    output: Any
    good: str
    value: Any
    bad: str
    fault: str


EXAMPLE = {"example": {"title": "It crashes", "due?:date": "2026-11-21", "tags:[1+]": ["bug"]}}
KINDS = {
    "choice": Kind(["bug", "idea"], ' "Bug".', "bug", "a bug", "none of: bug, idea"),
    "number": Kind("number", "**12.50**", 12.5, "12 apples", "not a number"),
    "boolean": Kind("boolean", "Yes.", True, "perhaps", "neither yes nor no"),
    "date": Kind("date", "`2026-11-21 14:30+01`", "2026-11-21T13:30:00Z", "tomorrow", "not an ISO 8601 date"),
    "json": Kind("json", "```json\n[1, null]\n```", [1, None], "{a: 1}", "not JSON"),
    "schema": Kind({"type": "object", "required": ["a"]}, '{"a": 1}', {"a": 1}, '{"b": 1}', "schema at /"),
    "example": Kind(EXAMPLE, '{"title": "x", "tags": ["y"]}', {"title": "x", "tags": ["y"]}, '{"title": "x"}', "at /"),
    "text": Kind(None, " as it came\n", " as it came\n", "", ""),
}
CAN_BE_WRONG = {name: kind for name, kind in KINDS.items() if kind.fault}


@pytest.fixture
async def server() -> AsyncIterator[Desk]:
    async with Desk() as running:
        assert isinstance(running, Desk)
        yield running


def answer(server: Desk, *texts: str) -> None:
    """Let the server answer so, one text after the other and the last one for good, in pieces if it is asked to."""
    ahead = list(texts)

    def reply(asked: Mapping[str, Any]) -> Sequence[Action]:
        text = ahead.pop(0) if len(ahead) > 1 else ahead[0]
        if not asked.get("stream"):
            return plain(completion(text))
        half = len(text) // 2
        return stream(delta(text[:half]), delta(text[half:]), delta(finish_reason="stop"), DONE)

    server.reply = reply


async def publish(app: cuewire.App, **policy: Any) -> None:
    for name, kind in KINDS.items():
        await app.prompts.publish(name, "Which?", model=MODEL, output=kind.output, policy=policy, publish=True)


@pytest.mark.parametrize("validation", ["strict", "warn", "none"])
async def test_an_answer_of_its_kind_is_valid_has_its_value_and_keeps_its_text(
    app: cuewire.App, server: Desk, validation: str
) -> None:
    await publish(app, validation=validation)

    for name, kind in KINDS.items():
        answer(server, kind.good)
        ran = await app.run(name)
        growing = app.stream(name)
        heard = "".join([piece.text async for piece in growing])
        for result in (ran, await growing.result()):
            record = await app.executions.get(result.id)
            assert (result.value, result.valid, result.text, result.warning) == (kind.value, True, kind.good, None)
            assert (record.value, record.valid, record.text, record.error_code) == (kind.value, True, kind.good, None)
        assert heard == kind.good


async def test_strict_fails_for_an_answer_of_another_kind_and_the_record_keeps_its_text(
    app: cuewire.App, server: Desk
) -> None:
    await publish(app, validation="strict")

    for name, kind in CAN_BE_WRONG.items():
        answer(server, kind.bad)
        with pytest.raises(OutputError) as failed:
            await app.run(name)
        with pytest.raises(OutputError) as broken:
            await app.stream(name).result()
        for error in (failed.value, broken.value):
            record = await app.executions.get(error.execution_id or "")
            assert kind.fault in error.message
            assert error.text == kind.bad
            assert (record.status, record.value, record.valid, record.text) == ("failed", None, None, kind.bad)
            assert record.error_code == "output_invalid"


@pytest.mark.parametrize("validation", ["warn", "none"])
async def test_warn_says_what_is_wrong_with_an_answer_that_it_gives_and_none_does_not(
    app: cuewire.App, server: Desk, validation: str
) -> None:
    await publish(app, validation=validation)

    for name, kind in CAN_BE_WRONG.items():
        answer(server, kind.bad)
        ran = await app.run(name, idempotency_key=f"once {name}")
        again = await app.run(name, idempotency_key=f"once {name}")
        other = await app.stream(name).result()
        for result in (ran, again, other):
            record = await app.executions.get(result.id)
            assert (result.value, result.valid, result.text) == (kind.bad, False, kind.bad)
            assert (record.status, record.value, record.valid, record.text) == ("succeeded", kind.bad, False, kind.bad)
            assert record.error_code == "output_invalid"
            assert kind.fault in (result.warning or "") if validation == "warn" else result.warning is None
            assert kind.fault in (record.error_message or "") if validation == "warn" else not record.error_message
        assert (ran.stored, again.stored) == (False, True)
    listed = (await app.executions.list(prompt="number")).items
    assert [execution.valid for execution in listed] == [False, False]


async def test_an_answer_that_was_repaired_is_valid_and_one_that_was_not_is_the_last(
    app: cuewire.App, server: Desk
) -> None:
    await publish(app, validation="warn", max_repairs=1)

    answer(server, "soon", "2026-11-21", "soon", "very soon")
    repaired, beyond = await app.run("date"), await app.run("date")

    assert (repaired.value, repaired.valid, repaired.warning) == ("2026-11-21", True, None)
    assert (beyond.value, beyond.valid, beyond.text) == ("very soon", False, "very soon")
    told = server.received[1].json["messages"][-1]["content"]
    assert "with one ISO 8601 date or date-time" in told


async def test_dates_that_mean_the_same_agree_and_the_first_of_them_wins(app: cuewire.App, server: Desk) -> None:
    policy = {"parallel": {"mode": "static_count", "count": 3}, "selection": {"method": "consensus"}, "at_once": 1}
    await app.prompts.publish("due", "When?", model=MODEL, output="date", policy=policy)
    answer(server, "2026-11-21T14:30:00Z", "2026-11-21T15:30+01:00", "2026-11-21")

    result = await app.run("due")

    assert result.selection is not None
    assert result.selection.reason == "2 of 3 agree"
    assert result.value == "2026-11-21T14:30:00Z"


async def test_the_schema_of_an_example_goes_to_the_provider_without_its_marks(app: cuewire.App, server: Desk) -> None:
    version = await app.prompts.publish("due", "Which?", model=MODEL, output=EXAMPLE)
    answer(server, '{"title": "x", "tags": ["y"]}')

    await app.run("due")

    sent = server.received[0].json["response_format"]["json_schema"]["schema"]
    assert version.output == JsonOutput(json_schema=sent, example=EXAMPLE["example"])
    assert sorted(sent["properties"]) == ["due", "tags", "title"]
    assert sent["required"] == ["title", "tags"]


async def test_a_draft_has_the_example_of_its_origin_until_another_schema_is_said(app: cuewire.App) -> None:
    version = await app.prompts.publish("due", "Which?", model=MODEL, output=EXAMPLE)
    assert isinstance(version.output, JsonOutput)
    schema = {**version.output.json_schema, "title": "Bug"}

    drafted = await app.prompts.draft("due", 1, note="again")
    edited = await app.prompts.draft("due", 1, output=schema)

    assert drafted.output == version.output == (await app.prompts.get("due@1")).output
    assert edited.output == JsonOutput(json_schema=schema)


@pytest.fixture
async def serving_kinds(server: Desk, tmp_path: Path) -> AsyncIterator[Serving]:
    with serving(CommandLine(tmp_path, {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY})) as running:
        yield running


@pytest.mark.parametrize(("validation", "status"), [("strict", 502), ("warn", 200), ("none", 200)])
async def test_requests_are_told_all_three(serving_kinds: Serving, server: Desk, validation: str, status: int) -> None:
    def ask(method: str, path: str, body: object = None) -> Any:
        return asyncio.to_thread(serving_kinds.ask, method, path, body)

    for name, kind in CAN_BE_WRONG.items():
        policy = {"validation": validation}
        body = {"content": "Which?", "model": MODEL, "output": kind.output, "policy": policy}
        assert (await ask("PUT", f"/api/v1/prompts/{name}", body)).status == 200
        answer(server, kind.good, kind.bad)

        good = await ask("POST", "/api/v1/executions", {"prompt": name})
        bad = await ask("POST", "/api/v1/executions", {"prompt": name})
        events = (await ask("POST", "/api/v1/executions", {"prompt": name, "stream": True})).body.decode()
        chat = await ask("POST", "/v1/chat/completions", {"model": f"prompt/{name}", "messages": []})

        last = msgspec.json.decode(events.strip().split("\n")[-1].removeprefix("data: "))
        assert (good.json["value"], good.json["valid"], good.json["text"]) == (kind.value, True, kind.good)
        assert bad.status == status
        if validation == "strict":
            assert {bad.json["code"], last["code"], chat.json["error"]["code"]} == {"output_invalid"}
            continue
        for told in (bad.json, last):
            assert (told["value"], told["valid"], told["text"]) == (kind.bad, False, kind.bad)
            assert (told["warning"] is not None) == (validation == "warn")
        assert (chat.json["choices"][0]["message"]["content"], chat.json["cuewire"]["valid"]) == (kind.bad, False)
        record = (await ask("GET", f"/api/v1/executions/{bad.json['id']}")).json
        assert (record["valid"], record["value"], record["text"]) == (False, kind.bad, kind.bad)
