"""The real `cuewire serve`, as a process of its own over a database of its own."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from cuewire.config import Settings, load
from tests.support.command_line import CommandLine
from tests.support.serving import gone, launched
from tests.support.warm_commands import Running

ENDS_WITHIN_S = 15.0


class CuewireServer:
    """A server in a folder; `environment` is added to a bare one. Use it as `with`; it may be started anew."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.url = ""
        self.key = ""
        self._folder = folder
        self._command_line = CommandLine(folder, dict(environment or {}))
        self._process: Running | None = None

    def __enter__(self) -> CuewireServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """Where it listens; the same after a new start."""
        return int(self.url.rpartition(":")[2] or 0)

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """What it wrote to stderr, so far."""
        return (self._folder / "serve.log").read_text()

    def settings(self, **environment: str) -> Settings:
        """Return the settings of a client, with nothing taken from this machine."""
        own = {"CUEWIRE_DATA_FOLDER": str(self._folder), "CUEWIRE_SERVER": self.url, "CUEWIRE_TOKEN": self.key}
        return load(environment=own | environment, folder=self._folder)

    def start(self) -> None:
        """Start it, and return when it answers."""
        self._process, said = launched(self._command_line, "--port", str(self.port))
        self.url, self.key = said["url"], said["key"] or self.key

    def stop(self) -> None:
        """End it as an operator does, if it still runs; what runs there by then is brought to its end."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power failure does."""
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        try:
            self._process.wait(ENDS_WITHIN_S)
        finally:
            gone(self._process)
