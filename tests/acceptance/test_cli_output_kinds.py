"""Kinds of output on the command line: published by name or from a file, shown, and told of if an answer is not one."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from tests.support.command_line import CommandLine, Ended
from tests.support.policy_models import KEY, Desk, said

EXAMPLE = {"title": "It crashes", "due?:date": "2026-11-21", "tags:[1+]": ["bug"]}


@pytest.fixture
async def desk(cue: CommandLine) -> AsyncIterator[Desk]:
    async with Desk() as running:
        assert isinstance(running, Desk)
        cue.environment.update({"OPENAI_BASE_URL": running.url, "OPENAI_API_KEY": KEY})
        yield running


async def publish(cue: CommandLine, output: str, *more: str) -> Ended:
    (cue.folder / "ask.j2").write_text("Which?")
    named = ("prompts", "publish", "ask", "ask.j2", "--model", "openai/gpt-4o-mini")
    return await cue(*named, "--output", output, *more)


async def test_an_output_is_a_name_choices_a_schema_or_an_example(cue: CommandLine) -> None:
    (cue.folder / "schema.json").write_text('{"type": "object", "required": ["a"]}')
    (cue.folder / "example.json").write_text(json.dumps({"example": EXAMPLE}))

    outputs = [
        (await publish(cue, written, "--json")).json["output"]
        for written in ("date", "bug,idea", "schema.json", "example.json", '{"example": {"a": 1, "b": 2}}')
    ]

    assert outputs[0] == {"type": "date"}
    assert outputs[1] == {"type": "choice", "choices": ["bug", "idea"]}
    assert outputs[2]["json_schema"] == {"type": "object", "required": ["a"]}
    assert outputs[2].get("example") is None
    assert outputs[3]["example"] == EXAMPLE
    assert outputs[3]["json_schema"]["required"] == ["title", "tags"]
    assert sorted(outputs[4]["json_schema"]["properties"]) == ["a", "b"]


async def test_an_output_that_cannot_be_is_refused_with_its_place(cue: CommandLine) -> None:
    (cue.folder / "list.json").write_text("[1]")

    named = await publish(cue, "string", "--json")
    marked = await publish(cue, '{"example": {"age:years": 1}}', "--json")
    listed = await publish(cue, "list.json")
    cut = await publish(cue, '{"example"')

    assert (named.code, named.error["field"]) == (4, "/output")
    assert (marked.code, marked.error["field"]) == (4, "/output/example/age:years")
    assert (listed.code, "neither a JSON Schema nor an example" in listed.err) == (4, True)
    assert (cut.code, "the output is not JSON" in cut.err) == (4, True)


async def test_an_example_is_shown_with_the_schema_that_it_means(cue: CommandLine) -> None:
    await publish(cue, json.dumps({"example": {"stars:integer": 4}}))
    await publish(cue, "date", "--label", "candidate")

    shown = await cue("prompts", "show", "ask@1")
    dated = await cue("prompts", "show", "ask@2")
    compared = await cue("prompts", "diff", "ask", "1", "2")

    schema = '{"type":"object","properties":{"stars":{"type":"integer"}},"required":["stars"]}'
    assert f"output   json that satisfies {schema}\n" in shown.out
    assert 'example  {"stars:integer":4}\n' in shown.out
    assert "output   date\n" in dated.out
    assert '-example  {"stars:integer":4}\n+output   date\n' in compared.out


async def test_the_value_of_a_date_is_its_one_form(cue: CommandLine, desk: Desk) -> None:
    await publish(cue, "date")
    desk.reply = lambda _: said('"2026-11-21 15:30+01:00".')

    ran = await cue("run", "ask")
    told = await cue("run", "ask", "--json")

    assert (ran.code, ran.out, ran.err) == (0, "2026-11-21T14:30:00Z\n", "")
    assert (told.json["value"], told.json["valid"]) == ("2026-11-21T14:30:00Z", True)
    assert told.json["text"] == '"2026-11-21 15:30+01:00".'


@pytest.mark.parametrize(
    ("validation", "code", "out", "err"),
    [
        ("strict", 1, "", "error: the answer 'tomorrow' is not an ISO 8601 date"),
        ("warn", 0, "tomorrow\n", "not valid: the answer 'tomorrow' is not an ISO 8601 date\n"),
        ("none", 0, "tomorrow\n", ""),
    ],
)
async def test_an_answer_that_is_no_date_fails_or_is_given_with_a_warning_or_without(
    cue: CommandLine, desk: Desk, validation: str, code: int, out: str, err: str
) -> None:
    await publish(cue, "date", "--policy", json.dumps({"validation": validation}))
    desk.reply = lambda _: said("tomorrow")

    ran = await cue("run", "ask")
    told = await cue("run", "ask", "--json")
    verbose = await cue("run", "ask", "--verbose")
    (newest, *_) = (await cue("executions", "list", "--json")).json["items"]
    shown = await cue("executions", "show", newest["id"])

    assert (ran.code, ran.out) == (code, out)
    assert ran.err.startswith(err) if err else ran.err == ""
    assert (newest["error_code"], newest["valid"]) == ("output_invalid", None if code else False)
    assert "  tomorrow" in shown.out
    if code:
        assert told.error["code"] == "output_invalid"
        return
    warning = "the answer 'tomorrow' is not an ISO 8601 date" if validation == "warn" else None
    assert (told.json["value"], told.json["valid"], told.json["text"]) == ("tomorrow", False, "tomorrow")
    assert told.json["warning"] == warning
    assert "  not valid\n" in verbose.err
    assert f"not valid output_invalid{f': {warning}' if warning else ''}\n" in shown.out
