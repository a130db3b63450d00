"""An interpreter that has imported what `cuewire` needs, and forks for each command that it is asked to run.

A command is a process of its own, with arguments, environment, folder and files of its own, as if a shell had started
it; only the half second that imports take is spent once. Run as a program: its standard input ends its life.
"""

from __future__ import annotations

import atexit
import gc
import os
import select
import signal
import socket
import sys
import threading
from contextlib import suppress
from importlib import import_module
from pkgutil import iter_modules
from typing import NoReturn

import msgspec

import cuewire.cli.__main__

PRELOADED = (
    *(f"cuewire.cli.{module.name}" for module in iter_modules(cuewire.cli.__path__)),
    *("cuewire.blocking", "cuewire.remote", "cuewire.server.serve", "cuewire.wiring.local"),
    *("cuewire.stores.postgres", "cuewire.stores.serving", "cuewire.stores.sqlite"),
    *("platformdirs", "pydantic.v1", "rich.console", "rich.table", "typer._adapters"),
)
MAX_REQUEST = 1 << 20


class Request(msgspec.Struct):
    """A command: its arguments, environment and folder, and whether it begins a session of its own."""

    arguments: list[str]
    environment: dict[str, str]
    folder: str
    has_session: bool


def main(address: str) -> None:
    """Take requests until standard input ends. Returns in the forked processes, which then run their command."""
    for name in PRELOADED:
        import_module(name)
    gc.collect()
    gc.freeze()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(address)
        listener.listen(64)
        print("ready", flush=True)
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:
                return
            connection, _ = listener.accept()
            with connection:
                if os.fork() == 0:
                    listener.close()
                    attend(connection)


def attend(connection: socket.socket) -> NoReturn:
    """Run one command in a process below this one, say its id, and how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    said, files, _, _ = socket.recv_fds(connection, MAX_REQUEST, 3)
    request = msgspec.json.decode(said, type=Request)
    pid = os.fork()
    if pid == 0:
        connection.close()
        become(request, files)
    for file in files:
        os.close(file)
    connection.send(str(pid).encode())
    _, status = os.waitpid(pid, 0)
    connection.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def become(request: Request, files: list[int]) -> NoReturn:
    """Be the command."""
    if request.has_session:
        os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(request.folder)
    os.environ.clear()
    os.environ.update(request.environment)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    sys.stdin = open(0, errors="surrogateescape")  # noqa: SIM115  # they stay open
    sys.stdout = open(1, "w", errors="surrogateescape")  # noqa: SIM115
    sys.stderr = open(2, "w", errors="backslashreplace", buffering=1)  # noqa: SIM115
    sys.argv = [cuewire.cli.__main__.__file__, *request.arguments]
    sys.path[0] = request.folder
    try:
        cuewire.cli.__main__.main()
    finally:  # with what SystemExit or a fault would bring about, but for taking all that is imported apart
        code = _code_of(sys.exception())
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        with suppress(OSError, ValueError):
            sys.stdout.flush()
        os._exit(code)


def _code_of(ending: BaseException | None) -> int:
    if isinstance(ending, SystemExit):
        return ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    if ending is not None:
        sys.excepthook(type(ending), ending, ending.__traceback__)
    return int(ending is not None)


if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who attend
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main(sys.argv[1])
