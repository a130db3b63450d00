"""`log_prompt_execution` on a database of each kind: what it stores, says and returns."""

from __future__ import annotations

import asyncio
import inspect
from pathlib import Path
from threading import Barrier, Thread
from typing import Any, get_type_hints

import pytest

import cuewire
from cuewire.compat.prompt_templates import log_prompt_execution
from cuewire.model.ids import is_execution_id
from cuewire.stores.sqlite_file import connect
from tests.support import postgres
from tests.support.command_line import CommandLine
from tests.support.logged_programs import TEMPLATE, LoggedProgram, stored

METADATA = {"model": {"name": "gemini-2.5-flash", "region": None}, "guards": [{"name": "pii", "passed": True}], "n": 3}


@pytest.mark.contract("S1-01", "S1-02", "S1-03")
def test_its_signature_is_the_one_that_programs_expect() -> None:
    parameters = inspect.signature(log_prompt_execution).parameters.values()

    assert [(one.name, one.default) for one in parameters] == [
        ("template_key", inspect.Parameter.empty),
        ("success", inspect.Parameter.empty),
        ("response_time_ms", inspect.Parameter.empty),
        *(
            (name, None)
            for name in ("input_token_count", "output_token_count", "cost_usd", "error_message", "metadata")
        ),
    ]
    assert get_type_hints(log_prompt_execution) == {
        "template_key": str,
        "success": bool,
        "response_time_ms": float,
        "input_token_count": int | None,
        "output_token_count": int | None,
        "cost_usd": float | None,
        "error_message": str | None,
        "metadata": dict[str, Any] | None,
        "return": str | None,
    }


@pytest.mark.contract("S1-04", "S1-07", "S1-28")
async def test_a_success_with_all_metrics_is_stored_and_said(app: cuewire.App, program: LoggedProgram) -> None:
    execution_id = log_prompt_execution(
        template_key=TEMPLATE,
        success=True,
        response_time_ms=1234.5,
        input_token_count=150,
        output_token_count=80,
        cost_usd=0.000225,
        metadata=METADATA,
    )

    found = await stored(app, execution_id)
    assert (found.prompt, found.version, found.label) == (TEMPLATE, 1, "production")
    assert (found.success, found.status, found.duration_ms) == (True, "succeeded", 1234.5)
    assert (found.input_tokens, found.output_tokens, found.total_tokens) == (150, 80, 230)
    assert (found.cost_usd, found.cost_basis) == (0.000225, "told by the program that ran it")
    assert (found.metadata, found.error_message, found.failure) == (METADATA, None, None)
    assert found.ended_at is not None
    assert (found.ended_at - found.started_at).total_seconds() == 1.2345
    assert (found.model, found.messages, found.text, found.value, found.calls) == ("", None, None, None, ())
    assert program.lines == [
        {
            "event": "execution.logged",
            "execution_id": execution_id,
            "template_key": TEMPLATE,
            "success": True,
            "response_time_ms": 1234.5,
            "input_token_count": 150,
            "output_token_count": 80,
            "cost_usd": 0.000225,
            "error_message": None,
            "metadata": METADATA,
        }
    ]
    assert (program.lost, program.warnings) == ({}, [])


@pytest.mark.contract("S1-13", "S1-28")
@pytest.mark.usefixtures("program")
async def test_a_minimal_success_leaves_the_rest_null(app: cuewire.App) -> None:
    found = await stored(app, log_prompt_execution(TEMPLATE, True, 0.0))

    assert (found.success, found.duration_ms) == (True, 0.0)
    assert (found.input_tokens, found.output_tokens, found.total_tokens, found.cost_usd) == (None,) * 4
    assert (found.error_code, found.error_message, found.metadata) == (None, None, {})
    assert found.cost_basis == "the program that ran it told none"


@pytest.mark.contract("S1-07", "S1-29")
async def test_a_failure_is_stored_with_its_error(app: cuewire.App, program: LoggedProgram) -> None:
    told = log_prompt_execution(TEMPLATE, False, 50, error_message="JSONDecodeError: line 1 column 1 (char 0)")
    untold = log_prompt_execution(TEMPLATE, False, 50)

    found, bare = await stored(app, told), await stored(app, untold)
    assert (found.success, found.status, found.error_code) == (False, "failed", "told_error")
    assert found.error_message == "JSONDecodeError: line 1 column 1 (char 0)"
    assert (bare.status, bare.error_message) == ("failed", None)
    assert [line["success"] for line in program.lines] == [False, False]


@pytest.mark.contract("S1-08", "S1-29")
async def test_of_a_long_error_the_first_1000_characters_are_shown(app: cuewire.App, program: LoggedProgram) -> None:
    long = "BEGIN " + "é" * 1_500 + " END"

    found = await stored(app, log_prompt_execution(TEMPLATE, False, 50.0, error_message=long))

    assert found.error_message == long[:1_000]
    assert found.failure is not None
    assert (found.failure.message, found.failure.detail) == (long[:1_000], long)
    assert program.lines[0]["error_message"] == long[:1_000]


async def test_an_error_is_stored_and_said_without_keys_and_with_marks_for_what_cannot_be_stored(
    app: cuewire.App, program: LoggedProgram
) -> None:
    told = f"401: Bearer canary.key; sk-canary{'x' * 1_000} of {TEMPLATE} \x00\ud800"

    found = await stored(app, log_prompt_execution(TEMPLATE, False, 50.0, error_message=told))

    assert found.error_message == f"401: Bearer [redacted]; [redacted] of {TEMPLATE} \ufffd\ufffd"
    assert found.sanitised == 2
    assert "canary" not in str(found) + program.log.text


@pytest.mark.contract("S1-05", "S1-10", "S1-30")
async def test_an_unknown_template_gives_none_and_no_row(app: cuewire.App, program: LoggedProgram) -> None:
    assert log_prompt_execution("absent", True, 5.0, metadata={"a": 1}) is None

    assert (await app.executions.list()).items == ()
    assert program.lost == {"prompt_not_found": 1}
    assert program.warnings == ["cuewire.executions"]
    (line,) = program.lines
    assert (line["event"], line["reason"]) == ("execution.lost", "prompt_not_found")
    assert (line["template_key"], line["metadata"]) == ("absent", {"a": 1})


@pytest.mark.contract("S1-12", "S1-30")
@pytest.mark.parametrize(
    ("given", "total"), [((150, 80), 230), ((150, None), 150), ((None, 80), 80), ((0, 0), 0), ((None, None), None)]
)
@pytest.mark.usefixtures("program")
async def test_total_tokens_are_the_sum(
    app: cuewire.App, given: tuple[int | None, int | None], total: int | None
) -> None:
    found = await stored(app, log_prompt_execution(TEMPLATE, True, 5.0, *given))

    assert (found.input_tokens, found.output_tokens, found.total_tokens) == (*given, total)


@pytest.mark.contract("S1-34")
@pytest.mark.parametrize("cost_usd", [0.000225, 0.1 + 0.2, 1e-12, 0.0, 98_765.432_1])
@pytest.mark.usefixtures("program")
async def test_a_cost_comes_back_to_the_last_digit(app: cuewire.App, cost_usd: float) -> None:
    found = await stored(app, log_prompt_execution(TEMPLATE, True, 5.0, cost_usd=cost_usd))

    assert found.cost_usd == cost_usd


@pytest.mark.contract("S1-14", "S1-32")
@pytest.mark.usefixtures("program")
async def test_metadata_is_json_that_queries_reach_into(app: cuewire.App, kind: str, url: str) -> None:
    wanted = log_prompt_execution(TEMPLATE, True, 5.0, metadata=METADATA)
    log_prompt_execution(TEMPLATE, True, 5.0, metadata={"model": {"name": "other"}})

    assert (await stored(app, wanted)).metadata == METADATA
    if kind == "sqlite":
        query = (
            "SELECT json_extract(metadata, '$.model.name') FROM executions "
            "WHERE json_extract(metadata, '$.guards[0].passed') AND json_extract(metadata, '$.n') = 3"
        )
        connection = connect(Path(url.removeprefix("sqlite:///")))
        rows = connection.execute(query).fetchall()
        connection.close()
    else:
        query = (
            "SELECT metadata->'model'->>'name' FROM executions "
            "WHERE (metadata->'guards'->0->>'passed')::bool AND (metadata->>'n')::int = 3"
        )
        rows = await postgres.run(query, url=url)
    assert [tuple(row) for row in rows] == [("gemini-2.5-flash",)]


@pytest.mark.contract("S1-15")
async def test_the_id_leads_to_the_execution_everywhere(
    app: cuewire.App, program: LoggedProgram, url: str, tmp_path: Path
) -> None:
    execution_id = log_prompt_execution(TEMPLATE, False, 1_500.0, 10, 5, 0.25, "too slow", {"trace": "t-17"})
    assert execution_id is not None
    await app.report(execution_id, correct=False)
    cue = CommandLine(tmp_path, {"CUEWIRE_DATABASE_URL": url})

    shown = await cue("executions", "show", execution_id)
    listed = await cue("executions", "list", "--json", "--status", "failed")

    assert is_execution_id(execution_id)
    assert [outcome.value for outcome in await app.executions.outcomes(execution_id)] == [False]
    assert [one["id"] for one in listed.json["items"]] == [execution_id]
    assert program.lines[0]["execution_id"] == execution_id
    for part in (f"{TEMPLATE}@1, reached by production", "10 in, 5 out", "told_error: too slow", '{"trace":"t-17"}'):
        assert part in shown.out


@pytest.mark.contract("S1-09", "S1-33")
async def test_five_threads_that_begin_at_once_store_what_each_of_them_logs(
    app: cuewire.App, program: LoggedProgram
) -> None:
    begin, ids = Barrier(5), list[str | None]()

    def log(number: int) -> None:
        begin.wait()
        for turn in range(20):
            ids.append(log_prompt_execution(TEMPLATE, True, float(turn), number, metadata={"turn": turn}))

    threads = [Thread(target=log, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)

    found = (await app.executions.list(limit=200)).items
    assert {one.id for one in found} == set(ids)
    expected = {(number, turn) for number in range(5) for turn in range(20)}
    assert {(one.input_tokens, one.metadata["turn"]) for one in found} == expected
    assert len(program.lines) == 100
    assert program.lost == {}


@pytest.mark.usefixtures("program")
async def test_what_was_published_counts_from_the_next_call_on(app: cuewire.App) -> None:
    assert log_prompt_execution("later", True, 1.0) is None
    await app.prompts.publish("later", "One")

    first = await stored(app, log_prompt_execution("later", True, 1.0))
    pinned = await stored(app, log_prompt_execution("later@1", True, 1.0))

    assert (first.version, first.label) == (1, "production")
    assert (pinned.version, pinned.label) == (1, None)
