"""The real `cuewire` command in processes of its own, in a folder of its own, with nothing taken from this machine."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import signal
import subprocess
import sys
import termios
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from tests.support.warm_commands import Running, can_be_warm, ended, in_background, started

DEADLINE_S = 30.0
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, and what it wrote."""

    code: int
    out: str
    err: str = ""

    @property
    def json(self) -> Any:
        """The one JSON document on stdout."""
        return msgspec.json.decode(self.out)

    @property
    def error(self) -> Any:
        """The one JSON document on stderr."""
        return msgspec.json.decode(self.err)["error"]


@dataclass
class CommandLine:
    """Runs `cuewire` in a folder; `environment` is added to a bare one."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    async def __call__(self, *arguments: str, stdin: bytes = b"") -> Ended:
        """Run a command with pipes to its end."""
        environment = self.whole_environment()
        if can_be_warm(environment):
            code, out, err = await ended(arguments, environment=environment, folder=self.folder, stdin=stdin)
            return Ended(code, out.decode(), err.decode())
        process = await self.start(*arguments)
        async with asyncio.timeout(DEADLINE_S):
            out, err = await process.communicate(stdin)
        return Ended(process.returncode or 0, out.decode(), err.decode())

    async def start(
        self, *arguments: str, python: tuple[str, ...] = (), stdout: int = asyncio.subprocess.PIPE
    ) -> asyncio.subprocess.Process:
        """Start a command with pipes, in an interpreter of its own; `python` are options of that."""
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *python,
            "-m",
            "cuewire.cli",
            *arguments,
            cwd=self.folder,
            env=self.whole_environment(),
            preexec_fn=_heed_interrupts,
            stdin=asyncio.subprocess.PIPE,
            stdout=stdout,
            stderr=asyncio.subprocess.PIPE,
        )

    async def on_terminal(
        self,
        *arguments: str,
        columns: int = 80,
        interrupt_after: str | None = None,
        deadline_s: float = DEADLINE_S,
    ) -> Ended:
        """Run a command on a terminal; `interrupt_after` is a text that makes them press Ctrl-C.

        `out` is what a person sees, `err` the same with its escape sequences.
        """
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (40, columns))
        environment = self.whole_environment() | {"TERM": "xterm-256color"}
        process = self._started(arguments, environment, theirs)
        os.close(theirs)
        seen = b""
        async with asyncio.timeout(deadline_s):
            while block := await asyncio.to_thread(_read, ours):
                seen += block
                if interrupt_after and interrupt_after.encode() in seen:
                    process.send_signal(signal.SIGINT)
                    interrupt_after = None
            code = await asyncio.to_thread(process.wait)
        os.close(ours)
        raw = seen.decode().replace("\r\n", "\n")
        return Ended(code, _ESCAPES.sub("", raw), raw)

    def in_background(self, *arguments: str, errors: Path) -> Running:
        """Start a command that reads nothing; what it writes can be read, and of errors is in the file."""
        environment = self.whole_environment()
        with errors.open("ab") as log:
            if can_be_warm(environment):
                return in_background(arguments, environment=environment, folder=self.folder, errors=log.fileno())
            return subprocess.Popen(
                [sys.executable, "-m", "cuewire.cli", *arguments],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
            )

    def _started(self, arguments: tuple[str, ...], environment: dict[str, str], terminal: int) -> Running:
        files = terminal, terminal, terminal
        if can_be_warm(environment):
            return started(arguments, environment=environment, folder=self.folder, files=files, has_session=True)
        return subprocess.Popen(
            [sys.executable, "-m", "cuewire.cli", *arguments],
            cwd=self.folder,
            env=environment,
            preexec_fn=_heed_interrupts,
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
        )

    def whole_environment(self) -> dict[str, str]:
        """Return the environment of the commands."""
        kept = {name: value for name, value in os.environ.items() if name == "PATH" or name.startswith("COVERAGE_")}
        own = {"HOME": str(self.folder), "CUEWIRE_DATA_FOLDER": str(self.folder), "LANG": "C.UTF-8"}
        return kept | own | self.environment


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # how Linux says that nobody has the other end open
        return b""


def _heed_interrupts() -> None:
    """Undo what a shell does to a job in the background, whose programs then ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
