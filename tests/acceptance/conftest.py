"""A Cuewire with a database and a model server of its own: on a file, on PostgreSQL, and on a server over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

import cuewire
from cuewire.config import Settings, load
from tests.support import postgres
from tests.support.command_line import CommandLine
from tests.support.cuewire_server import CuewireServer
from tests.support.model_server import ModelServer
from tests.support.served_command_line import ServedCommandLine

KEY = "sk-canary-4f9a2c77e1b04d55"
SettingsMaker: TypeAlias = Callable[..., Settings]


@pytest.fixture(params=["library", "postgres", "server"])
def way(request: pytest.FixtureRequest) -> str:
    """Return how Cuewire is reached: in this process on a file or on PostgreSQL, or on a server that has a file."""
    chosen: str = request.param
    return chosen


@pytest.fixture
async def database_url(way: str, tmp_path: Path) -> AsyncIterator[str]:
    """Return where everything is kept."""
    if way != "postgres":
        yield f"sqlite:///{tmp_path}/cue.db"
        return
    async with postgres.database() as url:
        yield url


@pytest.fixture
def make_local_settings(tmp_path: Path, database_url: str) -> SettingsMaker:
    """Return what makes settings from environment variables, with nothing taken from this machine."""

    def make(**environment: str) -> Settings:
        return load(environment=surroundings(tmp_path, database_url) | environment, folder=tmp_path)

    return make


@pytest.fixture
def servers() -> Iterator[list[CuewireServer]]:
    """Stop the servers of a test at its end."""
    started: list[CuewireServer] = []
    yield started
    for one in started:
        one.stop()


@pytest.fixture
def make_settings(
    way: str, tmp_path: Path, database_url: str, make_local_settings: SettingsMaker, servers: list[CuewireServer]
) -> SettingsMaker:
    """Return the same; or what starts a server with them, and makes the settings of its client."""

    def serve(**environment: str) -> Settings:
        servers.append(CuewireServer(tmp_path, surroundings(tmp_path, database_url) | environment))
        servers[-1].start()
        return servers[-1].settings()

    return serve if way == "server" else make_local_settings


@pytest.fixture(params=["library", "server"])
def cue(request: pytest.FixtureRequest, tmp_path: Path, servers: list[CuewireServer]) -> CommandLine:
    """Return the command line, here and on a server."""
    return ServedCommandLine(tmp_path, servers=servers) if request.param == "server" else CommandLine(tmp_path)


def surroundings(folder: Path, database_url: str) -> dict[str, str]:
    """Return the variables that say where everything is kept."""
    return {"CUEWIRE_DATA_FOLDER": str(folder), "CUEWIRE_DATABASE_URL": database_url}


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
