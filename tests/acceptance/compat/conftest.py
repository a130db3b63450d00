"""This process as a program that logs its executions into a migrated database of each kind."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

import cuewire
from tests.support import postgres
from tests.support.loading_programs import LoadingProgram, loading_program
from tests.support.logged_programs import TEMPLATE, LoggedProgram, logged_program
from tests.support.stores import KINDS, database_file


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture
async def url(kind: str, tmp_path: Path) -> AsyncIterator[str]:
    """Return where a migrated, empty database is."""
    if kind == "sqlite":
        yield f"sqlite:///{database_file(tmp_path)}"
        return
    async with postgres.database() as made:
        yield made


@pytest.fixture
async def app(url: str) -> AsyncIterator[cuewire.App]:
    """Open Cuewire beside the program, with the template."""
    async with cuewire.open(url) as opened:
        await opened.prompts.publish(TEMPLATE, "What is meant? {{ text }}")
        yield opened


@pytest.fixture
def program(url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[LoggedProgram]:
    with logged_program(url, monkeypatch, caplog) as running:
        yield running


@pytest.fixture
def loading(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Iterator[LoadingProgram]:
    with loading_program(url, tmp_path, monkeypatch, caplog) as running:
        yield running
