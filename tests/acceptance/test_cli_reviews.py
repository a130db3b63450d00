"""`cuewire prompts protect` and `cuewire reviews`: labels that move only when test cases, or somebody else, agree."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.support.command_line import CommandLine

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
