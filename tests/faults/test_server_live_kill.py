"""kill -9 of the server under those who follow prompts: whoever comes back has missed nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest

import cuewire
from cuewire.model.live import LiveChange, Snapshot
from cuewire.model.prompts import Prompt, PromptFilter
from tests.support.cuewire_server import CuewireServer

SOON_S = 30.0
NEWEST_FIRST = PromptFilter(sort="updated_at", descending=True)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[CuewireServer]:
    with CuewireServer(tmp_path, {"CUEWIRE_DATABASE_URL": f"sqlite:///{tmp_path}/cue.db"}) as running:
        yield running


async def followed(
    changes: AsyncIterator[LiveChange[Prompt]], prompts: Sequence[Prompt], until: str
) -> tuple[tuple[Prompt, ...], list[LiveChange[Prompt]]]:
    """Follow the list until this prompt is the first; return it, and what it took."""
    shown, told = tuple(prompts), []
    async with asyncio.timeout(SOON_S):
        while not shown or shown[0].name != until:
            told.append(await anext(changes))
            shown = told[-1].applied(shown)
    return shown, told


@pytest.mark.contract("S0-24")
async def test_who_follows_across_a_kill_of_the_server_misses_nothing(server: CuewireServer, tmp_path: Path) -> None:
    local = f"sqlite:///{tmp_path}/cue.db"
    async with cuewire.open(settings=server.settings()) as app:
        for name in ("one", "two", "three"):
            await app.prompts.publish(name, "{{ a }}")
        changes = aiter(app.prompts.subscribe(limit=3))
        shown, _ = await followed(changes, (), until="three")

        server.kill()
        async with cuewire.open(local) as other:
            await other.prompts.archive("two")
            await other.prompts.publish("four", "{{ a }}")
        server.start()
        await app.prompts.publish("five", "{{ a }}")
        shown, told = await followed(changes, shown, until="five")

        assert shown == (await app.prompts.list(limit=3, wanted=NEWEST_FIRST)).items
    assert [prompt.name for prompt in shown] == ["five", "four", "three"]
    assert not any(isinstance(change, Snapshot) for change in told), "only what changed was told again"
