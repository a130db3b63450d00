"""Importing the package is cheap: nothing heavy is loaded before it is needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Collection

import pytest

MAX_CPU_S = 0.5
"""For the whole process, the interpreter's own start included; many times what is usual, so that it never flickers."""
HEAVY = {
    *("sqlalchemy", "alembic", "sqlite3", "aiohttp", "ssl", "asyncio", "uvloop", "jinja2", "msgspec"),
    *("typer", "rich", "click", "pydantic", "genai_prices", "jsonschema_rs", "xllamacpp", "fastapi"),
    *("numpy", "safetensors", "tokenizers"),
}
PROBE = """
import json, sys, time
{statement}
print(json.dumps([time.process_time(), sorted(sys.modules)]))
"""


def start(statement: str) -> tuple[float, set[str]]:
    """Return the CPU seconds and the loaded modules of a fresh process after the statement."""
    ours = ("PYTHONDONTWRITEBYTECODE", "COVERAGE_")  # what a run of the tests may set, and a user does not
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    command = [sys.executable, "-c", PROBE.format(statement=statement)]
    output = subprocess.run(command, env=environment, capture_output=True, check=True, text=True).stdout
    cpu_s, modules = json.loads(output)
    return cpu_s, set(modules)


def heavy_modules(modules: Collection[str]) -> list[str]:
    return sorted(HEAVY & set(modules))


@pytest.fixture(scope="module")
def warm_start() -> tuple[float, set[str]]:
    start("import cuewire")  # the first start also compiles
    return start("import cuewire")


def test_importing_loads_nothing_heavy(warm_start: tuple[float, set[str]]) -> None:
    assert heavy_modules(warm_start[1]) == []


def test_importing_takes_little_cpu(warm_start: tuple[float, set[str]]) -> None:
    assert warm_start[0] < MAX_CPU_S


def test_the_command_line_loads_neither_templates_nor_databases() -> None:
    loaded = start("import cuewire.cli.__main__")[1]

    assert loaded & {"sqlalchemy", "sqlite3", "jinja2", "yaml", "aiohttp", "asyncpg", "fastapi", "pydantic"} == set()
    assert [name for name in loaded if name.startswith(("cuewire.registry", "cuewire.engine", "cuewire.stores"))] == []


def test_a_heavy_import_is_found() -> None:
    assert "asyncio" in heavy_modules(start("import asyncio")[1])


def test_a_slow_start_is_found() -> None:
    assert start(f"while time.process_time() < {MAX_CPU_S}: pass")[0] >= MAX_CPU_S
