"""`cuewire prompts` in full: homes, details, drafts, history, differences, the way back; and what comes before them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine, Ended
from tests.support.serving import Serving, serving

PROMPT_FILE = """\
---
description: Sorts what users write
type: general
tags: [support]
model: scripted/echo
output: [bug, idea]
variables:
  tone: {type: string, default: kind, description: how to speak}
---
[[system]]
You sort what users write. Be {{ tone }}.
[[user]]
Bug or idea? {{ text }}
"""


@pytest.fixture(autouse=True)
def templates(tmp_path: Path) -> None:
    (tmp_path / "one.j2").write_text("Bug or idea?\n{{ text }}\n")
    (tmp_path / "two.j2").write_text("Bug, idea or praise?\n{{ text }}\n")
    (tmp_path / "bad.j2").write_text("Hello\n{{ text | roud }}\n{% if text %}\n")
    (tmp_path / "triage.prompt").write_text(PROMPT_FILE)


async def done(cue: CommandLine, *arguments: str) -> str:
    ended = await cue("prompts", *arguments)
    assert (ended.code, ended.err) == (0, ""), ended
    return ended.out


async def publish(cue: CommandLine, file: str = "one.j2", *arguments: str, name: str = "triage") -> str:
    return await done(cue, "publish", name, file, "--model", "scripted/echo", *arguments)


async def names(cue: CommandLine, *arguments: str) -> list[str]:
    return [item["name"] for item in (await cue("prompts", "list", "--json", *arguments)).json["items"]]


async def test_a_prompt_is_described_and_found_by_what_is_said_of_it(cue: CommandLine) -> None:
    said = ("--description", "Sorts mail", "--type", "analysis", "--category", "support", "--tag", "a", "--tag", "b")
    await publish(cue, "one.j2", *said, "--lenient")
    await publish(cue, name="greet")

    shown = await done(cue, "show", "triage")
    by_type, by_tag = await names(cue, "--type", "analysis"), await names(cue, "--tag", "b")
    by_text, sorted_back = await names(cue, "--search", "mail"), await names(cue, "--sort", "-name")
    second = await names(cue, "--page", "2", "--limit", "1")

    assert shown.startswith(
        "triage  global, en\nabout    Sorts mail\ntype     analysis, category support\ntags     a, b\n"
        "labels   latest 1, production 1\nstatus   active, revision 1, changed "
    )
    assert "\n\ntriage@1  latest, production\n" in shown
    assert "\nlenient  takes what inputs come\n" in shown
    assert by_type == by_tag == by_text == second == ["triage"]
    assert sorted_back == ["triage", "greet"]


@pytest.mark.contract("S3-063")
@pytest.mark.parametrize("columns", [80, 140])
async def test_the_list_shows_what_each_prompt_is_and_fits_the_terminal(cue: CommandLine, columns: int) -> None:
    await cue("strategies", "add", "swing")
    await publish(cue, "one.j2", "--strategy", "swing", "--language", "de", "--type", "analysis")

    seen = (await cue.on_terminal("prompts", "list", columns=columns)).out.splitlines()

    assert seen[0].split()[:6] == ["name", "type", "language", "scope", "version", "status"]
    assert seen[1].split()[:6] == ["triage", "analysis", "de", "swing", "1", "active"]
    assert ("labels" in seen[0]) == (columns == 140)
    assert max(map(len, seen)) <= columns


async def test_each_home_has_a_prompt_of_its_own(cue: CommandLine) -> None:
    await cue("strategies", "add", "swing")
    await publish(cue)
    await publish(cue, "two.j2", "--strategy", "swing")
    german = ("--language", "de")
    await publish(cue, "two.j2", *german)

    own = (await cue("prompts", "show", "triage", "--strategy", "swing", "--json")).json
    near = (await cue("prompts", "show", "triage", "--language", "de-AT", "--json")).json
    told = await done(cue, "draft", "triage", "1", "--param", "temperature=0", *german)
    moved = await done(cue, "label", "triage", "candidate", "2", *german)
    await done(cue, "archive", "triage", *german)

    assert (own["strategy"], near["language"], near["current"]["language"]) == ("swing", "de", "de")
    assert (told, moved) == ("triage@2 is latest\n", "triage@2 is now candidate, latest\n")
    assert await names(cue, "--language", "de") == []
    assert await names(cue, "--strategy", "swing") == ["triage"]
    assert await names(cue) == ["triage", "triage"]


async def test_a_prompt_file_says_all_of_a_version_and_options_win(cue: CommandLine) -> None:
    await done(cue, "publish", "triage", "triage.prompt", "--note", "first", "--new")
    again = await cue("prompts", "publish", "triage", "triage.prompt", "--new")

    shown = (await cue("prompts", "show", "triage", "--json")).json

    assert (shown["description"], shown["tags"], shown["current"]["note"]) == (
        "Sorts what users write",
        ["support"],
        "first",
    )
    assert shown["current"]["output"] == {"type": "choice", "choices": ["bug", "idea"]}
    assert shown["current"]["variables"]["tone"]["default"] == "kind"
    assert (again.code, "there is a prompt 'triage' already" in again.err) == (5, True)


async def test_a_draft_is_an_earlier_version_with_what_is_said_anew(cue: CommandLine) -> None:
    await publish(cue, "one.j2", "--output", "bug,idea")
    await publish(cue, "two.j2", "--publish")

    restored = await done(cue, "draft", "triage", "1")
    changed = await done(cue, "draft", "triage", "1", "two.j2", "--label", "candidate", "--note", "try")
    third, fourth = [(await cue("prompts", "show", f"triage@{number}", "--json")).json for number in (3, 4)]

    assert (restored, changed) == ("triage@3 is latest\n", "triage@4 is candidate, latest\n")
    assert third["messages"][0]["content"] == "Bug or idea?\n{{ text }}\n"
    assert fourth["messages"][0]["content"].startswith("Bug, idea or praise?")
    assert third["output"] == fourth["output"] == {"type": "choice", "choices": ["bug", "idea"]}
    assert (fourth["parent"], fourth["note"]) == (1, "try")


async def test_what_is_said_of_a_prompt_changes_and_whether_it_runs(cue: CommandLine) -> None:
    await publish(cue, "one.j2", "--description", "old", "--tag", "a")

    edited = await done(cue, "edit", "triage", "--description", "new", "--tag", "", "--inactive")
    refused = await cue("run", "triage", "-v", "text=x")
    still_shown = await done(cue, "show", "triage")
    await done(cue, "edit", "triage", "--active")
    answer = await cue("run", "triage", "-v", "text=x")
    nothing = await cue("prompts", "edit", "triage")

    assert "about    new\ntype     general\nlabels" in edited
    assert (refused.code, "prompt 'triage' is inactive" in refused.err) == (3, True)
    assert "status   inactive" in still_shown
    assert (answer.code, nothing.code) == (0, 2)


async def test_a_prompt_is_cloned_archived_and_brought_back(cue: CommandLine) -> None:
    await publish(cue)

    cloned = await done(cue, "clone", "triage", "sort", "--to-language", "de")
    archived = await done(cue, "archive", "sort", "--language", "de")
    restored = await done(cue, "restore", "sort", "--language", "de")

    assert cloned == "sort@1 is latest, production\n"
    assert (archived, restored) == ("sort is archived\n", "sort is active again\n")
    assert await names(cue, "--language", "de") == ["sort"]


async def test_the_history_says_when_who_and_what(cue: CommandLine) -> None:
    await publish(cue)
    await publish(cue, "two.j2", "--note", "praise")
    await done(cue, "edit", "triage", "--description", "Sorts mail")
    await done(cue, "label", "triage", "production", "2")

    lines = (await done(cue, "history", "triage")).splitlines()
    third = (await cue("prompts", "history", "triage", "--json")).json["items"][2]["id"]
    rest = (await cue("prompts", "history", "triage", "--limit", "1", "--after", str(third), "--json")).json["items"]

    assert lines[0].split() == ["when", "(UTC)", "who", "what"]
    assert [line.split("  ")[-1] for line in lines[1:]] == [
        "created it",
        "published version 1",
        "moved production to 1",
        "published version 2: praise",
        'changed description "Sorts mail"',
        "moved production from 1 to 2",
    ]
    assert [event["action"] for event in rest] == ["version.published"]


@pytest.mark.contract("S3-141")
async def test_a_diff_shows_what_changed_as_written_and_as_it_comes_out(cue: CommandLine) -> None:
    await done(cue, "publish", "triage", "triage.prompt")
    changed = PROMPT_FILE.replace("Bug or idea?", "Bug, idea or praise?").replace("idea]", "idea, praise]")
    (cue.folder / "triage.prompt").write_text(changed.replace("default: kind", "default: dry"))
    await done(cue, "publish", "triage", "triage.prompt", "--label", "candidate")

    written = await done(cue, "diff", "triage", "1", "2")
    came_out = await done(cue, "diff", "triage", "production", "candidate", "-v", "text=It crashes")
    same = await done(cue, "diff", "triage", "2", "2")
    colored = await cue.on_terminal("prompts", "diff", "triage", "1", "2")
    absent = await cue("prompts", "diff", "triage", "1", "beta")

    assert written.startswith(
        "--- triage@1\n+++ triage@2\n-output   one of bug, idea\n+output   one of bug, idea, praise"
    )
    assert written.endswith("@@ -1,1 +1,1 @@ user\n-Bug or idea? {{ text }}\n+Bug, idea or praise? {{ text }}\n")
    assert "-You sort what users write. Be kind.\n+You sort what users write. Be dry.\n" in came_out
    assert "-Bug or idea? It crashes\n+Bug, idea or praise? It crashes\n" in came_out
    assert same == ""
    assert "\x1b[31m-Bug or idea?" in colored.err
    assert (absent.code, "no version labelled 'beta'" in absent.err) == (3, True)


async def test_a_rollback_goes_back_step_by_step(cue: CommandLine) -> None:
    await publish(cue)
    await publish(cue, "two.j2", "--publish")
    await publish(cue, "one.j2", "--publish", "--param", "temperature=0")

    first = await done(cue, "rollback", "triage")
    second = (await cue("prompts", "rollback", "triage", "--json")).json
    third = await cue("prompts", "rollback", "triage")
    await done(cue, "label", "triage", "production", "3")
    fourth = await done(cue, "rollback", "triage")

    assert first == "triage: production is back on version 2, from 3\n"
    assert second == {"prompt": "triage", "label": "production", "from": 2, "to": 1}
    assert (third.code, "was on no version before" in third.err) == (3, True)
    assert fourth == "triage: production is back on version 1, from 3\n"


async def test_commands_to_copy_mean_the_prompt_that_they_are_told_of(cue: CommandLine) -> None:
    await cue("strategies", "add", "swing")
    await publish(cue)
    home = ("--strategy", "swing", "--language", "de")
    await publish(cue, "one.j2", *home)

    told = await cue("prompts", "publish", "triage", "two.j2", *home, "--verbose")
    diff = await cue("prompts", "diff", "triage", "1", "beta", *home, "--json")
    back = await cue("prompts", "rollback", "triage", *home, "--json")

    written = " ".join(home)
    assert told.err == f"roll it out with: cuewire prompts label triage production 2 {written}\n"
    assert diff.error["hint"] == f"see its labels with: cuewire prompts show triage {written}"
    assert back.error["hint"] == f"see where it was with: cuewire prompts history triage {written}"


async def test_prompts_are_counted_by_what_is_said_of_them(cue: CommandLine) -> None:
    await cue("strategies", "add", "swing")
    await publish(cue, "one.j2", "--type", "analysis", "--tag", "mail")
    await publish(cue, "two.j2")
    await publish(cue, "one.j2", "--strategy", "swing", "--language", "de")
    await publish(cue, name="old")
    await done(cue, "archive", "old")

    counted = [line.split() for line in (await done(cue, "stats")).splitlines()]

    assert counted == [
        ["what", "which", "count"],
        ["prompts", "-", "2"],
        ["versions", "-", "3"],
        ["type", "analysis", "1"],
        ["type", "general", "1"],
        ["language", "de", "1"],
        ["language", "en", "1"],
        ["status", "active", "2"],
        ["status", "archived", "1"],
        ["scope", "global", "1"],
        ["scope", "strategy", "1"],
        ["strategy", "swing", "1"],
        ["tag", "mail", "1"],
    ]


async def test_all_that_is_wrong_with_a_template_is_told_with_its_place(cue: CommandLine) -> None:
    (cue.folder / "few.json").write_text(json.dumps([{"role": "user", "content": "a\n{{ text | roud }}"}]))
    broken = PROMPT_FILE.replace("{{ text }}", "{{ text | roud }}").replace("scripted/echo", "echo")
    (cue.folder / "broken.prompt").write_text(broken)

    bad = await cue("prompts", "validate", "bad.j2")
    few = await cue("prompts", "validate", "few.json", "--system", "bad.j2")
    piped = await cue("prompts", "validate", "-", stdin=b"{{ a")
    file = await cue("prompts", "validate", "broken.prompt")
    as_json = await cue("prompts", "validate", "bad.j2", "--json")
    typed = await cue("prompts", "validate", "one.j2", "--type", "analysis")

    assert {ended.code for ended in (bad, few, piped, file, as_json)} == {4}
    assert [line.split(" ")[:2] for line in bad.out.splitlines()] == [
        ["bad.j2:2:11:", "error:"],
        ["bad.j2:3:1:", "error:"],
    ]
    assert "few.json#/0/content:2:11: error: there is no filter 'roud'; did you mean 'round'\n" in few.out
    assert piped.out.startswith("stdin:1:")
    assert file.out.startswith("broken.prompt: error: 'echo' is not a model")
    assert "broken.prompt:13:24: error: there is no filter 'roud'" in file.out
    assert [problem["line"] for problem in as_json.json["problems"]] == [2, 3]
    assert (typed.code, typed.out.startswith("one.j2:2:4: warning: 'text' is not among")) == (0, True)


async def test_a_template_and_a_version_are_rendered_with_marks_or_strictly(cue: CommandLine) -> None:
    await publish(cue)

    marked = await cue("prompts", "render", "two.j2")
    version = await done(cue, "render", "triage@1", "-v", "text=It crashes")
    file = await done(cue, "render", "triage.prompt", "-v", "text=x")
    strict = await cue("prompts", "render", "triage", "-v", "txet=x", "--strict")
    typed = await cue("prompts", "render", "triage", "--type", "analysis")
    absent = await cue("prompts", "render", "absent.j2")

    assert (marked.code, marked.out) == (0, "Bug, idea or praise?\n\u27e6text\u27e7\n")
    assert marked.err == "warning: 'text' is missing\n"
    assert version == "Bug or idea?\nIt crashes\n"
    assert file == "system:\n  You sort what users write. Be kind.\n\nuser:\n  Bug or idea? x\n"
    assert (strict.code, "'txet' is not read" in strict.err, "'text' is missing" in strict.err) == (4, True, True)
    assert (typed.code, "for --type: it goes with a file" in typed.err) == (2, True)
    assert (absent.code, "'absent.j2' cannot be read" in absent.err) == (4, True)


TWO = "Bug, idea or praise?\n{{ text }}\n"
SAME: dict[str, tuple[Sequence[str], str, object]] = {
    "list": (["list"], "?limit=100", None),
    "page": (["list", "--page", "2", "--limit", "1", "--sort", "-name"], "?page=2&page_size=1&sort=-name", None),
    "stats": (["stats"], "stats", None),
    "versions": (["versions", "triage"], "triage/versions", None),
    "prompt": (["show", "triage"], "triage", None),
    "version": (["show", "triage@candidate"], "triage/versions/candidate", None),
    "history": (["history", "triage"], "triage/history", None),
    "diff": (["diff", "triage", "1", "2"], "triage/diff", {"first": 1, "second": 2}),
    "variables": (["variables", "two.j2"], "variables", {"content": TWO}),
    "validate": (
        ["validate", "two.j2", "--type", "analysis"],
        "validate",
        {"content": TWO, "template_type": "analysis"},
    ),
    "render": (["render", "two.j2"], "render", {"content": TWO}),
    "rendered": (["render", "triage@1", "-v", "text=x"], "render", {"prompt": "triage@1", "inputs": {"text": "x"}}),
}


def json_of(ended: Ended) -> object:
    assert ended.code == 0, ended
    return ended.json


async def test_with_json_the_commands_say_what_the_server_says(tmp_path: Path) -> None:
    here = CommandLine(tmp_path)
    await publish(here)
    await publish(here, "two.j2", "--label", "candidate")
    await publish(here, name="greet")
    with serving(here) as server:
        there = CommandLine(tmp_path, {"CUEWIRE_SERVER": server.url, "CUEWIRE_TOKEN": server.key})
        for arguments, path, body in SAME.values():
            wanted = server.ask("GET" if body is None else "POST", f"/api/v1/prompts/{path}", body).json

            assert json_of(await here("prompts", *arguments, "--json")) == wanted
            assert json_of(await there("prompts", *arguments, "--json")) == wanted
        await _changes_are_the_same(here, server)


async def _changes_are_the_same(cue: CommandLine, server: Serving) -> None:
    def shown() -> dict[str, object]:
        found: dict[str, object] = server.ask("GET", "/api/v1/prompts/greet?archived=true").json
        return {name: value for name, value in found.items() if name != "current"}

    for arguments in (["edit", "greet", "--description", "new"], ["archive", "greet"], ["restore", "greet"]):
        assert json_of(await cue("prompts", *arguments, "--json")) == shown()
