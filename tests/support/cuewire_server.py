"""The real `cuewire serve`, as a process of its own over a database of its own."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import msgspec

from cuewire.config import Settings, load

STARTS_WITHIN_S = 30.0
ENDS_WITHIN_S = 15.0


class CuewireServer:
    """A server in a folder; `environment` is added to a bare one. Use it as `with`; it may be started anew."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.url = ""
        self.key = ""
        self._folder = folder
        self._environment = dict(environment or {})
        self._process: subprocess.Popen[bytes] | None = None

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
        kept = {name: value for name, value in os.environ.items() if name == "PATH" or name.startswith("COVERAGE_")}
        own = {"HOME": str(self._folder), "CUEWIRE_DATA_FOLDER": str(self._folder), "LANG": "C.UTF-8"}
        with (self._folder / "serve.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "cuewire.cli", "serve", "--port", str(self.port), "--json"],
                cwd=self._folder,
                env=kept | own | self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], STARTS_WITHIN_S)
        line = self._process.stdout.readline() if ready else b""
        if not line:
            self.kill()
            raise AssertionError(f"the server did not start: {self.log[-2_000:]}")
        said = msgspec.json.decode(line)
        self.url, self.key = said["url"], said["key"] or self.key

    def stop(self) -> None:
        """End it as an operator does, if it still runs; what runs there by then is brought to its end."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power failure does."""
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> None:
        process = self._process
        assert process is not None
        process.send_signal(number)
        try:
            process.wait(ENDS_WITHIN_S)
        finally:
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()
