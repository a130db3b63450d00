"""The real `cuewire serve` in a process of its own, and what tests say to it: whole requests, or bytes as they are."""

from __future__ import annotations

import http.client
import select
import signal
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from tests.support.command_line import DEADLINE_S, CommandLine
from tests.support.warm_commands import Running


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return msgspec.json.decode(self.body)


@dataclass
class Serving:
    """A server that runs; `key` is an API key that it knows, `said` what it told at its start."""

    process: Running
    port: int
    key: str
    headers: dict[str, str] = field(default_factory=dict)
    source: str = "127.0.0.1"
    said: dict[str, Any] = field(default_factory=dict)

    def seen_from(self, source: str) -> Serving:
        """Return the same server for a client at another address of this machine, such as 127.0.0.9."""
        return replace(self, source=source)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: object = None, **headers: str | None) -> Reply:
        """Send one request with the key and return the reply; a header of None is left out.

        A body of bytes goes as it is, any other as JSON. In the names of headers `_` stands for `-`.
        """
        said: dict[str, str | None] = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        said |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, bytes | None) else msgspec.json.encode(body)
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=DEADLINE_S, source_address=(self.source, 0)
        )
        try:
            connection.request(method, path, data, {name: text for name, text in said.items() if text is not None})
            response = connection.getresponse()
            found = {name.lower(): text for name, text in response.getheaders()}
            return Reply(response.status, found, response.read())
        finally:
            connection.close()

    def run(self, prompt: str, inputs: Mapping[str, object], **more: object) -> Reply:
        """Run a prompt."""
        return self.ask("POST", "/api/v1/executions", {"prompt": prompt, "inputs": inputs, **more})

    def publish(self, name: str, content: str, **more: object) -> Reply:
        """Publish a prompt; what is not its first version goes to production only if `publish` says so."""
        return self.ask("PUT", f"/api/v1/prompts/{name}", {"content": content, "publish": False, **more})

    def connect(self) -> socket.socket:
        """Open a connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE_S, source_address=(self.source, 0))

    def raw(self, *parts: bytes) -> bytes:
        """Send bytes, end the sending, and return all that comes back until the server hangs up."""
        with self.connect() as connection:
            try:
                for part in parts:
                    connection.sendall(part)
            except OSError:  # it has heard enough
                pass
            return read_all(connection)

    def head(self, method: str, path: str, **headers: str) -> bytes:
        """Return the head of a request with the key, to be sent raw; the server hangs up after its reply."""
        said = {"Host": f"127.0.0.1:{self.port}", "Authorization": f"Bearer {self.key}", "Connection": "close"}
        said |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {text}" for name, text in said.items())]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal, and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(DEADLINE_S + 10)


@contextmanager
def serving(cue: CommandLine, *arguments: str) -> Iterator[Serving]:
    """Serve the database of a command line; whatever happens, the process is gone afterwards."""
    process, said = launched(cue, "--port", "0", *arguments)
    try:
        if said["key"]:
            key_file(cue.folder).write_text(said["key"])
        kept = key_file(cue.folder)
        port = int(said["url"].rpartition(":")[2])
        yield Serving(process=process, port=port, key=kept.read_text() if kept.exists() else "", said=said)
    finally:
        gone(process)


def launched(cue: CommandLine, *arguments: str) -> tuple[Running, dict[str, Any]]:
    """Start a server; return its process and what it says once it answers. It logs into `serve.log`."""
    errors = cue.folder / "serve.log"
    process = cue.in_background("--json", "serve", *arguments, errors=errors)
    assert process.stdout is not None
    is_ready, _, _ = select.select([process.stdout], [], [], DEADLINE_S)
    line = process.stdout.readline() if is_ready else b""
    if not line:
        gone(process)
        raise AssertionError(f"the server did not start: {errors.read_text()[-2_000:]}")
    return process, msgspec.json.decode(line)


def gone(process: Running) -> None:
    """Kill a server if it still runs, and let nothing be left of it."""
    process.kill()
    process.wait(DEADLINE_S)
    assert process.stdout is not None
    process.stdout.close()


def key_file(folder: Path) -> Path:
    """Return where the tests keep the key that the first start of a server shows."""
    return folder / "first.key"


def read_all(connection: socket.socket) -> bytes:
    """Return what comes until the other side hangs up, even if it does so rudely."""
    blocks = []
    try:
        while block := connection.recv(65_536):
            blocks.append(block)
    except ConnectionError:
        pass
    return b"".join(blocks)


def status_of(reply: bytes) -> int:
    """Return the status in the bytes of a reply, 0 if there is none."""
    return int(reply.split(b" ", 2)[1]) if reply.startswith(b"HTTP/1.") else 0
