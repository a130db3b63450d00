"""What the global options say, and the way from there to the App."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cuewire.config import allows_color
from cuewire.model.errors import CuewireError

if TYPE_CHECKING:
    from cuewire.blocking import Opening
    from cuewire.config import Settings


@dataclass(kw_only=True)
class Session:
    """One invocation of the command."""

    is_json: bool = False
    is_verbose: bool = False
    shows_traceback: bool = False
    colors: bool = True
    database: str | None = None
    server: str | None = None
    config: Path | None = None

    @cached_property
    def settings(self) -> Settings:
        """All settings. Raises ConfigError."""
        from cuewire.config import load

        return load({"database_url": self.database, "server": self.server}, file=self.config)

    def open(self) -> Opening:
        """Return the App to be opened, in either form, on the server or at the database of the settings."""
        import cuewire  # the facade imports the engine on first use

        return cuewire.open(settings=self.settings)

    def at(self, database: str) -> Session:
        """Return the same session at another database."""
        return replace(self, database=database)

    @property
    def is_live(self) -> bool:
        """Whether a person watches stdout."""
        return sys.stdout.isatty() and not self.is_json

    @property
    def colors_stdout(self) -> bool:
        """Whether stdout may carry colours."""
        return self.colors and self.is_live and allows_color()

    @property
    def colors_stderr(self) -> bool:
        """Whether stderr may carry colours."""
        return self.colors and sys.stderr.isatty() and allows_color()


def refuse_server(session: Session, command: str) -> None:
    """Raise BadParameter if a flag sends a command that is about this machine to a server."""
    if session.server is not None:
        raise typer.BadParameter(f"'{command}' is about this machine, and no server answers it", param_hint="--server")


def stay_here(session: Session, command: str) -> None:
    """Say of a command that it is about this machine, where a server is set."""
    try:
        server = session.settings.server
    except CuewireError:
        return  # the command says so itself, if it needs the settings
    if server and session.database is None and not session.is_json:
        print(f"note: '{command}' is about this machine; the server of the settings is not asked", file=sys.stderr)
