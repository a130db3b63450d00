"""One HTTP/1.1 connection and the response that arrives on it: parsing, limits, and its fitness for another request."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Protocol, cast

from httptools import HttpResponseParser

from cuewire.model.errors import CuewireError, NetworkError, ProtocolError, ProviderTimeout
from cuewire.outbound.transport import MAX_BODY, MAX_STREAM, Timeouts

MAX_FRAMING = 64 * 2**10
"""Bytes that may arrive without any of the body among them: the head, trailers, or the extensions of a chunk."""
_MAX_HELD = 256 * 2**10
"""Bytes of the body that are held for a slow reader before the connection is no longer read."""
_AT_ONCE = 64 * 2**10
"""Bytes of a request body that are copied behind the head, so that both are one write."""


class Owner(Protocol):
    """Who keeps a connection between two requests."""

    def release(self, connection: Connection) -> None:
        """Take back a connection that is fit for another request."""
        ...

    def forget(self, connection: Connection) -> None:
        """Note that a connection is closed; called once for each."""
        ...


class Http1Response:
    """Implements the Response port."""

    __slots__ = (
        *("_blocks", "_connection", "_held", "_limit", "_size", "_takes_all", "_waiter"),
        *("_deadline", "_timeouts", "_total_at", "_unsent", "error", "headers", "is_complete", "status", "was_refused"),
        "keeps_connection",
    )

    def __init__(self, connection: Connection, timeouts: Timeouts, *, now: float, total_at: float) -> None:
        self.status = 0  # until the head has arrived
        self.headers: Mapping[str, str] = {}
        self.is_complete = False
        self.error: CuewireError | None = None
        self.keeps_connection = False
        """Whether the connection is fit for another request, and waits until this response is read or closed."""
        self.was_refused = False
        """Whether the server closed a connection that had been used before without a byte of an answer."""
        self._connection = connection
        self._blocks: list[bytes] = []
        self._held = self._size = self._unsent = 0
        self._limit = MAX_STREAM
        self._takes_all = False
        self._waiter: asyncio.Future[None] | None = None
        self._deadline = now + timeouts.first_byte_s
        self._timeouts = timeouts
        self._total_at = total_at

    async def read(self) -> bytes:
        self._takes_all = True
        self._limit = MAX_BODY
        while not self.is_complete:
            if self.error is not None:
                raise self.error
            self._connection.go_on(self)
            await self.wait()
        self._let_go()
        blocks = self._blocks
        return blocks[0] if len(blocks) == 1 else b"".join(blocks)

    def __aiter__(self) -> Http1Response:
        return self

    async def __anext__(self) -> bytes:
        while not self._blocks:
            if self.error is not None:
                raise self.error
            if self.is_complete:
                self._let_go()
                raise StopAsyncIteration
            self._connection.go_on(self)
            await self.wait()
        blocks = self._blocks
        block = blocks[0] if len(blocks) == 1 else b"".join(blocks)
        blocks.clear()
        self._held = 0
        return block

    def close(self) -> None:
        self._let_go()
        if not self.is_complete and self.error is None:
            self._connection.fail(NetworkError("the answer was given up before it was complete"))

    def _let_go(self) -> None:
        """Give the connection to other requests, now that whoever reads the answer knows how it ends.

        Any earlier, and a call that goes next would not know yet of a wait that this answer asks for.
        """
        if self.keeps_connection:
            self.keeps_connection = False
            self._connection.hand_back()

    async def wait(self) -> None:
        """Wait until something has arrived or failed. Closes the connection when cancelled."""
        waiter = self._waiter = self._connection.loop.create_future()
        try:
            await waiter
        except BaseException:
            self.close()
            raise
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Connection(asyncio.Protocol):
    """A connection with at most one request on it; what arrives without a request, or behind an answer, closes it."""

    def __init__(self, origin: str, owner: Owner, loop: asyncio.AbstractEventLoop) -> None:
        self.origin = origin
        self.loop = loop
        self.idle_since = 0.0
        self.is_gone = False
        self._owner = owner
        self._transport = cast(asyncio.Transport, None)  # set before anything else can happen
        self._response: Http1Response | None = None
        self._was_used = self._is_paused = False
        self._is_bodiless = self._reads_to_end = self._is_over = self._keeps_alive = False
        self._framing = 0
        # The parser calls these two for each header and each chunk, without a frame of Python in between.
        self._head: dict[bytes, bytes] = {}
        self._arrived: list[bytes] = []
        self.on_header = self._head.setdefault
        self.on_body = self._arrived.append
        self._parser = HttpResponseParser(self)

    # For the transport

    @property
    def is_usable(self) -> bool:
        """Whether another request may be put on it, as far as is known."""
        return not self.is_gone and not self._transport.is_closing()

    def send(self, head: bytes, body: bytes, response: Http1Response) -> None:
        """Write a request; its answer goes to `response`."""
        self._response = response
        self._is_bodiless = head.startswith(b"HEAD ")
        self._framing = 0
        self._is_over = self._reads_to_end = False
        if len(body) <= _AT_ONCE:
            self._transport.write(head + body if body else head)
        else:
            self._transport.writelines((head, body))
            response._unsent = self._transport.get_write_buffer_size()

    def hand_back(self) -> None:
        """Give it to other requests."""
        if not self.is_gone:
            self._owner.release(self)

    def go_on(self, response: Http1Response) -> None:
        """Read on, because the reader of the response wants more; its idle time begins."""
        response._deadline = self.loop.time() + response._timeouts.idle_s
        if response._size > response._limit:
            self._refuse_size(response)
        elif self._is_paused:
            self._is_paused = False
            self._transport.resume_reading()

    def check_time(self, now: float) -> None:
        """End the response if one of its time limits has passed."""
        response = self._response
        if response is None:
            return
        if now >= response._total_at:
            self.fail(ProviderTimeout(f"{self.origin} did not finish its answer in time", phase="total"))
        elif response._waiter is not None and now >= response._deadline:
            if response.status:
                self.fail(ProviderTimeout(f"{self.origin} stopped sending in the middle of its answer", phase="idle"))
            elif 0 < (unsent := self._transport.get_write_buffer_size()) < response._unsent:
                response._unsent = unsent  # a long request is on its way; the wait begins when it is sent
                response._deadline = now + response._timeouts.first_byte_s
            else:
                self.fail(ProviderTimeout(f"{self.origin} did not begin to answer in time", phase="first_byte"))

    def fail(self, error: CuewireError) -> None:
        """Close the connection at once; its response, if any, ends with the error."""
        response, self._response = self._response, None
        if not self.is_gone:
            self.is_gone = True
            self._transport.abort()
            self._owner.forget(self)
        if response is not None:
            response.error = error
            response._wake()

    def close(self) -> None:
        """Close the connection at once, if it is not closed yet."""
        self.fail(NetworkError(f"the connection to {self.origin} was closed"))

    # For the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        response = self._response
        if response is None:
            self.fail(ProtocolError(f"{self.origin} sent something that nobody had asked for"))
            return
        self._framing += len(data)
        error: Exception | None = None
        try:
            self._parser.feed_data(data)
        except Exception as caught:  # noqa: BLE001  # whatever the parser or a callback raises ends this connection
            error = caught
        if self._arrived:
            self._pass_on(response)
        if self._is_over:
            self._finish(response, is_clean=error is None)
        elif error is not None:
            self._refuse(error)
        elif response._size > response._limit:
            self._refuse_size(response)
        elif self._framing > MAX_FRAMING:
            self.fail(ProtocolError(f"{self.origin} sent more than {MAX_FRAMING >> 10} KiB around its answer"))
        elif response.status:
            response._deadline = self.loop.time() + response._timeouts.idle_s
            if not response._takes_all:
                response._wake()

    def eof_received(self) -> None:
        response = self._response
        if response is not None and self._reads_to_end:
            self._keeps_alive = False
            self._finish(response, is_clean=True)
        else:
            self.connection_lost(None)

    def connection_lost(self, error: Exception | None) -> None:
        if (response := self._response) is not None:
            response.was_refused = self._was_used and not response.status and not self._framing
            if response.status:
                lost = NetworkError(f"the connection to {self.origin} was lost before its answer was complete")
            else:
                lost = NetworkError(f"the connection to {self.origin} was lost")
            lost.__cause__ = error
            self.fail(lost)
        elif not self.is_gone:
            self.close()
        self._parser = cast(HttpResponseParser, None)  # it holds methods of this object

    # For the parser, beside `on_header` and `on_body`

    def on_message_begin(self) -> None:
        if self._is_over:
            raise ProtocolError(f"{self.origin} sent more than it was asked for")
        self._head.clear()

    def on_headers_complete(self) -> None:
        response = self._response
        status = self._parser.get_status_code()
        if 100 <= status < 200 and status != 101:
            return  # informational: the answer is yet to come
        assert response is not None
        if not 200 <= status <= 599:
            raise ProtocolError(f"{self.origin} answered with status {status}, which has no meaning here")
        if self._framing > MAX_FRAMING and sum(map(len, self._head)) + sum(map(len, self._head.values())) > MAX_FRAMING:
            raise ProtocolError(f"{self.origin} sent a head of more than {MAX_FRAMING >> 10} KiB")
        head = {name.lower(): value for name, value in reversed(self._head.items())}
        if head.get(b"content-encoding", b"identity").strip().lower() != b"identity":
            raise ProtocolError(f"{self.origin} compressed its answer though it was asked not to")
        coding = head.get(b"transfer-encoding")
        if coding is not None and coding.strip().lower() != b"chunked":
            raise ProtocolError(f"{self.origin} framed its answer in a way that is not supported")
        self._reads_to_end = coding is None and b"content-length" not in head and status not in (204, 304)
        response.status = status
        response.headers = _Headers(head)
        if self._is_bodiless:  # the parser would wait for the body that the head describes
            self._is_over = True
            raise ProtocolError("there is no body to parse")

    def on_message_complete(self) -> None:
        if self._response is not None and self._response.status:
            self._is_over = True
            # The parser forgets it when the next message begins.
            self._keeps_alive = self._parser.should_keep_alive()

    # Inside

    def _pass_on(self, response: Http1Response) -> None:
        arrived = self._arrived
        block = arrived[0] if len(arrived) == 1 else b"".join(arrived)
        arrived.clear()
        response._blocks.append(block)
        response._size += len(block)
        response._held += len(block)
        self._framing = 0
        if response._held > _MAX_HELD and not (response._takes_all or self._is_over or self._is_paused):
            self._is_paused = True
            self._transport.pause_reading()

    def _finish(self, response: Http1Response, *, is_clean: bool) -> None:
        if response._size > response._limit:
            self._refuse_size(response)
            return
        self._response = None
        self._was_used = True
        response.is_complete = True
        if is_clean and self._keeps_alive and not self._is_paused and not self._transport.get_write_buffer_size():
            response.keeps_connection = True
        else:
            self.close()
        response._wake()

    def _refuse(self, error: Exception) -> None:
        cause = error.__context__
        if isinstance(cause, ProtocolError):
            self.fail(cause)
            return
        refusal = ProtocolError(f"{self.origin} answered something that is not HTTP")
        refusal.__cause__ = error
        self.fail(refusal)

    def _refuse_size(self, response: Http1Response) -> None:
        self.fail(ProtocolError(f"{self.origin} sent more than {response._limit >> 20} MiB"))


class _Headers(Mapping[str, str]):
    """The headers of a response, decoded when they are asked for; of a name that comes twice the first counts."""

    __slots__ = ("_head",)

    def __init__(self, head: Mapping[bytes, bytes]) -> None:
        self._head = head

    def __getitem__(self, name: str) -> str:
        return self._head[name.lower().encode("latin-1", "replace")].strip().decode("latin-1")

    def __iter__(self) -> Iterator[str]:
        return (name.decode("latin-1") for name in self._head)

    def __len__(self) -> int:
        return len(self._head)
