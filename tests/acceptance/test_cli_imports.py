"""`cuewire prompts import` and `export`, here and on a server: a table of what came, a report of what was lost."""

from __future__ import annotations

from pathlib import Path
from shutil import copy
from typing import Any

import msgspec
import pytest

from tests.support.command_line import CommandLine

DATA = Path(__file__).parents[1] / "data" / "imports"


def changes(document: Any) -> dict[str, tuple[str, int]]:
    return {item["prompt"]: (item["change"], item["number"]) for item in document["items"]}


@pytest.mark.contract("S3-148")
async def test_prompts_come_in_once_and_go_out_again(cue: CommandLine, tmp_path: Path) -> None:
    copy(DATA / "langfuse.json", tmp_path)

    foreseen = await cue("prompts", "import", "langfuse.json", "--dry-run", "--json")
    first = await cue("prompts", "import", "langfuse.json")
    again = await cue("prompts", "import", "langfuse.json", "--label", "candidate", "--json")
    out = await cue("prompts", "export")
    one = await cue("prompts", "export", "house-style", "-o", "style.json")
    listed = await cue("prompts", "list", "--json")

    assert changes(foreseen.json) == {"house-style": ("new", 0), "support-triage": ("new", 0)}
    assert first.out.splitlines()[1:] == ["house-style     1        new", "support-triage  2        new"]
    assert "support-triage 2: model gpt-4o-mini: taken for openai/gpt-4o-mini" in first.err
    assert changes(again.json) == {"house-style": ("unchanged", 1), "support-triage": ("unchanged", 2)}
    assert {"place": "support-triage 1", "what": "model acme-7b"}.items() <= again.json["losses"][7].items()
    assert {item["name"]: item["labels"] for item in listed.json["items"]} == {
        "house-style": {"candidate": 1, "latest": 1, "production": 1},
        "support-triage": {"candidate": 2, "latest": 2, "production": 2},
    }
    assert [len(prompt["versions"]) for prompt in out.json["prompts"]] == [1, 2]
    size = (tmp_path / "style.json").stat().st_size
    assert (one.code, one.out) == (0, f"style.json is written, {size:,} bytes\n")
    written = msgspec.json.decode((tmp_path / "style.json").read_bytes())
    assert written["prompts"] == out.json["prompts"][:1]


async def test_other_tools_get_what_they_can_say(cue: CommandLine, tmp_path: Path) -> None:
    copy(DATA / "notes.mustache", tmp_path)

    assert (await cue("prompts", "import", "notes.mustache", "--format", "mustache", "--name", "team/notes")).code == 0
    prompty = await cue("prompts", "export", "team/notes", "--format", "prompty", "-o", "notes.prompty")
    langfuse = await cue("prompts", "export", "--format", "langfuse")
    back = await cue("prompts", "import", "notes.prompty", "--json")

    assert prompty.code == langfuse.code == 0
    assert "{% for item in" in langfuse.err
    assert langfuse.json[0]["prompt"].startswith("Dear {{team}},\n")
    assert changes(back.json) == {"team/notes": ("unchanged", 1)}


async def test_with_json_an_export_is_one_document_that_tells_what_was_lost(cue: CommandLine, tmp_path: Path) -> None:
    copy(DATA / "notes.mustache", tmp_path)
    assert (await cue("prompts", "import", "notes.mustache", "--format", "mustache")).code == 0

    text = await cue("prompts", "export", "--format", "langfuse")
    out = await cue("--json", "prompts", "export", "--format", "langfuse")
    file = await cue("--json", "prompts", "export", "--format", "langfuse", "-o", "notes.json")
    prompty = await cue("--json", "prompts", "export", "--format", "prompty")

    assert {ended.err for ended in (out, file, prompty)} == {""}
    assert out.json["data"] == text.out == (tmp_path / "notes.json").read_text()
    assert file.json == {"path": "notes.json", "losses": out.json["losses"]}
    assert len(out.json["losses"]) > 0
    assert {f"{loss['place']}: {loss['what']}: {loss['why']}" in text.err for loss in out.json["losses"]} == {True}
    assert prompty.json["data"].startswith("---\n")


async def test_what_is_wrong_is_told_and_nothing_comes_in(cue: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('[{"name": "a", "prompt": "fine"}, {"name": "b", "prompt": []}]')

    ended = [
        await cue("prompts", "import", "a.json"),
        await cue("prompts", "import", "gone.json"),
        await cue("prompts", "import", "-", stdin=b"who knows"),
        await cue("prompts", "export", "nobody"),
        await cue("prompts", "export", "-o", "no/where.json"),
    ]

    assert [each.code for each in ended] == [4, 4, 4, 3, 4]
    assert "1 to 200 messages" in ended[0].err
    assert "'gone.json' cannot be read: No such file or directory\n       mend the path\n" in ended[1].err
    assert "say which it is" in ended[2].err
    assert "no prompt 'nobody'" in ended[3].err
    assert "cannot be written" in ended[4].err
    assert (await cue("prompts", "list", "--json")).json["items"] == []
