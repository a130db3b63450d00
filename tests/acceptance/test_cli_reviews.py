"""`cuewire prompts protect` and `cuewire reviews`: labels that move only when test cases, or somebody else, agree."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.support.command_line import CommandLine
from tests.support.serving import serving

CASES = [{"name": "names", "inputs": {"who": "Ada"}, "contains": ["Ada"]}]


@pytest.fixture
async def guarded(cue: CommandLine, tmp_path: Path) -> CommandLine:
    """Return a command line with a prompt whose label is protected, and a version that waits for it."""
    (tmp_path / "cases.json").write_bytes(msgspec.json.encode(CASES))
    (tmp_path / "greet.j2").write_text("Hi {{ who }}")
    assert (await cue("prompts", "publish", "greet", "greet.j2", "--model", "scripted/echo")).code == 0
    protected = await cue("prompts", "protect", "greet", "production", "--check", "cases.json")
    assert protected.out == (
        "label production of greet is protected: for a publisher to move; 1 test cases must pass\n"
    ), protected
    (tmp_path / "greet.j2").write_text("Ho {{ who }}")
    assert (await cue("prompts", "publish", "greet", "greet.j2", "--model", "scripted/echo", "--publish")).code == 0
    return cue


async def test_a_version_passes_its_test_cases_and_is_approved(guarded: CommandLine) -> None:
    waiting = await guarded("reviews", "list")
    early = await guarded("--json", "reviews", "approve", "1")
    checked = await guarded("reviews", "check", "1")
    approved = (await guarded("--json", "reviews", "approve", "1", "--comment", "fine")).json
    shown = await guarded("reviews", "show", "1")

    assert waiting.out.splitlines()[1].split()[:5] == ["1", "greet", "production", "2", "pending"]
    assert (early.code, early.error["code"]) == (5, "review_required")
    assert "check    names passed  (" in checked.out
    assert (approved["status"], approved["comment"]) == ("approved", "fine")
    assert shown.out.startswith("greet: production to version 2 is approved\n")
    assert (await guarded("--json", "prompts", "show", "greet")).json["current"]["number"] == 2
    assert (await guarded("reviews", "list")).err == "no review waits\n"
    assert len((await guarded("--json", "reviews", "list", "greet", "--all")).json["items"]) == 1


async def test_a_label_that_stays_where_it_is_says_what_it_waits_for(guarded: CommandLine) -> None:
    publish = ("prompts", "publish", "greet", "greet.j2", "--model", "scripted/echo", "--publish")

    again = await guarded(*publish)
    await guarded("prompts", "protect", "greet", "candidate", "--review")
    drafted = await guarded("prompts", "draft", "greet", "1", "--label", "candidate", "--label", "beta")
    as_json = await guarded(*publish, "--json")

    assert again.out == "greet@2 is latest\n"
    assert again.err == (
        "note: production waits for review 1: run its test cases with: cuewire reviews check 1; "
        "then approve it with: cuewire reviews approve 1\n"
    )
    assert drafted.out == "greet@3 is beta, latest\n"
    assert drafted.err == (
        "note: candidate waits for review 2: somebody else approves it with: cuewire reviews approve 2\n"
    )
    assert (as_json.json["labels"], as_json.err) == (["latest"], "")


async def test_a_new_prompt_that_is_not_in_production_says_how_to_ask_for_it(cue: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "greet.j2").write_text("Hi {{ who }}")
    await cue("prompts", "publish", "greet", "greet.j2")
    await cue("prompts", "protect", "--all", "production", "--review")

    cloned = await cue("prompts", "clone", "greet", "hail", "--to-language", "de")
    asked = await cue("prompts", "label", "hail", "production", "1", "--language", "de")

    assert cloned.out == "hail@1 is latest\n"
    assert cloned.err == (
        "note: production did not move; ask for it with: cuewire prompts label hail production 1 --language de\n"
    )
    assert "review 1 waits for a decision" in asked.err


async def test_who_may_write_and_not_read_is_told_of_the_label_too(tmp_path: Path) -> None:
    cue = CommandLine(tmp_path)
    (tmp_path / "greet.j2").write_text("Hi {{ who }}")
    key = (await cue("--json", "keys", "create", "app", "--role", "editor", "--scope", "prompts:write")).json["key"]
    with serving(cue) as server:
        there = CommandLine(tmp_path, {"CUEWIRE_SERVER": server.url, "CUEWIRE_TOKEN": key})

        ended = await there("prompts", "publish", "greet", "greet.j2")

    assert (ended.code, ended.out) == (0, "greet@1 is latest\n")
    assert ended.err == "note: production did not move; ask for it with: cuewire prompts label greet production 1\n"


async def test_the_label_of_a_prompt_of_a_strategy_is_protected(cue: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "greet.j2").write_text("Hi {{ who }}")
    home = ("--strategy", "swing", "--language", "de")
    await cue("strategies", "add", "swing")
    await cue("prompts", "publish", "greet", "greet.j2", *home)

    protected = await cue("prompts", "protect", "greet", "candidate", "--review", *home)
    await cue("prompts", "label", "greet", "candidate", "1", *home)
    listed = (await cue("--json", "reviews", "list", "greet", *home)).json["items"]
    elsewhere = await cue("--json", "reviews", "list", "greet")
    dropped = (await cue("--json", "prompts", "unprotect", "greet", "candidate", *home)).json

    assert protected.code == 0, protected
    assert [(review["id"], review["label"]) for review in listed] == [(1, "candidate")]
    assert elsewhere.error["code"] == "prompt_not_found"
    assert dropped == {"dropped": True}


async def test_a_review_is_withdrawn_and_a_label_protected_no_longer(guarded: CommandLine) -> None:
    rejected = (await guarded("--json", "reviews", "reject", "1")).json
    dropped = await guarded("prompts", "unprotect", "greet", "production")
    again = (await guarded("--json", "prompts", "unprotect", "greet", "production")).json

    assert rejected["status"] == "withdrawn"
    assert dropped.out == "label production of greet is protected no longer\n"
    assert again == {"dropped": False}


async def test_a_label_of_all_prompts_is_protected(cue: CommandLine) -> None:
    rule = (await cue("--json", "prompts", "protect", "--all", "canary", "--role", "admin", "--review")).json

    assert rule == {"label": "canary", "prompt_id": None, "role": "admin", "needs_review": True, "checks": []}
    assert (await cue("prompts", "unprotect", "--all", "canary")).out.startswith("label canary of all prompts is ")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("production",), 2),
        (("--all", "greet", "production"), 2),
        (("greet", "production", "extra"), 2),
        (("absent", "production"), 3),
        (("--all", "canary", "--strategy", "swing"), 2),
        (("--all", "latest"), 4),
        (("--all", "canary", "--role", "king"), 4),
        (("--all", "canary", "--check", "absent.json"), 4),
        (("--all", "canary", "--check", "wrong.json"), 4),
    ],
)
async def test_what_cannot_be_protected_is_told(
    cue: CommandLine, tmp_path: Path, words: tuple[str, ...], code: int
) -> None:
    (tmp_path / "wrong.json").write_text('[{"inputs": {}}]')

    ended = await cue("--json", "prompts", "protect", *words)

    assert ended.code == code, ended
    assert ended.error["message"]
