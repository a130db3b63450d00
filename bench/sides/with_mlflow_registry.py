"""Peer: MLflow's prompt registry, its server on SQLite, asked as its client asks: SIZE as `10000x20`.

Its server makes the tables and the first prompt; the others are copied from that one in SQL, which takes seconds where
its client would take hours. Of what its client does for a new version, only the request that makes it is asked.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from bench.sides import shelf
from bench.sides.asked import Asker, Request, Requests, figures_of
from bench.sides.gateway import free_port, serving
from bench.sides.meter import folder, print_figures
from bench.sides.processes import cpu_s, memory_mb
from bench.sides.shelf import Size

API = "/api/2.0/mlflow"
IS_PROMPT = "tags.`mlflow.prompt.is_prompt` = 'true'"
MARK = {"key": "mlflow.prompt.is_prompt", "value": "true"}
FIRST = "first"


def created(name: str) -> Request:
    """Give the request that makes a prompt without a version."""
    tags = [MARK, {"key": "team", "value": "bench"}]
    return _post("registered-models/create", {"name": name, "description": shelf.description_of(0), "tags": tags})


def versioned(name: str, text: str) -> Request:
    """Give the request that makes a version."""
    tags = [MARK, {"key": "mlflow.prompt.text", "value": text}]
    return _post("model-versions/create", {"name": name, "source": "dummy-source", "tags": tags})


def requests_of(size: Size) -> Mapping[str, Requests]:
    """Give what is asked, by the name that the figure of the same question to us has."""
    names = (shelf.name_of(number * 7_919 % size.prompts) for number in range(1_000_000))
    middle = b64encode(b'{"offset": %d}' % (size.prompts // 2)).decode()
    return {
        "first page": lambda _: _search(),
        "page in the middle": lambda _: _search(page_token=middle),
        "page of a tag": lambda number: _search(f"tags.tag = 'tag-{number % shelf.TAGS:02}'"),
        "text search": lambda number: _search(f"name ILIKE '%{number * 7_919 % size.prompts:05}%'"),
        "prompt by name": lambda _: _get("registered-models/get", name=next(names)),
        "version by label": lambda _: _get("registered-models/alias", name=next(names), alias="production"),
        "new version": lambda number: versioned(next(names), shelf.text_of(number, -1)),
    }


def _search(condition: str = "", **more: str) -> Request:
    wanted = f"{IS_PROMPT} AND {condition}" if condition else IS_PROMPT
    query = {"filter": wanted, "max_results": 10, "order_by": "name ASC", **more}
    return _get("registered-models/search", **query)


def _get(path: str, **query: Any) -> Request:
    return Request(f"{API}/{path}?{urlencode(query, quote_via=quote)}")


def _post(path: str, body: Mapping[str, Any]) -> Request:
    return Request(f"{API}/{path}", "POST", body)


def new_prompts(asker: Asker, count: int) -> list[float]:
    """Give the milliseconds of making prompts, each with its first version, which takes two requests."""
    steps: tuple[Callable[[int], Request], ...] = (
        lambda number: created(f"new-{number}"),
        lambda number: versioned(f"new-{number}", shelf.text_of(number, 1)),
    )
    made, filled = (asker.times_ms(step, count=count) for step in steps)
    return [first + second for first, second in zip(made, filled, strict=True)]


def fill(database: Path, size: Size) -> None:
    """Copy the first prompt: its row, tags, alias and versions."""
    with closing(sqlite3.connect(database, timeout=60)) as connection, connection:
        connection.row_factory = sqlite3.Row
        for table, rows in copies(size).items():
            first = dict(connection.execute(f"SELECT * FROM {table}").fetchone())  # noqa: S608  # our own names
            columns, values = ", ".join(first), ", ".join("?" for _ in first)
            statement = f"INSERT INTO {table} ({columns}) VALUES ({values})"  # noqa: S608
            connection.executemany(statement, (tuple({**first, **row}.values()) for row in rows))


def copies(size: Size) -> Mapping[str, Iterable[Mapping[str, object]]]:
    """Give by table how each row differs from the first."""
    named = [(number, {"name": shelf.name_of(number)}) for number in range(size.prompts)]
    versioned = [(number, version, name) for number, name in named for version in range(1, size.versions + 1)]
    is_prompt = (MARK["key"], MARK["value"])
    return {
        "registered_models": (name for _, name in named),
        "registered_model_tags": (
            {**name, "key": key, "value": value}
            for number, name in named
            for key, value in (is_prompt, ("tag", shelf.tags_of(number)[0]), ("type", shelf.type_of(number)))
        ),
        "registered_model_aliases": (
            {**name, "version": shelf.labels_of(size.versions)["production"]} for _, name in named
        ),
        "model_versions": ({**name, "version": version} for _, version, name in versioned),
        "model_version_tags": (
            {**name, "version": version, "key": key, "value": value}
            for number, version, name in versioned
            for key, value in (is_prompt, ("mlflow.prompt.text", shelf.text_of(number, version)))
        ),
    }


def main() -> None:
    """Serve, fill, and ask."""
    parser = argparse.ArgumentParser()
    parser.add_argument("size", type=Size.of)
    parser.add_argument("--count", type=int, default=30)
    options = parser.parse_args()
    database, port = Path(folder()) / "mlflow.db", free_port()
    program = Path(sys.executable).parent / "mlflow"
    place = ["--backend-store-uri", f"sqlite:///{database}", "--host", "127.0.0.1", "--port", str(port)]
    with serving([str(program), "server", *place, "--workers", "1"], port) as pid:
        maker = Asker(port)
        for request in (
            created(FIRST),
            versioned(FIRST, shelf.text_of(0, 0)),
            _post("registered-models/alias", {"name": FIRST, "alias": "production", "version": "1"}),
        ):
            maker.ask(request)
        fill(database, options.size)
        asker = Asker(port)  # its server has closed the other connection by now
        before = cpu_s(pid)
        figures: dict[str, float] = {}
        for name, requests in requests_of(options.size).items():
            figures |= figures_of(name, asker.times_ms(requests, count=options.count))
        figures |= figures_of("new prompt", new_prompts(asker, options.count))
        print_figures(figures | {"cpu_s": cpu_s(pid) - before, "rss_mb": memory_mb(pid)})


if __name__ == "__main__":
    main()
