"""Running a prompt on a server: once, whatever becomes of the connection."""

from __future__ import annotations

import asyncio
import logging

from msgspec.structs import replace

from cuewire.model.errors import CuewireError, InvalidInput, NetworkError, ServerError, ServerUnavailable
from cuewire.model.ids import uuid7
from cuewire.model.orders import Order
from cuewire.model.results import Result
from cuewire.outbound.transport import HttpRequest, Response, Timeouts
from cuewire.ports import Clock, Listener
from cuewire.remote.server import PAUSES_S, Server, is_lost, path_of, server_errors
from cuewire.wire.executions import ResultShape, RunRequest
from cuewire.wire.problems import Problem, error_of
from cuewire.wire.shapes import Shape
from cuewire.wire.streams import HEARTBEAT_S, EventReader, PieceShape

EXECUTION_ID = "X-Cuewire-Execution-Id"
PATIENCE_S = 600.0
"""How long an answer is waited for, where the caller sets no limit of their own."""
LINGER_S = 10.0
"""How long a streamed execution goes on after its connection broke; we come back within a second or two."""
_GRACE_S = 30.0
"""What the server may need beside the time limit of the caller, to queue and to record."""

logger = logging.getLogger("cuewire.remote")


class Runs:
    """Runs orders on a server, any number at a time.

    Each goes under an idempotency key, the caller's or one made here, so that it can be sent again when its connection
    is lost: what the server has done by then comes back, and nothing is run twice.
    """

    def __init__(self, server: Server, *, clock: Clock) -> None:
        self._server = server
        self._clock = clock

    async def run(self, order: Order) -> Result:
        """Run an order and return when its record is durable; see `App.run`."""
        request = self._request(order, self._key(order), is_streamed=False)
        result = (await self._server.fetch(request, ResultShape)).result()
        if result.stored and order.idempotency_key is None:
            return replace(result, stored=False)  # it was run for this caller, and asked for twice
        return result

    def streamed(self, order: Order) -> StreamedRun:
        """Return a run of the order whose answer can be followed as it arrives. Raises InvalidInput."""
        return StreamedRun(self._server, self._request(order, self._key(order), is_streamed=True))

    def _key(self, order: Order) -> str:
        key = order.idempotency_key
        if key is None:
            now_ms = int(self._clock.now().timestamp() * 1_000)
            return f"cuewire-{uuid7(unix_ms=now_ms, random_bits=self._clock.random_bits())}"
        if not (key.isascii() and key.isprintable() and key == key.strip()):
            raise InvalidInput(
                "an idempotency key for a server must be printable ASCII without blanks around it",
                field="/idempotency_key",
                hint="a key travels in a header, which holds nothing else",
            )
        return key

    def _request(self, order: Order, key: str, *, is_streamed: bool) -> HttpRequest:
        patience_s = PATIENCE_S if order.timeout_s is None else order.timeout_s + _GRACE_S
        idle_s = 3 * HEARTBEAT_S
        total_s = 86_400.0 if is_streamed else patience_s + idle_s
        return self._server.request(
            "POST",
            "/executions",
            body=RunRequest.of(order, linger_s=LINGER_S if is_streamed else None),
            headers={"Idempotency-Key": key},
            timeouts=Timeouts(first_byte_s=patience_s, idle_s=idle_s, total_s=total_s),
        )


class StreamedRun:
    """One streamed execution, followed over as many connections as it takes."""

    def __init__(self, server: Server, request: HttpRequest) -> None:
        self._server = server
        self._request = request
        self._id: str | None = None
        self._offset = 0

    async def follow(self, listener: Listener) -> Result:
        """Run, hand the answer to the listener as it arrives, and return when its record is durable.

        A lost connection is taken up at the character where it broke. When cancelled, so is the execution; where the
        server cannot be told, it does that by itself after LINGER_S.
        """
        try:
            return await self._to_end(listener)
        except asyncio.CancelledError:
            await self._cancel()
            raise

    async def _to_end(self, listener: Listener) -> Result:
        pauses = iter(PAUSES_S)
        while True:
            reached = self._offset
            try:
                return await self._over_one_connection(listener)
            except ServerUnavailable as error:
                if self._offset > reached:
                    pauses = iter(PAUSES_S)
                pause_s = next(pauses, None)
                if pause_s is None or not is_lost(error):
                    raise
                await asyncio.sleep(pause_s)

    async def _cancel(self) -> None:
        if self._id is None:
            return
        try:
            await self._server.send("POST", path_of("executions", self._id, "cancel"), {}, Shape)
        except CuewireError as error:
            logger.warning("stream.cancel_failed execution=%s reason=%s", self._id, error.code)

    async def _over_one_connection(self, listener: Listener) -> Result:
        response = await self._server.open(self._next_request())
        try:
            self._id = response.headers.get(EXECUTION_ID, self._id)
            return await self._read(response, listener)
        finally:
            response.close()

    def _next_request(self) -> HttpRequest:
        """Return the request to begin or to go on; without an id nothing has arrived, and the key makes them one."""
        if self._id is None:
            return self._request
        headers = {"Last-Event-ID": str(self._offset)}
        path = path_of("executions", self._id, "stream")
        return self._server.request("GET", path, headers=headers, timeouts=self._request.timeouts)

    async def _read(self, response: Response, listener: Listener) -> Result:
        reader = EventReader()
        blocks = aiter(response)
        while True:
            with server_errors():
                block = await anext(blocks, None)
                if block is None:
                    raise NetworkError("the server broke off in the middle of a stream")
                events = [*reader.feed(block)]
            for event in events:
                if isinstance(event, ResultShape):
                    return event.result()
                if isinstance(event, Problem):
                    raise error_of(event)
                if text := self._new(event):
                    await listener(text)

    def _new(self, piece: PieceShape) -> str:
        """Return what is new of a piece; an earlier connection may have brought its beginning."""
        if piece.offset > self._offset:
            raise ServerError(f"the server left out characters of execution {self._id}", hint="run it again")
        text = piece.text[self._offset - piece.offset :]
        self._offset += len(text)
        return text
