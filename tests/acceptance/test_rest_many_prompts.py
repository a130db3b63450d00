"""A thousand prompts over REST: all of them are found, by pages, cursors, filters and words, and each one runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cuewire.model.prompts import Variable
from tests.support.command_line import CommandLine
from tests.support.serving import Serving, serving
from tests.support.stores import KINDS, Stores, draft, opened

MANY = 1_000
NAMES = [f"many/{number:04}" for number in range(MANY)]


@pytest.fixture(params=KINDS)
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Serving]:
    """Serve a database of each kind with the prompts."""
    async with opened(request.param, tmp_path) as stores:
        for number in range(MANY):
            await store(stores, number)
        url: str = stores.url  # type: ignore[attr-defined]  # both kinds have one
        with serving(CommandLine(tmp_path, {"CUEWIRE_DATABASE_URL": url})) as running:
            yield running


async def store(stores: Stores, number: int) -> None:
    """Store a prompt, one in ten of another type and language."""
    is_special = number % 10 == 0
    await stores.prompts.publish(
        draft(NAMES[number], f"{number} {{{{ x }}}}", variables={"x": Variable()}),
        details={
            "description": f"The prompt with the number {number}.",
            "template_type": "analysis" if is_special else "general",
            "tags": ("many",),
        },
        language="de" if is_special else "en",
    )


def listed(server: Serving, query: str) -> Any:
    reply = server.ask("GET", f"/api/v1/prompts/?{query}")
    assert reply.status == 200, reply.json
    return reply.json


def names(page: Any) -> list[str]:
    return [each["name"] for each in page["items"]]


def after_cursors(server: Serving, query: str) -> list[str]:
    """Return the names of a list that is read to its end."""
    page = listed(server, query)
    found = names(page)
    while page["next"]:
        page = listed(server, f"{query}&after={page['next']}")
        found += names(page)
    return found


@pytest.mark.contract("S3-123")
async def test_a_thousand_prompts_are_listed_filtered_searched_and_run(server: Serving) -> None:
    pages = [listed(server, f"page_size=100&page={page}") for page in range(1, 12)]

    assert [name for page in pages for name in names(page)] == NAMES
    assert {page["total"] for page in pages} == {MANY}
    assert after_cursors(server, "sort=-name&limit=300") == NAMES[::-1]
    assert after_cursors(server, "sort=updated_at&tag=many&limit=300") == NAMES
    assert listed(server, "type=analysis&language=de&page_size=1")["total"] == MANY // 10
    assert names(listed(server, "q=NUMBER%20777.")) == [NAMES[777]]
    assert names(listed(server, "name=many/099*&page=2&page_size=9")) == [NAMES[999]]
    assert server.run(NAMES[999], {"x": "Ada"}).json["text"] == "999 Ada"
