"""`cuewire types`: what templates of each type usually read, here and on a server."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.command_line import CommandLine
from tests.support.serving import serving

SENDER = {"name": "sender", "json_schema": {"type": "string", "description": "who wrote"}, "aliases": ["who"]}
MAIL = {"description": "Answers to mail", "variables": [SENDER]}


async def test_a_type_is_set_shown_and_listed_and_holds_templates_to_it(cue: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "mail.json").write_text(json.dumps(MAIL))
    (tmp_path / "answer.j2").write_text("Dear {{ sender }}, {{ txet }}")

    told = await cue("types", "set", "mail", "mail.json")
    changed = (await cue("--json", "types", "set", "mail", "-", stdin=json.dumps(MAIL).encode())).json
    shown = await cue("types", "show", "mail")
    listed = (await cue("types", "list")).out
    checked = await cue("prompts", "validate", "answer.j2", "--type", "mail")

    assert told.out == shown.out == "mail\nabout    Answers to mail\ninput    sender, also who: who wrote\n"
    assert changed == (await cue("--json", "types", "show", "mail")).json
    assert "mail" in [line.split()[0] for line in listed.splitlines()]
    assert "'txet' is not among" in checked.out
    assert "'sender'" not in checked.out


async def test_what_is_no_type_is_refused(cue: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "wrong.json").write_text('{"variables": [{"nmae": "sender"}]}')

    wrong = await cue("--json", "types", "set", "mail", "wrong.json")
    absent = await cue("--json", "types", "show", "mail")

    assert (wrong.code, wrong.error["field"].startswith("/variables/0")) == (4, True)
    assert (absent.code, absent.error["code"]) == (3, "template_type_not_found")


async def test_with_json_it_says_what_the_server_says(tmp_path: Path) -> None:
    cue = CommandLine(tmp_path)
    with serving(cue) as server:
        said = server.ask("GET", "/api/v1/prompts/types").json
        there = CommandLine(tmp_path, {"CUEWIRE_SERVER": server.url, "CUEWIRE_TOKEN": server.key})

        assert (await cue("--json", "types", "list")).json == said
        assert (await there("--json", "types", "list")).json == said
