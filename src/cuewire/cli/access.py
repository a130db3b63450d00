"""What the commands about keys and users share: the database, which they change where it is, and how long keys last."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from cuewire.cli.session import Session
from cuewire.model.errors import ConfigError, InvalidInput

if TYPE_CHECKING:
    from cuewire.engine.app import LocalApp

T = TypeVar("T")
_DURATION = re.compile(r"(?P<number>[1-9][0-9]{0,3})(?P<unit>[mhdw])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def with_database(session: Session, work: Callable[[LocalApp], Awaitable[T]], *, what: str) -> T:
    """Do the work on the database itself; `what` is what a server would have to be asked for otherwise.

    Raises ConfigError where a server is set in its place.
    """
    from cuewire.wiring import connect, is_database_named

    if session.settings.server and not is_database_named(session.settings):
        raise ConfigError(
            f"the settings name a server, and {what} are made where it runs",
            hint="run this there, or name the database with --database",
            field="server",
        )

    async def run() -> T:
        app = await connect(settings=session.settings)
        try:
            return await work(app)
        finally:
            await app.close()

    return asyncio.run(run())


def parse_duration(text: str) -> timedelta:
    """Return how long `30d`, `12h`, `90m` or `8w` is. Raises InvalidInput."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise InvalidInput(f"{text[:40]!r} is not a time", field="--expires", hint="write it as 90m, 12h, 30d or 8w")
    return int(found["number"]) * _UNITS[found["unit"]]
