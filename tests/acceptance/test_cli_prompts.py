"""`cuewire prompts` and `cuewire executions`, as real processes."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine


@pytest.fixture(autouse=True)
def templates(tmp_path: Path) -> None:
    (tmp_path / "one.j2").write_text("Bug or idea? {{ text }}\n")
    (tmp_path / "two.j2").write_text("Is this a bug or an idea? {{ text }}\n")


async def publish(cue: CommandLine, *arguments: str, name: str = "triage", file: str = "one.j2") -> str:
    ended = await cue("prompts", "publish", name, file, "--model", "scripted/echo", *arguments)
    assert (ended.code, ended.err) == (0, "")
    return ended.out


async def test_the_first_version_is_production_and_later_ones_wait(cue: CommandLine) -> None:
    first = await publish(cue)
    second = await publish(cue, "--label", "candidate", file="two.j2")
    released = await publish(cue, "--publish", "--note", "shorter", file="one.j2")

    assert first == "triage@1 is latest, production\n"
    assert second == "triage@2 is candidate, latest\n"
    assert released == "triage@3 is latest, production\n"


async def test_publishing_what_is_there_adds_nothing(cue: CommandLine) -> None:
    await publish(cue)

    assert await publish(cue) == "triage@1 is latest, production\n"


async def test_a_label_rolls_out_and_back(cue: CommandLine) -> None:
    await publish(cue)
    await publish(cue, file="two.j2")

    out = await cue("prompts", "label", "triage", "production", "2")
    answer = await cue("run", "triage", "-v", "text=x")
    back = await cue("prompts", "label", "triage", "production", "1")

    assert out.out == "triage@2 is now latest, production\n"
    assert answer.out.startswith("Is this")
    assert back.out == "triage@1 is now production\n"


async def test_the_list_names_versions_and_labels(cue: CommandLine) -> None:
    await publish(cue)
    await publish(cue, "--label", "candidate", file="two.j2")
    await publish(cue, name="greet/short")

    listed = (await cue("prompts", "list")).out.splitlines()
    page = (await cue("prompts", "list", "--limit", "1", "--json")).json
    rest = (await cue("prompts", "list", "--after", page["next"], "--json")).json
    versions = (await cue("prompts", "versions", "triage", "--json")).json["items"]

    assert listed[0].split()[:6] == ["name", "type", "language", "scope", "version", "status"]
    assert [line.split()[0] for line in listed[1:]] == ["greet/short", "triage"]
    assert "candidate 2, latest 2, production 1" in listed[2]
    assert [item["name"] for item in page["items"] + rest["items"]] == ["greet/short", "triage"]
    assert [version["number"] for version in versions] == [2, 1]


async def test_show_prints_a_version(cue: CommandLine) -> None:
    await publish(cue, "--output", "bug,idea")
    await publish(cue, "--output", "number", "--param", "temperature=0.5", file="two.j2")

    shown = (await cue("prompts", "show", "triage@production")).out
    newest = (await cue("prompts", "show", "triage@2")).out

    assert shown.startswith("triage@1  production\n")
    assert "output   one of bug, idea" in shown
    assert "user:\n  Bug or idea? {{ text }}" in shown
    assert "output   number\nparam    temperature = 0.5\n" in newest


async def test_messages_come_from_a_json_file_and_a_system_message_from_its_own(cue: CommandLine) -> None:
    few = [{"role": "user", "content": "It crashes"}, {"role": "assistant", "content": "bug"}]
    (cue.folder / "few.json").write_text(json.dumps([*few, {"role": "user", "content": "{{ text }}"}]))
    (cue.folder / "system.j2").write_text("You sort {{ what }}.")

    await publish(cue, "--system", "system.j2", file="few.json")
    ended = await cue("run", "triage", "-v", "text=Add tabs", "-v", "what=tickets", "--json")
    record = (await cue("executions", "show", ended.json["id"], "--json")).json

    assert [message["role"] for message in record["messages"]] == ["system", "user", "assistant", "user"]
    assert record["messages"][0]["content"] == "You sort tickets."


@pytest.mark.contract("S0-05")
async def test_the_variables_of_a_template_are_listed_before_it_is_published(cue: CommandLine) -> None:
    (cue.folder / "system.j2").write_text("Be {{ tone | d('kind') }}.")

    listed = await cue("prompts", "variables", "one.j2", "--system", "system.j2")
    as_json = await cue("prompts", "variables", "-", "--json", stdin=b"{% for item in items %}{{ item }}{% endfor %}")
    broken = await cue("prompts", "variables", "-", stdin=b"{{ name")

    assert [line.split() for line in listed.out.splitlines()] == [
        ["variable", "kind", "required"],
        ["tone", "value", "no"],
        ["text", "value", "yes"],
    ]
    assert as_json.json["variables"]["items"]["required"] is True
    assert (broken.code, broken.out) == (4, "")
    assert (await cue("prompts", "list", "--json")).json["items"] == []


async def test_a_json_schema_comes_from_a_file(cue: CommandLine) -> None:
    (cue.folder / "schema.json").write_text('{"type": "object", "required": ["kind"]}')

    await publish(cue, "--output", "schema.json")

    shown = (await cue("prompts", "show", "triage")).out
    assert 'output   json that satisfies {"type":"object","required":["kind"]}' in shown


async def test_an_archived_prompt_keeps_its_history_and_no_longer_runs(cue: CommandLine) -> None:
    await publish(cue)

    assert (await cue("prompts", "archive", "triage")).out == "triage is archived\n"

    assert (await cue("run", "triage", "-v", "text=x")).code == 3
    assert (await cue("prompts", "publish", "triage", "two.j2")).code == 5
    assert (await cue("prompts", "list", "--json")).json["items"] == []
    archived = (await cue("prompts", "list", "--status", "archived", "--json")).json["items"]
    assert [prompt["name"] for prompt in archived] == ["triage"]


@pytest.mark.parametrize("columns", [80, 140])
async def test_a_list_fits_the_terminal(cue: CommandLine, columns: int) -> None:
    await publish(cue)
    for text in ("a", "b"):
        await cue("run", "triage", "-v", f"text={text}")

    seen = await cue.on_terminal("executions", "list", columns=columns)

    assert len(seen.out.splitlines()) == 3
    assert max(map(len, seen.out.splitlines())) <= columns
    assert ("started (UTC)" in seen.out) == (columns == 140)


async def test_no_color_is_honoured(cue: CommandLine) -> None:
    await publish(cue)
    await cue("run", "triage", "-v", "text=x")

    colored = await cue.on_terminal("executions", "list")
    plain = await cue.on_terminal("executions", "list", "--no-color")
    cue.environment["NO_COLOR"] = "1"
    asked = await cue.on_terminal("executions", "list")

    assert "\x1b[32m" in colored.err
    assert "\x1b[32m" not in plain.err + asked.err


async def test_executions_are_listed_newest_first_by_prompt_and_status(cue: CommandLine) -> None:
    await publish(cue)
    await publish(cue, name="other")
    for arguments in (["triage", "-v", "text=x"], ["triage"], ["other", "-v", "text=y"]):
        await cue("run", *arguments)

    all_of_them = (await cue("executions", "list", "--json")).json["items"]
    failed = (await cue("executions", "list", "--status", "failed", "--prompt", "triage", "--json")).json["items"]
    shown = (await cue("executions", "show", failed[0]["id"])).out

    assert [item["prompt"] for item in all_of_them] == ["other", "triage", "triage"]
    assert [item["status"] for item in failed] == ["failed"]
    assert "error     invalid_input: " in shown


async def test_tail_follows_what_ends_until_it_is_interrupted(cue: CommandLine) -> None:
    await publish(cue)
    await cue("run", "triage", "-v", "text=before")
    process = await cue.start("executions", "tail", "--json")
    assert process.stdout is not None

    async with asyncio.timeout(20):
        lines = [await process.stdout.readline()]
        await cue("run", "triage", "-v", "text=after")
        lines.append(await process.stdout.readline())
        process.send_signal(signal.SIGINT)
        code = await process.wait()

    assert [json.loads(line)["status"] for line in lines] == ["succeeded", "succeeded"]
    assert json.loads(lines[0])["id"] < json.loads(lines[1])["id"]
    assert code == 130
