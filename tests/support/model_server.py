"""A scripted faulty model server on raw sockets: for each request it does exactly what the script says, and counts."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, TypeAlias

import msgspec


@dataclass(frozen=True)
class Send:
    """Send bytes, all at once or a few at a time."""

    data: bytes
    each: int = 0
    every_s: float = 0.0


@dataclass(frozen=True)
class Wait:
    """Do nothing for a while."""

    seconds: float


@dataclass(frozen=True)
class Until:
    """Do nothing until the test says so, or until the client hangs up."""

    event: asyncio.Event


@dataclass(frozen=True)
class Flood:
    """Send the same bytes again and again until the client hangs up or `total` bytes are sent."""

    data: bytes
    total: int = 2**40


@dataclass(frozen=True)
class Reset:
    """Close the connection with a reset (RST)."""


@dataclass(frozen=True)
class Close:
    """Close the connection cleanly."""


@dataclass(frozen=True)
class Hang:
    """Do nothing until the client hangs up."""


Action: TypeAlias = Send | Wait | Until | Flood | Reset | Close | Hang


@dataclass
class Received:
    """A request as it arrived; `hung_up` is set once the client has closed the connection."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return msgspec.json.decode(self.body)


class ModelServer:
    """Answers each request by the next script, the last one again and again; use it as `async with`.

    With `reads_bodies` off it answers, or does not, as soon as the head has arrived.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None, reads_bodies: bool = True) -> None:
        self.received: list[Received] = []
        self.connections = 0
        self.open_connections = 0
        self.arrived = asyncio.Event()
        self.connected = asyncio.Event()
        self.all_closed = asyncio.Event()
        self.port = 0
        self._scripts: deque[Sequence[Action]] = deque()
        self._tls = tls
        self._reads_bodies = reads_bodies
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def origin(self) -> str:
        """The origin of the server."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The base URL of the API."""
        return f"{self.origin}/v1"

    def script(self, *scripts: Sequence[Action]) -> None:
        """Append what to do for the next requests."""
        self._scripts.extend(scripts)

    def choose(self, path: str, body: bytes) -> Sequence[Action]:
        """Return what to do for a request; a subclass may look at the request."""
        return self._scripts.popleft() if len(self._scripts) > 1 else self._scripts[0]

    def refuse(self) -> None:
        """Take no further connection; those that there are go on."""
        assert self._server is not None
        self._server.close()

    async def __aenter__(self) -> ModelServer:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls, limit=2**17)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        self.open_connections += 1
        self.all_closed.clear()
        self.connected.set()
        try:
            await self._converse(_Peer(reader, writer), self.connections)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            self._tasks.discard(task)
            self.open_connections -= 1
            if not self.open_connections:
                self.all_closed.set()

    async def _converse(self, peer: _Peer, connection: int) -> None:
        while (received := await peer.next_request(connection, reads_body=self._reads_bodies)) is not None:
            self.received.append(received)
            self.arrived.set()
            script = self.choose(received.path, received.body)
            watch = asyncio.create_task(peer.watch(received.hung_up))
            try:
                for action in script:
                    if not await peer.do(action, received.hung_up):
                        return
            except ConnectionError:
                received.hung_up.set()
                raise
            finally:
                watch.cancel()
                await asyncio.wait([watch])


class _Peer:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._ahead = b""

    async def next_request(self, connection: int, *, reads_body: bool) -> Received | None:
        while b"\r\n\r\n" not in self._ahead:
            block = await self._reader.read(65_536)
            if not block:
                return None
            self._ahead += block
        head, _, rest = self._ahead.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        if reads_body and len(rest) < length:
            rest += await self._reader.readexactly(length - len(rest))
        self._ahead = rest[length:]
        return Received(method, path, headers, rest[:length], connection)

    async def watch(self, hung_up: asyncio.Event) -> None:
        """Note when the client hangs up; what it sends meanwhile is the beginning of its next request."""
        try:
            while block := await self._reader.read(65_536):
                self._ahead += block
        except ConnectionError:
            pass
        hung_up.set()

    async def do(self, action: Action, hung_up: asyncio.Event) -> bool:
        """Do one thing; returns whether the connection is still of use."""
        match action:
            case Send(data=data, each=0):
                await self._send(data)
            case Send(data=data, each=each, every_s=every_s):
                for start in range(0, len(data), each):
                    await self._send(data[start : start + each])
                    await asyncio.sleep(every_s)
            case Flood(data=data, total=total):
                for _ in range(total // len(data)):
                    await self._send(data)
            case Wait(seconds=seconds):
                await asyncio.sleep(seconds)
            case Until(event=event):
                waits = [asyncio.create_task(event.wait()), asyncio.create_task(hung_up.wait())]
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                for wait in waits:
                    wait.cancel()
            case Hang():
                await hung_up.wait()
            case Reset():
                connection: socket.socket = self._writer.get_extra_info("socket")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self._writer.transport.abort()
                return False
            case Close():
                self._writer.close()
                return False
        return not hung_up.is_set()

    async def _send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()


def head(
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    *,
    length: int | None = None,
    kind: str = "application/json",
) -> bytes:
    """Build the head of a response; without a length the body is chunked."""
    lines = [f"HTTP/1.1 {status} Scripted", f"Content-Type: {kind}"]
    lines.append("Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}")
    lines.extend(f"{name}: {value}" for name, value in (headers or {}).items())
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def chunk(data: bytes) -> bytes:
    """Frame data as one chunk of a chunked body; no data is the last chunk."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def plain(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> list[Action]:
    """Answer with a JSON body, or with the bytes as they are."""
    data = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return [Send(head(status, headers, length=len(data)) + data)]


def stream(*blocks: bytes | Action, headers: Mapping[str, str] | None = None) -> list[Action]:
    """Answer with an event stream: each block of bytes is a chunk of its own."""
    actions = [block if not isinstance(block, bytes) else Send(chunk(block)) for block in blocks]
    return [Send(head(headers=headers, kind="text/event-stream")), *actions, Send(chunk(b""))]


def event(data: object) -> bytes:
    """Write one server-sent event."""
    return b"data: %b\n\n" % (data if isinstance(data, bytes) else msgspec.json.encode(data))


DONE = event(b"[DONE]")


def delta(text: str | None = None, *, finish_reason: str | None = None, **more: Any) -> bytes:
    """Write the event that adds text to the answer, or ends it."""
    grows = {**({"content": text} if text is not None else {}), **more}
    return event(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "model": "tiny-1",
            "choices": [{"index": 0, "delta": grows, "finish_reason": finish_reason}],
        }
    )


def usage_event(usage: object) -> bytes:
    """Write the event that comes last and holds the token counts."""
    return event({"id": "chatcmpl-1", "model": "tiny-1", "choices": [], "usage": usage})


USAGE = {
    "prompt_tokens": 11,
    "completion_tokens": 3,
    "total_tokens": 14,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 1},
}


def completion(text: str | None = "Hello there", *, finish_reason: str = "stop", **more: Any) -> dict[str, Any]:
    """Build the body of a plain answer; `more` replaces or adds top-level fields."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "tiny-1",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish_reason}],
        "usage": USAGE,
        **more,
    }


def embeddings(*vectors: object, usage: object = None, **more: Any) -> dict[str, Any]:
    """Build the body of an answer with vectors, as numbers or in base64; `more` replaces or adds top-level fields."""
    return {
        "object": "list",
        "data": [{"object": "embedding", "index": at, "embedding": vector} for at, vector in enumerate(vectors)],
        "model": "tiny-1",
        "usage": usage or {"prompt_tokens": 5, "total_tokens": 5},
        **more,
    }
