"""Where a database is, as its URL says: a SQLite file, or a PostgreSQL server. Each is loaded only when it is used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from cuewire.model.errors import ConfigError, Conflict, MissingExtra
from cuewire.model.values import Value
from cuewire.ports import Clock

if TYPE_CHECKING:
    from cuewire.stores.database import OpenDatabase
    from cuewire.stores.tickets import Checkpoint
    from cuewire.stores.upgrades import SchemaStatus

_SERVERS = ("postgresql", "postgres")
_NEEDED = ("asyncpg", "greenlet")


class PlaceStatus(Value, frozen=True):
    """The state of a database; `revision` is empty while it has no tables."""

    where: str
    exists: bool
    revision: str
    head: str
    pending: tuple[str, ...]


class Place(Protocol):
    """A database that may or may not exist yet."""

    @property
    def name(self) -> str:
        """What to call it in words for people; holds no secret."""
        ...

    @property
    def file(self) -> Path | None:
        """The file, if it is one."""
        ...

    async def open(self, *, clock: Clock, checkpoint: Checkpoint | None = None) -> OpenDatabase:
        """Open it, made with its tables if it has none. Raises StoreError, ConfigError."""
        ...

    async def status(self) -> PlaceStatus:
        """Return its state without changing it. Raises StoreError, ConfigError."""
        ...

    async def upgrade(self, *, clock: Clock) -> Path | None:
        """Bring it to this version; return the backup made first. Raises StoreError, ConfigError."""
        ...

    async def check(self) -> tuple[str, ...]:
        """Return what is wrong with it. Raises StoreError, ConfigError."""
        ...

    def serve(self) -> AbstractContextManager[None]:
        """Be its only server, where it has but one. Raises StoreBusy."""
        ...

    async def refuse_unless_empty(self) -> None:
        """Raise Conflict if something is stored there."""
        ...

    async def clear(self) -> None:
        """Remove all that is stored there. Raises StoreError."""
        ...


def place_of(url: str) -> Place:
    """Return the place. Raises ConfigError for a URL of any other kind."""
    scheme, separator, rest = url.partition("://")
    if separator and scheme in _SERVERS:
        return OnServer(url)
    if separator and scheme == "sqlite" and rest.startswith("/") and rest != "/" and not rest.startswith("/:memory:"):
        return InFile(Path(rest[1:]).expanduser())
    is_path = re.fullmatch(r"[\w./~-]{1,80}", url)  # what is neither a URL nor a path may hold a password
    raise ConfigError(
        f"database {scheme if separator else url if is_path else '...'!r} cannot be opened",
        hint="write sqlite:///path/to/file.db (a fourth slash begins an absolute path), or postgresql://host/database",
        field="database_url",
    )


class InFile:
    """A SQLite file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.name = str(file)

    async def open(self, *, clock: Clock, checkpoint: Checkpoint | None = None) -> OpenDatabase:
        """Open the file."""
        from cuewire.stores.sqlite import SqliteDatabase

        return await SqliteDatabase.open(self.file, clock=clock, checkpoint=checkpoint)

    async def status(self) -> PlaceStatus:
        """Return the state of the file."""
        from cuewire.stores.upgrades import status

        return _status(self.name, status(self.file) if self.file.exists() else None)

    async def upgrade(self, *, clock: Clock) -> Path | None:
        """Upgrade the file, after a backup."""
        from cuewire.stores.sqlite_file import open_file
        from cuewire.stores.upgrades import upgrade

        if not self.file.exists():
            open_file(self.file).close()
        return upgrade(self.file, clock=clock)

    async def check(self) -> tuple[str, ...]:
        """Read all pages and references."""
        from cuewire.stores.backups import problems
        from cuewire.stores.sqlite_file import connect, opening

        with opening(self.file), closing(connect(self.file)) as connection:
            return tuple(problems(connection))

    def serve(self) -> AbstractContextManager[None]:
        """Hold the file's lock."""
        from cuewire.stores.serving import only_server

        return only_server(self.file)

    async def refuse_unless_empty(self) -> None:
        """Refuse any file that exists."""
        if self.file.exists():
            raise _not_empty(self.name)

    async def clear(self) -> None:
        """Remove the file and what lies beside it."""
        for path in (self.file, *(self.file.with_name(f"{self.file.name}-{part}") for part in ("wal", "shm"))):
            path.unlink(missing_ok=True)


class OnServer:
    """A database on a PostgreSQL server. Making one raises MissingExtra if the driver is not installed."""

    file = None

    def __init__(self, url: str) -> None:
        """Take the URL, which may hold a password: it shows in nothing that this object says. Raises ConfigError."""
        with _extra():
            from cuewire.stores.postgres_server import shown
        self._url = url
        self.name = shown(url)

    async def open(self, *, clock: Clock, checkpoint: Checkpoint | None = None) -> OpenDatabase:
        """Connect to the server."""
        from cuewire.stores.postgres import PostgresDatabase

        return await PostgresDatabase.open(self._url, clock=clock, checkpoint=checkpoint)

    async def status(self) -> PlaceStatus:
        """Ask the server."""
        from cuewire.stores.postgres_upgrades import status

        return _status(self.name, await status(self._url))

    async def upgrade(self, *, clock: Clock) -> Path | None:
        """Upgrade the tables; a backup is for `pg_dump` to make."""
        from cuewire.stores.postgres_upgrades import upgrade

        await upgrade(self._url)
        return None

    async def check(self) -> tuple[str, ...]:
        """Look whether the server answers; it checks its pages itself."""
        await self.status()
        return ()

    def serve(self) -> AbstractContextManager[None]:
        """Hold nothing: any number of servers may use one database."""
        return nullcontext()

    async def refuse_unless_empty(self) -> None:
        """Refuse tables that have rows."""
        from cuewire.stores.postgres_upgrades import has_rows

        if await has_rows(self._url):
            raise _not_empty(self.name)

    async def clear(self) -> None:
        """Remove all rows, and keep the tables."""
        from cuewire.stores.postgres_upgrades import remove_rows

        await remove_rows(self._url)


def _status(name: str, found: SchemaStatus | None) -> PlaceStatus:
    """Return the state of a place whose schema was found, or None if there is none."""
    from cuewire.stores.schema import REVISION

    if found is None:
        return PlaceStatus(where=name, exists=False, revision="", head=REVISION, pending=())
    return PlaceStatus(where=name, exists=True, revision=found.current, head=found.head, pending=found.pending)


def _not_empty(name: str) -> Conflict:
    return Conflict(f"database {name!r} holds something already", hint="name one that is new or empty")


@contextmanager
def _extra() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in _NEEDED:
            raise
        raise MissingExtra(
            f"PostgreSQL needs {error.name}, which is not installed", hint="install it: pip install 'cuewire[postgres]'"
        ) from None
