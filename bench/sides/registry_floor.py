"""Floors of the registry: the bare ASGI application of floor_gateway.py, and statements by `sqlite3` alone.

The statements are those that a page cannot do without: the page with its labels and tags, and one version.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from bench.sides import shelf
from bench.sides.asked import Asker, Request, figures_of
from bench.sides.gateway import free_port, serving
from bench.sides.meter import folder, print_figures
from bench.sides.shelf import Size
from bench.sides.shelf_ours import filled_file

SERVER = Path(__file__).with_name("floor_gateway.py")
PAGE = "SELECT * FROM prompts WHERE project_id = 1 AND archived_at IS NULL ORDER BY name, id LIMIT 10"
COUNT = "SELECT count(*) FROM prompts WHERE project_id = 1 AND archived_at IS NULL"
LABELS = "SELECT * FROM labels WHERE project_id = 1 AND prompt_id = ?"
TAGS = "SELECT * FROM prompt_tags WHERE project_id = 1 AND prompt_id = ?"
BY_ID = "SELECT * FROM prompts WHERE id = ?"
BY_LABEL = (
    "SELECT versions.* FROM prompts JOIN labels ON labels.project_id = 1 AND labels.prompt_id = prompts.id "
    "JOIN versions ON versions.id = labels.version_id "
    "WHERE prompts.project_id = 1 AND prompts.name = ? AND labels.label = 'production'"
)


class Statements:
    """Asks the file directly."""

    def __init__(self, connection: sqlite3.Connection, size: Size) -> None:
        self._connection = connection
        self._size = size

    def first_page(self, _: int) -> None:
        """Read a page, how many there are, and what the prompts on it carry."""
        self._all(COUNT)
        for row in self._all(PAGE):
            self._all(LABELS, row[0])
            self._all(TAGS, row[0])

    def by_id(self, number: int) -> None:
        """Read a prompt."""
        self._all(BY_ID, shelf.id_of(number * 7_919 % self._size.prompts))

    def by_label(self, number: int) -> None:
        """Read the version that has a label."""
        self._all(BY_LABEL, shelf.name_of(number * 7_919 % self._size.prompts))

    def _all(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        return self._connection.execute(statement, values).fetchall()


def times_ms(ask: Callable[[int], None], count: int) -> list[float]:
    """Give the milliseconds of so many questions."""
    found = []
    for number in range(count):
        begun = time.perf_counter()
        ask(number)
        found.append((time.perf_counter() - begun) * 1_000)
    return found


def main() -> None:
    """Measure the kind that the command line names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=("http", "sqlite3"))
    parser.add_argument("size", type=Size.of)
    parser.add_argument("--count", type=int, default=100)
    options = parser.parse_args()
    if options.kind == "http":
        port = free_port()
        with serving([sys.executable, str(SERVER), "bare", str(port)], port):
            times = Asker(port).times_ms(lambda _: Request("/"), count=options.count)
        print_figures(dict(figures_of("prompt by id", times)))
        return
    path = Path(folder()) / "shelf.db"
    asyncio.run(filled_file(options.size, path))
    with closing(sqlite3.connect(path)) as connection:
        asked = Statements(connection, options.size)
        named = {"first page": asked.first_page, "prompt by id": asked.by_id, "version by label": asked.by_label}
        figures: dict[str, float] = {}
        for name, ask in named.items():
            figures |= figures_of(name, times_ms(ask, options.count))
        print_figures(figures)


if __name__ == "__main__":
    main()
