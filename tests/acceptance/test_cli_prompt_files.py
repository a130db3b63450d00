"""Prompts go into files and come back, here and on a server, and nothing changes that nobody changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import CommandLine

FOLDER = "prompts"
CHECK = """---
model: scripted/echo
output: [yes, no]
parameters: {temperature: 0}
variables: {tone: {type: string, default: kind}}
---
[[system]]
Be {{ tone }}.
[[messages: history]]
[[user]]
{{ text }}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder, with a file that somebody wrote by hand."""
    folder = tmp_path / FOLDER
    (folder / "team").mkdir(parents=True)
    (folder / "team" / "check.prompt").write_text(CHECK)
    return folder


async def changes(cue: CommandLine, *arguments: str) -> dict[str, tuple[str, int]]:
    """Run a command on prompt files, and return what it did to each prompt."""
    ended = await cue("prompts", *arguments, "--json")
    assert ended.code == 0, ended.err
    return {item["prompt"]: (item["change"], item["number"]) for item in ended.json["items"]}


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.prompt")}


async def listed(cue: CommandLine) -> dict[str, Any]:
    return {item["name"]: item["labels"] for item in (await cue("prompts", "list", "--json")).json["items"]}


async def test_a_file_is_published_once_and_comes_back_in_one_form(cue: CommandLine, folder: Path) -> None:
    foreseen = await changes(cue, "push", FOLDER, "--dry-run")
    assert (foreseen, await listed(cue)) == ({"team/check": ("new", 0)}, {})

    assert await changes(cue, "push", FOLDER) == {"team/check": ("new", 1)}
    assert await changes(cue, "push", FOLDER) == {"team/check": ("unchanged", 1)}
    assert await changes(cue, "pull", FOLDER) == {"team/check": ("changed", 1)}
    assert await changes(cue, "pull", FOLDER) == {"team/check": ("unchanged", 1)}
    assert await changes(cue, "push", FOLDER) == {"team/check": ("unchanged", 1)}
    assert (folder / "team" / "check.prompt").read_text().endswith(CHECK.partition("}}\n---\n")[2])


async def test_an_edited_file_is_a_new_version_that_waits_unless_told(cue: CommandLine, folder: Path) -> None:
    await changes(cue, "push", FOLDER)
    file = folder / "team" / "check.prompt"

    file.write_text(CHECK.replace("Be", "Always be"))
    assert await changes(cue, "push", FOLDER, "--label", "candidate") == {"team/check": ("changed", 2)}
    assert await listed(cue) == {"team/check": {"candidate": 2, "latest": 2, "production": 1}}
    assert await changes(cue, "push", FOLDER, "--publish") == {"team/check": ("unchanged", 2)}

    assert (await listed(cue))["team/check"]["production"] == 2
    assert await changes(cue, "pull", "old", "--label", "production") == {"team/check": ("changed", 2)}


async def test_with_one_wrong_file_none_is_published(cue: CommandLine, folder: Path) -> None:
    (folder / "a.prompt").write_text("---\n---\nfine\n")
    (folder / "b.prompt").write_text("---\nmodle: x\n---\nBug?\n")
    (folder / "C.prompt").write_text("---\n---\nBug?\n")
    (folder / "d.prompt").write_bytes(b"---\n---\n\xff\n")
    (folder / "e.prompt").symlink_to("/etc/hostname")
    unreadable = await cue("prompts", "push", FOLDER)
    for name in "bCde":
        (folder / f"{name}.prompt").unlink()
    (folder / "f.prompt").write_text("---\n---\n{{ text \n")
    (folder / "g.prompt").write_text("---\noutput: nonsense\n---\nx\n")
    (folder / "h.prompt").write_text("---\nvariables: {colour: {type: string}}\n---\n{{ text }}\n")
    (folder / "i.prompt").write_text(f"---\nnote: {'long' * 600}\n---\nx\n")
    (folder / "j.prompt").write_text("---\nvariables: {past: {type: string}}\n---\n[[messages: past]]\n")
    (folder / "k.prompt").write_text("---\nvariables: {n: {type: integer, default: one}}\n---\n{{ n }}\n")
    (folder / "7.prompt").write_text("---\n---\nx\n")
    unusable = await cue("prompts", "push", FOLDER)

    assert unreadable.code == unusable.code == 4
    for told in ("b.prompt: line 2: unknown settings: modle", "C.prompt: 'C' is not a prompt name", "d.prompt: cannot"):
        assert told in unreadable.err
    assert "e.prompt: it is a link" in unreadable.err
    assert "f: " in unusable.err
    assert "g: unknown output kind 'nonsense'" in unusable.err
    assert "h: no template reads the declared variables: colour" in unusable.err
    assert "i: note is longer than 2000 characters" in unusable.err
    assert "j: input 'past' holds messages and takes only" in unusable.err
    assert "k: the default of 'n' is wrong: " in unusable.err
    assert "7: '7' would be taken for an id" in unusable.err
    assert await listed(cue) == {}


async def test_the_file_of_any_name_is_below_the_folder(cue: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "one.j2").write_text("x")
    names = ["a/../../../b", "a/./c", "a/.git/hooks", "d..e", "f"]
    for name in names:
        assert (await cue("prompts", "publish", name, "one.j2")).code == 0

    pulled = await changes(cue, "pull", FOLDER)

    assert files_below(tmp_path) == {
        f"{FOLDER}/{name}.prompt" for name in ("a/%2E./%2E./%2E./b", "a/%2E/c", "a/%2Egit/hooks", "d..e", "f")
    }
    assert set(pulled) == set(names)
    assert await changes(cue, "push", FOLDER) == dict.fromkeys(names, ("unchanged", 1))


@pytest.mark.usefixtures("folder")
async def test_only_what_was_asked_for_is_pulled_and_what_is_absent_is_an_error(cue: CommandLine) -> None:
    await changes(cue, "push", FOLDER)

    one = await changes(cue, "pull", "other", "team/check")
    absent = await cue("prompts", "pull", "other", "nobody")
    unlabelled = await cue("prompts", "pull", "third", "--label", "candidate")
    no_folder = await cue("prompts", "push", "fourth")

    assert list(one) == ["team/check"]
    assert (absent.code, unlabelled.code, no_folder.code) == (3, 0, 4)
    assert "no prompt has a version labelled candidate" in unlabelled.err
    assert "there is no folder" in no_folder.err


async def test_a_file_says_what_there_is_to_say_of_its_prompt_and_which_one_it_is(
    cue: CommandLine, tmp_path: Path
) -> None:
    folder = tmp_path / FOLDER
    folder.mkdir()
    settings = "description: Greets\ntype: analysis\ncategory: chat\ntags: [b, a]\nlenient: true\n"
    (folder / "greet.prompt").write_text(f"---\n{settings}---\nHello {{{{ name }}}}\n")
    (folder / "greet@de.prompt").write_text("---\nlanguage: de\n---\nHallo {{ name }}\n")

    first = await cue("prompts", "push", FOLDER)
    again = await cue("prompts", "push", FOLDER)
    pulled = await cue("prompts", "pull", "other")
    (folder / "greet.prompt").write_text(f"---\n{settings.replace('Greets', 'Says hello')}---\nHello {{{{ name }}}}\n")
    described = await cue("prompts", "push", FOLDER)

    assert first.out.splitlines()[1:] == ["greet       1        new", "greet (de)  1        new"]
    assert again.out.splitlines()[1:] == ["greet       1        unchanged", "greet (de)  1        unchanged"]
    assert described.out.splitlines()[1:] == ["greet       1        changed", "greet (de)  1        unchanged"]
    assert pulled.code == 0
    assert files_below(tmp_path / "other") == {"greet.prompt", "greet@de.prompt"}
    assert (tmp_path / "other" / "greet.prompt").read_text() == (
        "---\ndescription: Greets\ntype: analysis\ncategory: chat\ntags: [a, b]\nlenient: true\n---\nHello {{ name }}\n"
    )
