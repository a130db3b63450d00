"""The configured database, without opening an App on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from cuewire.clock import SystemClock
from cuewire.config import Settings
from cuewire.stores.places import PlaceStatus, place_of

if TYPE_CHECKING:
    from cuewire.remote.desk import PromptDesk as PromptDesk


def only_server(settings: Settings) -> AbstractContextManager[None]:
    """Be the only server of the configured database, where it has but one. Raises StoreBusy, ConfigError."""
    return place_of(settings.database_url).serve()


def database_name(settings: Settings) -> str:
    """Return what to call the configured database; holds no secret. Raises ConfigError."""
    return place_of(settings.database_url).name


def database_file(settings: Settings) -> Path | None:
    """Return the file of the configured database, None if it is on a server. Raises ConfigError."""
    return place_of(settings.database_url).file


def database_status(settings: Settings) -> PlaceStatus:
    """Return the state of the configured database without changing it. Raises ConfigError, StoreError."""
    return asyncio.run(place_of(settings.database_url).status())


def upgrade_database(settings: Settings) -> Path | None:
    """Bring the configured database to this version; returns the backup made first. Raises ConfigError, StoreError."""
    return asyncio.run(place_of(settings.database_url).upgrade(clock=SystemClock()))


def check_database(settings: Settings) -> tuple[str, ...]:
    """Return what is wrong with the configured database; reads all of a file. Raises ConfigError, StoreError."""
    return asyncio.run(place_of(settings.database_url).check())


def copy_database(source: str, target: str, progress: Callable[[str, int, int], None]) -> Mapping[str, int]:
    """Copy everything from one database URL to another that is empty, and compare row by row; return rows by table.

    `progress` is told what is done, how many rows that came to, and of how many. Raises ConfigError, Conflict,
    StoreError.
    """
    from cuewire.stores.copies import copy_all

    return asyncio.run(copy_all(place_of(source), place_of(target), clock=SystemClock(), progress=progress))


def sqlite_version() -> tuple[int, ...]:
    """Return the version of the SQLite that this Python brings."""
    from cuewire.stores.sqlite_file import engine_version

    return engine_version()
