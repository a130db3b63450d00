"""Ours: the registry over REST, one `cuewire serve`: SIZE as `10000x20`, on `sqlite` or `postgres`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlencode

from bench.sides import shelf
from bench.sides.asked import Asker, Request, Requests, figures_of
from bench.sides.gateway import free_port, serving
from bench.sides.meter import ITEMS, folder, print_figures
from bench.sides.processes import cpu_s, memory_mb
from bench.sides.shelf import Size
from bench.sides.shelf_ours import fill, filled_file
from cuewire.config import load as load_settings
from cuewire.wiring import connect

PROMPTS = "/api/v1/prompts"
INPUTS = {"reader": "Ada", "text": "It crashes on save", "items": list(ITEMS)}


def requests_of(size: Size) -> Mapping[str, Requests]:
    """Give what is asked, by the name of its figure; those that change something come last."""
    last_page = max(size.prompts // 20, 1)
    return {
        "first page": lambda _: _list(),
        "page in the middle": lambda number: _list(page=max(last_page - number % 7, 1)),
        "page of a tag": lambda number: _list(tag=f"tag-{number % shelf.TAGS:02}"),
        "page of a type": lambda number: _list(type=shelf.type_of(number)),
        "page of a strategy": lambda number: _list(strategy=f"strategy-{1 + number % shelf.STRATEGIES:02}"),
        "page of a status": lambda number: _list(status=("inactive", "archived")[number % 2]),
        "page by time": lambda _: _list(sort="-updated_at"),
        "text search": lambda number: _list(q=f"ticket {_some(number, size):05}"),
        "prompt by id": lambda number: Request(f"{PROMPTS}/{shelf.id_of(_some(number, size))}"),
        "prompt by name": lambda number: _of_prompt(number, size, "", _home(number, size)),
        "version by label": lambda number: _of_prompt(number, size, "/versions/production", _home(number, size)),
        "validate": lambda _: _post("/validate", {"template_text": shelf.SMALL}),
        "validate, 4 KB": lambda _: _post("/validate", {"template_text": shelf.of_4_kb()}),
        "render": lambda _: _post("/render", {"template_text": shelf.SMALL, "inputs": INPUTS}),
        "render, 12-item loop": lambda _: _post("/render", {"template_text": shelf.LOOP, "inputs": INPUTS}),
        "types": lambda _: Request(f"{PROMPTS}/types"),
        "stats": lambda _: Request(f"{PROMPTS}/stats"),
        "diff": lambda number: _of_prompt(
            number, size, "/diff", _home(number, size), body={"first": 1, "second": size.versions}
        ),
        "new version": lambda number: Request(
            f"{PROMPTS}/{shelf.id_of(_some(number, size))}", "PUT", {"content": shelf.text_of(number, -1)}
        ),
        "new prompt": lambda number: _post("/", {"name": f"new/{number}", "content": shelf.text_of(number, 1)}),
    }


def _some(number: int, size: Size) -> int:
    """Give the number of a prompt that is active, another one each time and nowhere near the one before."""
    return (number * 7_919 % size.prompts) // 20 * 20 + 2


def _list(**query: str | int) -> Request:
    return Request(f"{PROMPTS}?{urlencode({'page_size': 10, **query})}")


def _home(number: int, size: Size) -> str:
    some = _some(number, size)
    query = {"language": shelf.LANGUAGES[some % len(shelf.LANGUAGES)]}
    if strategy := shelf.strategy_of(some):
        query["strategy"] = f"strategy-{strategy:02}"
    return "?" + urlencode(query)


def _of_prompt(number: int, size: Size, rest: str, query: str, *, body: Mapping[str, object] | None = None) -> Request:
    path = f"{PROMPTS}/{shelf.name_of(_some(number, size))}{rest}{query}"
    return Request(path, "GET" if body is None else "POST", body)


def _post(path: str, body: Mapping[str, object]) -> Request:
    return Request(f"{PROMPTS}{path}", "POST", body)


async def new_key(url: str) -> str:
    """Give a new API key."""
    app = await connect(url, settings=load_settings())
    try:
        return (await app.keys.issue("bench", by=app.actor)).text
    finally:
        await app.close()


def main() -> None:
    """Serve the shelf, and ask."""
    parser = argparse.ArgumentParser()
    parser.add_argument("place", choices=("sqlite", "postgres"))
    parser.add_argument("size", type=Size.of)
    parser.add_argument("--count", type=int, default=100)
    options = parser.parse_args()
    with ExitStack() as stack:
        if options.place == "postgres":
            from bench.sides.postgres import postgres_server

            url = stack.enter_context(postgres_server())
            asyncio.run(fill(url, options.size))
        else:
            url = asyncio.run(filled_file(options.size, Path(folder()) / "shelf.db"))
        key, port = asyncio.run(new_key(url)), free_port()
        command = [sys.executable, "-m", "cuewire.cli", "serve", "--port", str(port)]
        pid = stack.enter_context(serving(command, port, CUEWIRE_DATABASE_URL=url))
        asker = Asker(port, {"Authorization": f"Bearer {key}"})
        before = cpu_s(pid)
        figures: dict[str, float] = {}
        for name, requests in requests_of(options.size).items():
            figures |= figures_of(name, asker.times_ms(requests, count=options.count))
        print_figures(figures | {"cpu_s": cpu_s(pid) - before, "rss_mb": memory_mb(pid)})


if __name__ == "__main__":
    main()
