"""The benchmarks stay true: peers are pinned, every side can be run, and every stage is where its list says."""

from __future__ import annotations

import json
import re
from importlib import import_module
from operator import attrgetter

import pytest

from bench.kit.environments import OURS, pins_of
from bench.kit.goals import Table
from bench.kit.sides import SCRIPTS
from bench.sides.ours_stages import STAGES
from bench.sides.server_stages import SERVER_STAGES
from bench.suite import tables_by_key
from tests.ratchets.sources import Source, project_files

TABLES = list(tables_by_key(quick=True).values())
LISTS = [file for file in project_files() if file.path.startswith("bench/peers/")]
_PIN = re.compile(r"[\w.-]+(\[[\w,-]+\])?==[\w.+!-]+( ;.*)?")


def loose(file: Source) -> list[str]:
    """Return the entries of a list that leave a version open."""
    if file.path.endswith(".json"):
        pins = json.loads(file.text)["dependencies"]
        return [name for name, version in pins.items() if not re.fullmatch(r"\d+\.\d+\.\d+[\w.-]*", version)]
    return [line for line in file.text.splitlines() if not _PIN.fullmatch(line)]


@pytest.mark.parametrize("file", LISTS, ids=lambda file: file.path)
def test_every_peer_is_pinned(file: Source) -> None:
    assert loose(file) == []


def test_a_loose_peer_is_found() -> None:
    assert loose(Source("bench/peers/a.txt", "aiohttp==1.2\nyarl>=1\n")) == ["yarl>=1"]
    assert loose(Source("bench/peers/a.json", '{"dependencies": {"a": "1.2.3", "b": "^1.2.3"}}')) == ["b"]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.key)
def test_every_side_has_its_script_and_its_environment(table: Table) -> None:
    assert all((SCRIPTS / side.script).is_file() for side in table.sides)
    assert all(side.environment == OURS or pins_of(side.environment).is_file() for side in table.sides)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.key)
def test_every_claim_is_about_sides_of_its_table(table: Table) -> None:
    names = {side.name for side in table.sides}

    assert len(names) == len(table.sides)
    assert len(table.only("").claims) == len(table.claims)


@pytest.mark.parametrize("target", [target for _, target in (*SERVER_STAGES, *STAGES)])
def test_every_stage_is_there(target: str) -> None:
    module, _, path = target.partition(":")

    assert callable(attrgetter(path)(import_module(module)))
