"""Commands that begin without the half second that imports take: asked of one interpreter that has made them."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import BinaryIO, TypeAlias

import msgspec

from tests.support.warm_interpreter import Request

OURS = ("COVERAGE_", "PYTHON")
"""What an interpreter reads when it starts, so that commands with such variables need one of their own."""


class Process:
    """A command that runs. Its parent is another process, which says how it ended."""

    def __init__(self, pid: int, connection: socket.socket) -> None:
        self.pid = pid
        self.stdout: BinaryIO | None = None
        self.returncode: int | None = None
        self._connection = connection

    def wait(self, timeout_s: float | None = None) -> int:
        """Return the exit code when it has ended. Raises TimeoutExpired."""
        if self.returncode is None:
            self._connection.settimeout(timeout_s)
            try:
                self.returncode = int(self._connection.recv(64))
            except TimeoutError:
                raise subprocess.TimeoutExpired(str(self.pid), timeout_s or 0.0) from None
            self._connection.close()
        return self.returncode

    def poll(self) -> int | None:
        """Return the exit code if it has ended."""
        try:
            return self.wait(1e-6)
        except subprocess.TimeoutExpired:
            return None

    def send_signal(self, number: int) -> None:
        """Send it a signal if it runs still."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it, if it runs still."""
        self.send_signal(signal.SIGKILL)


Running: TypeAlias = Process | subprocess.Popen[bytes]
"""A command that was started, in whichever interpreter."""


def can_be_warm(environment: Mapping[str, str]) -> bool:
    """Tell whether a command with this environment may begin in an interpreter that runs already."""
    return not any(name.startswith(OURS) for name in environment)


def started(
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    files: tuple[int, int, int],
    has_session: bool = False,
) -> Process:
    """Start a command with these files for input, output and errors, which stay open here."""
    request = Request(list(arguments), dict(environment), str(folder), has_session)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.connect(_interpreter())
    socket.send_fds(connection, [msgspec.json.encode(request)], list(files))
    return Process(int(connection.recv(64)), connection)


async def ended(
    arguments: Sequence[str], *, environment: Mapping[str, str], folder: Path, stdin: bytes, deadline_s: float = 30.0
) -> tuple[int, bytes, bytes]:
    """Run a command with pipes; return its exit code, what it wrote, and what it wrote of errors."""
    (theirs, into), (out, out_of), (err, err_of) = os.pipe(), os.pipe(), os.pipe()
    files = theirs, out_of, err_of
    process = started(arguments, environment=environment, folder=folder, files=files)
    for file in files:
        os.close(file)
    told = asyncio.gather(
        asyncio.to_thread(_write, into, stdin), asyncio.to_thread(_read, out), asyncio.to_thread(_read, err)
    )
    try:
        async with asyncio.timeout(deadline_s):
            _, said, complained = await told
            return await asyncio.to_thread(process.wait), said, complained
    finally:
        process.kill()


def in_background(arguments: Sequence[str], *, environment: Mapping[str, str], folder: Path, errors: int) -> Process:
    """Start a command that reads nothing, whose output can be read as `stdout`."""
    ours, theirs = os.pipe()
    nothing = os.open(os.devnull, os.O_RDONLY)
    process = started(arguments, environment=environment, folder=folder, files=(nothing, theirs, errors))
    os.close(nothing)
    os.close(theirs)
    process.stdout = open(ours, "rb")  # noqa: SIM115  # closed by who reads it
    return process


def _read(file: int) -> bytes:
    with open(file, "rb") as stream:
        return stream.read()


def _write(file: int, said: bytes) -> bytes:
    with suppress(BrokenPipeError), open(file, "wb") as stream:
        stream.write(said)
    return said


@cache
def _interpreter() -> str:
    """Start the interpreter, which ends with this process; return where it listens."""
    address = f"{tempfile.mkdtemp(prefix='cuewire-warm-')}/socket"
    program = [sys.executable, "-m", "tests.support.warm_interpreter", address]
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
    process = subprocess.Popen(
        program,
        cwd=Path(__file__).parents[2],
        env=kept | {"LANG": "C.UTF-8"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    _kept.append(process)
    return address


_kept: list[subprocess.Popen[str]] = []
"""Its standard input must stay open."""
