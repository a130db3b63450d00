"""Times requests of one kind after another over one connection. Standard library only, as it also asks the peer."""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_WARM = 5
_RECEIVE_BYTES = 65_536
_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Request:
    """One request; its body is sent as JSON."""

    path: str
    method: str = "GET"
    body: Mapping[str, Any] | None = None

    def text(self, headers: Mapping[str, str]) -> bytes:
        """Give its bytes."""
        body = b"" if self.body is None else json.dumps(self.body).encode()
        own = {"Host": "127.0.0.1", "Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
        lines = (f"{name}: {value}\r\n" for name, value in own.items())
        return f"{self.method} {self.path} HTTP/1.1\r\n{''.join(lines)}\r\n".encode() + body


Requests = Callable[[int], Request]
"""Gives the request of a number, each another one."""


class Asker:
    """Asks one server over one connection that is kept open."""

    def __init__(self, port: int, headers: Mapping[str, str] | None = None) -> None:
        self._port = port
        self._headers = headers or {}
        self._socket = self._connect()

    def ask(self, request: Request) -> bytes:
        """Give the body of the reply; ends this process after a bad one."""
        text = request.text(self._headers)
        self._socket.sendall(text)
        status, body = self._reply()
        if not 200 <= status < 300:
            sys.exit(f"{request.method} {request.path} was answered with {status}: {body[:600]!r}")
        return body

    def times_ms(self, requests: Requests, *, count: int) -> list[float]:
        """Give the milliseconds that each of so many requests took, after a few that warm."""
        for number in range(_WARM):
            self.ask(requests(number))
        return [self._time_ms(requests(number)) for number in range(_WARM, _WARM + count)]

    def _time_ms(self, request: Request) -> float:
        begun = time.perf_counter()
        self.ask(request)
        return (time.perf_counter() - begun) * 1_000

    def _connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self._port), timeout=120)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _reply(self) -> tuple[int, bytes]:
        data = b""
        while _END not in data:
            data += self._more()
        head, _, body = data.partition(_END)
        lines = head.decode("latin-1").lower().split("\r\n")
        length = next(int(line.partition(":")[2]) for line in lines if line.startswith("content-length:"))
        while len(body) < length:
            body += self._more()
        return int(lines[0].split()[1]), body

    def _more(self) -> bytes:
        if data := self._socket.recv(_RECEIVE_BYTES):
            return data
        sys.exit("the server closed the connection")


def figures_of(name: str, times_ms: list[float]) -> Iterator[tuple[str, float]]:
    """Give the median and the 95th percentile by their names."""
    ordered = sorted(times_ms)
    yield f"{name} ms", ordered[len(ordered) // 2]
    yield f"{name}, p95 ms", ordered[min(len(ordered) * 95 // 100, len(ordered) - 1)]
