"""A Cuewire with a database of its own and a model server of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeAlias

import pytest

import cuewire
from cuewire.config import Settings, load
from tests.support.model_server import ModelServer

KEY = "sk-canary-4f9a2c77e1b04d55"
SettingsMaker: TypeAlias = Callable[..., Settings]


@pytest.fixture
def make_settings(tmp_path: Path) -> SettingsMaker:
    """Return what makes settings from environment variables, with nothing taken from this machine."""

    def make(**environment: str) -> Settings:
        own = {"CUEWIRE_DATA_FOLDER": str(tmp_path), "CUEWIRE_DATABASE_URL": f"sqlite:///{tmp_path}/cue.db"}
        return load(environment=own | environment, folder=tmp_path)

    return make


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    """Run a scripted model server."""
    async with ModelServer() as running:
        yield running


@pytest.fixture
async def app(server: ModelServer, make_settings: SettingsMaker) -> AsyncIterator[cuewire.App]:
    """Open Cuewire with the model server as `openai`, and a prompt `triage`."""
    settings = make_settings(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
    async with cuewire.open(settings=settings) as opened:
        await opened.prompts.publish("triage", "Bug or idea? {{ text }}", model="openai/gpt-4o-mini")
        yield opened
