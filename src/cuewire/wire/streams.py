"""A streamed execution as server-sent events, written and read.

`piece` {"text", "offset"} is a run of characters, `result` the result, `error` a problem; one of the last two ends the
stream. The id of an event is the number of characters up to its end, so that a client that lost its connection asks
for the rest: `GET /api/v1/executions/{id}/stream` with the id in the header Last-Event-ID. A line that begins with a
colon says that the connection lives.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import msgspec

from cuewire.model.errors import ProtocolError
from cuewire.wire.executions import ResultShape
from cuewire.wire.problems import Problem
from cuewire.wire.shapes import Shape

CONTENT_TYPE = "text/event-stream"
HEARTBEAT = b":\n\n"
HEARTBEAT_S = 15.0
MAX_EVENT = 64 * 1024 * 1024


class PieceShape(Shape, frozen=True):
    """A run of characters of the answer; `offset` counts the characters before it."""

    text: str
    offset: int


Event: TypeAlias = PieceShape | ResultShape | Problem
_KINDS: dict[str, type[PieceShape] | type[ResultShape] | type[Problem]] = {
    "piece": PieceShape,
    "result": ResultShape,
    "error": Problem,
}
_encoder = msgspec.json.Encoder()


def written(event: Event, *, at: int) -> bytes:
    """Return an event as bytes; `at` is the number of characters of the answer up to its end."""
    kind = b"piece" if isinstance(event, PieceShape) else b"result" if isinstance(event, ResultShape) else b"error"
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (at, kind, _encoder.encode(event))


class Blocks:
    """Cuts the bytes of an event stream into events; comments are left out."""

    def __init__(self) -> None:
        self._ahead = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the events that are complete with these bytes. Raises ProtocolError."""
        *events, self._ahead = (self._ahead + data).split(b"\n\n")
        if len(self._ahead) > MAX_EVENT:
            raise ProtocolError("the server sent an event without an end")
        yield from (event for event in events if not event.startswith(b":"))


class EventReader:
    """Reads events from the bytes of a response, however they were cut."""

    def __init__(self) -> None:
        self._blocks = Blocks()

    def feed(self, block: bytes) -> Iterator[Event]:
        """Yield the events that are complete with this block. Raises ProtocolError."""
        return map(_read, self._blocks.feed(block))


def _read(event: bytes) -> Event:
    fields = dict(line.split(b": ", 1) for line in event.split(b"\n") if b": " in line)
    kind = _KINDS.get(fields.get(b"event", b"").decode("latin-1"))
    if kind is None:
        raise ProtocolError("the server sent an event of a kind that is not known")
    try:
        return msgspec.json.decode(fields.get(b"data", b""), type=kind)
    except msgspec.DecodeError as error:
        raise ProtocolError("the server sent an event that cannot be read") from error
