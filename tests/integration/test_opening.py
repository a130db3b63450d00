"""`cuewire.open` finds a server or a database, as the URL and the settings say."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import cuewire
from cuewire.config import Settings, load
from cuewire.engine.app import LocalApp
from cuewire.model.errors import ConfigError
from cuewire.providers.scripted import Scripted
from cuewire.remote.app import RemoteApp
from tests.support.model_server import ModelServer, plain
from tests.support.scripted_cuewire import TOKEN, result


def settings(folder: Path, flags: dict[str, str] | None = None, **environment: str) -> Settings:
    own = {"CUEWIRE_DATA_FOLDER": str(folder)}
    return load(flags or {}, environment=own | environment, folder=folder)


async def test_a_url_chooses_and_wins_over_the_settings(tmp_path: Path) -> None:
    at_server = settings(tmp_path, CUEWIRE_SERVER="https://cue.example")
    async with cuewire.open("https://cue.example/team", settings=settings(tmp_path)) as remote:
        assert repr(remote) == "RemoteApp('https://cue.example/team')"
    async with cuewire.open(f"sqlite:///{tmp_path}/a.db", settings=at_server) as local:
        assert isinstance(local, LocalApp)


@pytest.mark.parametrize(
    ("flags", "environment", "kind"),
    [
        ({}, {}, LocalApp),
        ({}, {"CUEWIRE_SERVER": "https://a"}, RemoteApp),
        ({}, {"CUEWIRE_SERVER": "https://a", "CUEWIRE_DATABASE_URL": "sqlite:///x.db"}, RemoteApp),
        ({"database_url": "sqlite:///{}/x.db"}, {"CUEWIRE_SERVER": "https://a"}, LocalApp),
        ({"server": "https://a"}, {"CUEWIRE_DATABASE_URL": "sqlite:///x.db"}, RemoteApp),
    ],
)
async def test_a_server_wins_over_a_database_unless_a_flag_names_the_database(
    tmp_path: Path, flags: dict[str, str], environment: dict[str, str], kind: type[object]
) -> None:
    named = {name: text.format(tmp_path) for name, text in flags.items()}

    async with cuewire.open(settings=settings(tmp_path, named, **environment)) as app:
        assert isinstance(app, kind)


def test_the_blocking_form_runs_on_a_server_with_the_key_that_was_set_without_one(tmp_path: Path) -> None:
    async def main() -> ModelServer:
        async with ModelServer() as server:
            server.script(plain(result()))
            answer = await asyncio.to_thread(run, server.origin)
            assert answer == "a bug"
            return server

    def run(url: str) -> str:
        with cuewire.open(url, settings=settings(tmp_path, CUEWIRE_TOKEN=TOKEN)) as app:
            return app.run("triage", {"text": "x"}).text

    server = asyncio.run(main())

    assert server.received[0].headers["authorization"] == f"Bearer {TOKEN}"


async def test_a_key_never_goes_to_another_server_than_its_own(tmp_path: Path) -> None:
    own = settings(tmp_path, CUEWIRE_SERVER="https://a.example", CUEWIRE_TOKEN=TOKEN)

    with pytest.raises(ConfigError, match=r"a key that belongs to https://a\.example:443 would be sent to") as caught:
        async with cuewire.open("https://b.example", settings=own):
            raise AssertionError("opened")

    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "words"),
    [("http://cue.example", "shows the API key"), ("https://me:canary@cue.example", "cannot be used")],
)
async def test_an_address_that_is_not_safe_is_refused(tmp_path: Path, url: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        async with cuewire.open(url, settings=settings(tmp_path)):
            raise AssertionError("opened")


async def test_providers_of_ones_own_do_not_run_on_a_server(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="in this process only"):
        async with cuewire.open("https://a", settings=settings(tmp_path), providers={"mine": Scripted()}):
            raise AssertionError("opened")
