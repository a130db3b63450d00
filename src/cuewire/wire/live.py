"""A live list as messages, alike over server-sent events and a WebSocket, written and read.

`snapshot` is the whole list, `update` a change of it; `error` says why nothing follows. Each is one JSON object, which
names its kind; as a server-sent event it also bears its id and kind outside. When the server ends, or a client's rights
have changed, the messages end without an error, and the client asks again with the last id that it has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeAlias, cast

import msgspec

from cuewire.model.errors import CuewireError, ProtocolError
from cuewire.model.executions import Execution
from cuewire.model.live import Item, LiveChange, Placed, Snapshot, Update
from cuewire.model.prompts import Prompt
from cuewire.wire.executions import ExecutionShape
from cuewire.wire.problems import Problem, error_of, problem_of
from cuewire.wire.prompts import PromptShape
from cuewire.wire.shapes import Shape, shown
from cuewire.wire.streams import Blocks

RETRY = b"retry: 1000\n\n"
"""Tells a browser how long to wait before it comes back, in milliseconds."""
QUIET = '{"kind":"quiet"}'
"""What a WebSocket is told when there was nothing for long; an event stream gets an empty comment."""


class SnapshotShape(Shape, frozen=True, tag="snapshot", tag_field="kind"):
    """The whole list. Who loses the connection after this goes on from `id`."""

    id: str
    items: tuple[PromptShape, ...]


class PlacedShape(Shape, frozen=True):
    """A prompt and its place in the new list, from 0."""

    place: int
    prompt: PromptShape


class UpdateShape(Shape, frozen=True, tag="update", tag_field="kind"):
    """What makes the new list of the old one.

    Take out the prompts whose ids are in `left` or in `changed`; put in those of `changed`, which come in the order of
    their places; cut the list to `size`.
    """

    id: str
    changed: tuple[PlacedShape, ...]
    left: tuple[int, ...]
    size: int


class LiveErrorShape(Shape, frozen=True, tag="error", tag_field="kind"):
    """Why nothing follows."""

    problem: Problem


class ExecutionSnapshotShape(Shape, frozen=True, tag="snapshot", tag_field="kind"):
    """The whole list of executions. Who loses the connection after this goes on from `id`."""

    id: str
    items: tuple[ExecutionShape, ...]


class PlacedExecutionShape(Shape, frozen=True):
    """An execution and its place in the new list, from 0."""

    place: int
    execution: ExecutionShape


class ExecutionUpdateShape(Shape, frozen=True, tag="update", tag_field="kind"):
    """What makes the new list of executions of the old one, as with prompts."""

    id: str
    changed: tuple[PlacedExecutionShape, ...]
    left: tuple[str, ...]
    size: int


LiveShape: TypeAlias = SnapshotShape | UpdateShape | LiveErrorShape
LiveExecutionShape: TypeAlias = ExecutionSnapshotShape | ExecutionUpdateShape | LiveErrorShape
Said: TypeAlias = LiveChange[Item] | CuewireError
"""What a message says."""
_encoder = msgspec.json.Encoder()
_prompts: msgspec.json.Decoder[LiveShape] = msgspec.json.Decoder(LiveShape)
_executions: msgspec.json.Decoder[LiveExecutionShape] = msgspec.json.Decoder(LiveExecutionShape)


def shown_prompts(change: LiveChange[Prompt]) -> LiveShape:
    """Return a change of a list of prompts as JSON."""
    if isinstance(change, Snapshot):
        return SnapshotShape(id=change.id, items=tuple(map(PromptShape.of, change.items)))
    changed = tuple(PlacedShape(place=each.place, prompt=PromptShape.of(each.item)) for each in change.changed)
    return UpdateShape(id=change.id, changed=changed, left=cast(tuple[int, ...], change.left), size=change.size)


def shown_executions(change: LiveChange[Execution]) -> LiveExecutionShape:
    """Return a change of a list of executions as JSON."""
    if isinstance(change, Snapshot):
        return ExecutionSnapshotShape(id=change.id, items=tuple(shown(item, ExecutionShape) for item in change.items))
    changed = tuple(
        PlacedExecutionShape(place=each.place, execution=shown(each.item, ExecutionShape)) for each in change.changed
    )
    return ExecutionUpdateShape(
        id=change.id, changed=changed, left=cast(tuple[str, ...], change.left), size=change.size
    )


def read_prompts(data: bytes) -> Said[Prompt]:
    """Return what the JSON says of a list of prompts. Raises msgspec.DecodeError."""
    shape = _prompts.decode(data)
    if isinstance(shape, LiveErrorShape):
        return error_of(shape.problem)
    if isinstance(shape, SnapshotShape):
        return Snapshot(id=shape.id, items=tuple(item.prompt() for item in shape.items))
    changed = tuple(Placed(place=each.place, item=each.prompt.prompt()) for each in shape.changed)
    return Update(id=shape.id, changed=changed, left=shape.left, size=shape.size)


def read_executions(data: bytes) -> Said[Execution]:
    """Return what the JSON says of a list of executions. Raises msgspec.DecodeError."""
    shape = _executions.decode(data)
    if isinstance(shape, LiveErrorShape):
        return error_of(shape.problem)
    if isinstance(shape, ExecutionSnapshotShape):
        return Snapshot(id=shape.id, items=tuple(item.execution() for item in shape.items))
    changed = tuple(Placed(place=each.place, item=each.execution.execution()) for each in shape.changed)
    return Update(id=shape.id, changed=changed, left=shape.left, size=shape.size)


def shown_error(error: CuewireError, *, request_id: str) -> LiveErrorShape:
    """Return an error as JSON."""
    return LiveErrorShape(problem=problem_of(error, request_id=request_id))


def as_event(shape: LiveShape | LiveExecutionShape) -> bytes:
    """Return what an event stream sends."""
    data = _encoder.encode(shape)
    if isinstance(shape, LiveErrorShape):
        return b"event: error\ndata: %b\n\n" % data
    is_whole = isinstance(shape, SnapshotShape | ExecutionSnapshotShape)
    kind = b"snapshot" if is_whole else b"update"
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (shape.id.encode(), kind, data)


def as_message(event: bytes) -> str:
    """Return what a WebSocket sends in the place of an event, or of a heartbeat."""
    data = event.partition(b"\ndata: ")[2]
    return data.removesuffix(b"\n\n").decode() or QUIET


class LiveEvents(Generic[Item]):
    """Reads messages from the bytes of an event stream, however they were cut; `read` tells what each says."""

    def __init__(self, read: Callable[[bytes], Said[Item]]) -> None:
        self._blocks = Blocks()
        self._read = read

    def feed(self, data: bytes) -> Iterator[Said[Item]]:
        """Yield the messages that are complete with these bytes. Raises ProtocolError."""
        for block in self._blocks.feed(data):
            _, found, rest = (b"\n" + block).partition(b"\ndata: ")
            if found:
                try:
                    said = self._read(rest.partition(b"\n")[0])
                except msgspec.DecodeError as error:
                    raise ProtocolError("the server sent a message that cannot be read") from error
                yield said
