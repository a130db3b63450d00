"""Policies on the command line, as real processes: published, shown, planned, run, and looked into afterwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cuewire.model.policies import parse_policy
from tests.support.command_line import CommandLine, Ended
from tests.support.model_server import ModelServer, completion, plain

THREE: dict[str, Any] = {
    "parallel": {"mode": "static_count", "count": 3},
    "selection": {"method": "consensus", "quorum": 0.5},
    "models": [{"model": "scripted/b", "priority": 5}],
}


@pytest.fixture(autouse=True)
def files(tmp_path: Path) -> None:
    (tmp_path / "echo.j2").write_text("Say {{ text }}")
    (tmp_path / "three.json").write_text(json.dumps(THREE))


async def publish(cue: CommandLine, policy: str, *more: str, stdin: bytes = b"") -> Ended:
    named = ("prompts", "publish", "echo", "echo.j2", "--model", "scripted/echo", "--policy", policy)
    return await cue(*named, *more, stdin=stdin)


async def test_a_policy_comes_from_a_file_from_stdin_or_as_it_stands(cue: CommandLine) -> None:
    ended = [
        await publish(cue, "three.json"),
        await publish(cue, "-", stdin=json.dumps(THREE).encode()),
        await publish(cue, json.dumps({**THREE, "at_once": 8})),
    ]
    shown = await cue("prompts", "show", "echo", "--json")

    assert [one.out for one in ended] == ["echo@1 is latest, production\n"] * 3
    assert parse_policy(shown.json["current"]["policy"]) == parse_policy(THREE)


async def test_a_policy_that_cannot_be_is_refused_with_its_place(cue: CommandLine) -> None:
    (cue.folder / "none.json").write_text("[]")

    counted = await publish(cue, '{"parallel": {"mode": "static_count", "count": 0}}', "--json")
    cut = await publish(cue, '{"parallel"')
    absent = await publish(cue, "nowhere.json")
    listed = await publish(cue, "none.json", "--json")

    assert (counted.code, counted.error["field"]) == (4, "/policy/parallel/count")
    assert (cut.code, cut.err.split("\n")[0]) == (4, "error: the policy is not JSON: Input data was truncated")
    assert (absent.code, "'nowhere.json' cannot be read" in absent.err) == (4, True)
    assert (listed.code, listed.error["code"]) == (4, "invalid_input")


async def test_a_policy_is_shown_in_lines_and_its_change_as_a_difference(cue: CommandLine) -> None:
    await publish(cue, "three.json")
    await cue("prompts", "draft", "echo", "1", "--policy", json.dumps({**THREE, "max_repairs": 1, "models": []}))
    kept = await cue("prompts", "draft", "echo", "2", "--note", "again", "--json")

    shown = await cue("prompts", "show", "echo@1")
    compared = await cue("prompts", "diff", "echo", "1", "2")

    assert [line for line in shown.out.split("\n") if line.startswith("policy")] == [
        "policy   3 candidates",
        "policy   model scripted/b, priority 5, group 0",
        "policy   selects by consensus, quorum 0.5",
    ]
    assert compared.out.split("\n")[2:] == [
        "-policy   model scripted/b, priority 5, group 0",
        "+policy   1 repair",
        "",
    ]
    assert kept.json["policy"]["max_repairs"] == 1


async def test_a_plan_names_each_candidate_with_the_reason_and_calls_nothing(cue: CommandLine) -> None:
    await publish(cue, "three.json", "--param", "max_tokens=10")

    planned = await cue("plan", "echo", "-v", "text=hi")
    dry = await cue("run", "echo", "-v", "text=hi", "--dry-run")
    as_json = await cue("plan", "echo", "-v", "text=hi", "--model", "scripted/c", "--param", "seed=4", "--json")
    executions = await cue("executions", "list", "--json")

    assert [line.split() for line in planned.out.split("\n")] == [
        ["candidate", "group", "model", "parameters", "reason", "fallbacks"],
        ["0", "0", "scripted/echo", "max_tokens=10,", "seed=0", "named", "by", "the", "version,", "seed", "0", "-"],
        ["1", "0", "scripted/b", "max_tokens=10", "bound", "to", "the", "version", "-"],
        ["2", "0", "scripted/echo", "max_tokens=10,", "seed=1", "named", "by", "the", "version,", "seed", "1", "-"],
        [],
        ["at", "most", "3", "calls,", "at", "most", "$0.00"],
        [],
    ]
    assert dry.out == planned.out
    assert [(each["model"], each["parameters"]["seed"]) for each in as_json.json["candidates"]] == [
        ("scripted/c", 4),
        ("scripted/c", 5),
        ("scripted/c", 6),
    ]
    assert executions.json["items"] == []


async def test_a_plan_tells_what_is_not_known_and_refuses_what_a_run_would(cue: CommandLine) -> None:
    await publish(cue, '{"models": [{"model": "scripted/b", "active": false}]}')

    planned = await cue("plan", "echo", "-v", "text=hi")
    refused = await cue("plan", "echo", "-v", "other=hi", "--json")

    assert planned.out.split("\n")[2:] == [
        "",
        "at most 1 call, cost not known",
        "note: scripted/b is not active",
        "note: what it can cost at most is not known: a candidate has no max_tokens",
        "",
    ]
    assert (refused.code, refused.error["code"]) == (4, "invalid_input")


async def test_a_configuration_says_how_many(cue: CommandLine) -> None:
    await publish(cue, '{"parallel": {"mode": "config_param", "param": "samples"}}')
    await cue("configurations", "add", "live", "--param", "samples=2")

    planned = await cue("plan", "echo", "-v", "text=hi", "--configuration", "live", "--json")
    ran = await cue("run", "echo", "-v", "text=hi", "--configuration", "live", "--json")
    without = await cue("run", "echo", "-v", "text=hi", "--json")

    assert len(planned.json["candidates"]) == len(ran.json["candidates"]) == 2
    assert (without.code, without.error["field"]) == (4, "/configuration")


async def test_a_run_tells_on_stderr_how_its_answer_was_chosen(cue: CommandLine) -> None:
    await publish(cue, "three.json")

    ran = await cue("run", "echo", "-v", "text=hi", "--verbose")
    quiet = await cue("run", "echo", "-v", "text=hi")

    assert ran.out == quiet.out == "Say hi\n"
    assert ran.err.split("\n")[1] == "3 of 3 agree; $0.00"
    assert quiet.err == ""


async def test_the_record_shows_candidates_their_calls_and_which_was_selected(cue: CommandLine) -> None:
    async with ModelServer() as server:
        cue.environment |= {"OPENAI_API_KEY": "sk-canary-77", "OPENAI_BASE_URL": server.url}
        policy = {
            **THREE,
            "models": [{"model": "openai/tiny-1"}],
            "retry": {"max_retries": 1, "delay_ms": 1, "jitter": False},
        }
        await publish(cue, json.dumps(policy))
        server.script(plain({"error": {"message": "busy"}}, status=503), plain(completion("Say hi")))

        ran = await cue("run", "echo", "-v", "text=hi", "--json")
        shown = await cue("executions", "show", ran.json["id"])

    lines = shown.out.split("\n")
    table = lines[lines.index("candidates") + 1 :][:4]
    calls = lines[lines.index("calls") + 1 :][:5]
    assert [line.split()[:6] for line in table[1:]] == [
        ["*", "0", "0", "scripted/echo", "valid", "1"],
        ["1", "0", "openai/tiny-1", "valid", "2", "1"],
        ["2", "0", "scripted/echo", "valid", "3", "1"],
    ]
    assert "selected  candidate 0 by consensus: 3 of 3 agree" in lines
    assert "agreement 100 %" in lines
    told = [line.split()[1:4] for line in calls[1:]]
    assert sorted(told) == [
        ["0", "first", "scripted/echo"],
        ["1", "first", "openai/tiny-1"],
        ["1", "retry", "openai/tiny-1"],
        ["2", "first", "scripted/echo"],
    ]
    timeline = next(at for at, line in enumerate(lines) if line.startswith("timeline"))
    assert all("█" in line or "▒" in line for line in lines[timeline + 1 : timeline + 5])


async def test_a_judge_is_named_with_its_execution_which_names_what_it_judged(cue: CommandLine) -> None:
    (cue.folder / "judge.j2").write_text("Which is best? {{ task }} {{ candidates }} {{ fault }}")
    named = ("prompts", "publish", "judge", "judge.j2", "--lenient", "--model", "scripted/echo", "--output", "json")
    judge = await cue(*named)
    assert (judge.code, judge.err) == (0, "")
    await publish(cue, json.dumps({**THREE, "selection": {"method": "judge", "prompt": "judge"}}))

    ran = await cue("run", "echo", "-v", "text=hi", "--json")
    shown = await cue("executions", "show", ran.json["id"])
    (first, *_) = ran.json["selection"]["judges"]
    judged = await cue("executions", "show", first)

    assert f"judge     {first}" in shown.out.split("\n")
    assert f"judged    for {ran.json['id']}" in judged.out.split("\n")


async def test_breakers_are_those_of_a_server(cue: CommandLine) -> None:
    await publish(cue, "{}")
    listed = await cue("breakers", "list")
    if "CUEWIRE_SERVER" not in cue.whole_environment():
        assert (listed.code, "breakers are a running server's" in listed.err) == (2, True)
        return

    assert (listed.code, listed.err) == (0, "no calls yet, so there are no breakers\n")
    stopped = await cue("breakers", "open", "scripted/echo")
    refused = await cue("run", "echo", "-v", "text=hi", "--json")
    again = await cue("breakers", "list", "--json")
    reset = await cue("breakers", "reset", "scripted/echo", "--json")
    ran = await cue("run", "echo", "-v", "text=hi")
    closed = await cue("breakers", "close", "scripted/echo")
    no_model = await cue("breakers", "open", "nothing", "--json")

    assert stopped.out.split("\n")[1].split()[:4] == ["scripted/echo", "open", "by", "hand"]
    assert refused.error["code"] == "provider_unavailable"
    assert [(each["status"], each["refused"]) for each in again.json["items"]] == [("open", 1)]
    assert (reset.json["status"], reset.json["is_forced"]) == ("closed", False)
    assert ran.out == "Say hi\n"
    assert "closed by hand" in closed.out
    assert (no_model.code, no_model.error["field"]) == (4, "/model")
