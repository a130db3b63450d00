"""Programs that read their prompts with the client that they know from Langfuse; the first of them is this file.

`get NAME JSON` prints what `get_prompt` gave for those options, and how many milliseconds it took, as JSON; `fork NAME`
gets it before a fork, in the child and after it.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, perf_counter
from typing import Any

from cuewire.compat.langfuse import Langfuse, get_client
from tests.support.cuewire_server import CuewireServer

DEADLINE_S = 10.0


def eventually(holds: Callable[[], bool]) -> None:
    """Return when a claim holds, which it has to within the deadline."""
    deadline = monotonic() + DEADLINE_S
    while not holds():
        assert monotonic() < deadline, "it never came to be"


def client(server: CuewireServer, folder: Path, monkeypatch: Any) -> Langfuse:
    """Return a client of the server that keeps its files in a folder."""
    monkeypatch.setenv("CUEWIRE_DATA_FOLDER", str(folder))
    return Langfuse(host=server.url, secret_key=server.key)


def black_hole(port: int) -> closing[socket.socket]:
    """Listen at a port, take connections, and say nothing."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen()
    return closing(listening)


def program(environment: Mapping[str, str], *task: str) -> Any:
    """Run the program to its end, and return what it printed."""
    return json.loads(_run(["-m", "tests.support.langfuse_programs", *task], environment))


def printed(code: str, **environment: str) -> str:
    """Run a program to its end in a folder of its own, and return what it printed."""
    with TemporaryDirectory() as folder:
        return _run(["-c", code], environment | {"CUEWIRE_DATA_FOLDER": folder, "HOME": folder})


def _run(arguments: list[str], environment: Mapping[str, str]) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CUEWIRE_", "DATABASE_"))}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env={**kept, **environment}, stdout=subprocess.PIPE, text=True, check=True).stdout


def _get(name: str, options: str) -> object:
    langfuse = get_client()
    began = perf_counter()
    prompt = langfuse.get_prompt(name, **json.loads(options))
    took_ms = (perf_counter() - began) * 1_000
    return {"prompt": prompt.prompt, "version": prompt.version, "is_fallback": prompt.is_fallback, "took_ms": took_ms}


def _fork(name: str) -> object:
    langfuse = get_client()
    ours, theirs = os.pipe()
    said = [langfuse.get_prompt(name).compile(text="before")]
    child = os.fork()
    if not child:
        os.write(theirs, langfuse.get_prompt(name, cache_ttl_seconds=0).compile(text="child").encode())
        os._exit(0)
    said.append(os.read(ours, 1_000).decode())
    os.waitpid(child, 0)
    said.append(langfuse.get_prompt(name, cache_ttl_seconds=0).compile(text="after"))
    return said


TASKS: Mapping[str, Callable[..., object]] = {"get": _get, "fork": _fork}

if __name__ == "__main__":
    print(json.dumps(TASKS[sys.argv[1]](*sys.argv[2:])))
