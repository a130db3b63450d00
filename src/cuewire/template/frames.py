"""What passes between the server and the processes that render: length-prefixed frames, read by nobody in between.

A frame is two big-endian 32-bit numbers, the length of the body and the id of the job, and the body: MessagePack
of the values below. Nothing that a render process sends is ever executed.
"""

from __future__ import annotations

import os
import struct
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

import msgspec

from cuewire.model.analyses import Report
from cuewire.model.errors import (
    TemplateError,
    TemplateForbidden,
    TemplateLimitExceeded,
    TemplateSyntaxError,
    TemplateUndefined,
)
from cuewire.model.includes import NOTHING, Includes, Mention
from cuewire.model.prompts import Variable
from cuewire.model.values import Value
from cuewire.template.absent import Missing

HEADER = struct.Struct(">II")
MAX_REPLY_BYTES = 4 * 1_048_576 + 65_536
"""The largest reply: the longest output, at four bytes a character."""
READY = 0
"""The id of the frame by which the zygote says that it has started."""
LAST = 1 << 31
"""Set in the id by a worker that ends after this reply."""


class Limits(NamedTuple):
    """What one render may take, in wall time and in memory beyond what the process needs anyway."""

    render_s: float = 0.2
    compile_s: float = 0.5
    memory_bytes: int = 268_435_456


class Render(Value, frozen=True, tag="render"):
    """Render the templates with the inputs; replied by Rendered. `includes` is what `packed` makes of them."""

    templates: tuple[str, ...]
    inputs: dict[str, Any]
    at: datetime | None = None
    includes: bytes = b""
    missing: Missing = "raise"


class Inspect(Value, frozen=True, tag="inspect"):
    """Compile the templates and list their inputs; replied by Inspected."""

    templates: tuple[str, ...]
    includes: bytes = b""


class Analyse(Value, frozen=True, tag="analyse"):
    """Find out all about a template, which is the only one; replied by Analysed."""

    templates: tuple[str, ...]
    includes: bytes | None = b""


class Search(Value, frozen=True, tag="search"):
    """List where the templates take in other prompts; replied by Found."""

    templates: tuple[str, ...]


class Rendered(Value, frozen=True, tag="rendered"):
    """The texts, in order, and the names of the marks in them."""

    texts: tuple[str, ...]
    marks: tuple[str, ...] = ()


class Inspected(Value, frozen=True, tag="inspected"):
    """The inputs, in order of appearance, each with what is known of it."""

    variables: dict[str, Variable]


class Analysed(Value, frozen=True, tag="analysed"):
    """All about a template."""

    report: Report


class Found(Value, frozen=True, tag="found"):
    """Where other prompts are taken in, in order."""

    mentions: tuple[Mention, ...]


class Failed(Value, frozen=True, tag="failed"):
    """A TemplateError, as data."""

    code: str
    message: str
    hint: str = ""
    field: str = ""
    line: int = 0
    column: int = 0


Job: TypeAlias = Render | Inspect | Analyse | Search
Reply: TypeAlias = Rendered | Inspected | Analysed | Found | Failed

_KINDS = {
    kind.code: kind
    for kind in (TemplateError, TemplateForbidden, TemplateLimitExceeded, TemplateSyntaxError, TemplateUndefined)
}
encode = msgspec.msgpack.Encoder().encode
decode_job = msgspec.msgpack.Decoder(Job).decode
decode_reply = msgspec.msgpack.Decoder(Reply).decode
_decode_includes = msgspec.msgpack.Decoder(Includes).decode


def packed(includes: Includes) -> bytes:
    """Return what is included as bytes, none if it is nothing; a worker that knows them need not read them."""
    return encode(includes) if includes != NOTHING else b""


def unpacked(body: bytes) -> Includes:
    """Return what `packed` was given."""
    return _decode_includes(body) if body else NOTHING


def failed(error: TemplateError) -> Failed:
    """Turn an error into data."""
    return Failed(
        code=error.code,
        message=error.message,
        hint=error.hint,
        field=error.field,
        line=int(error.line),
        column=error.column,
    )


def error_of(failure: Failed) -> TemplateError:
    """Turn data into the error that it stands for."""
    kind = _KINDS.get(failure.code, TemplateError)
    return kind(failure.message, hint=failure.hint, field=failure.field, line=failure.line, column=failure.column)


def framed(job: int, body: bytes) -> bytes:
    """Return the frame of a body."""
    return HEADER.pack(len(body), job) + body


def read_frame(source: int, *, max_bytes: int = 2**32) -> tuple[int, bytes] | None:
    """Read one frame from a file descriptor, waiting for all of it.

    None at the end of the file, be it in the midst of a frame, and for a frame that claims to be too long.
    """
    header = _read(source, HEADER.size)
    if header is None:
        return None
    length, job = HEADER.unpack(header)
    body = _read(source, length) if length <= max_bytes else None
    return None if body is None else (job, body)


def write_all(target: int, data: bytes) -> None:
    """Write all bytes to a file descriptor, waiting as needed. Raises BrokenPipeError."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(target, rest) :]


def _read(source: int, length: int) -> bytes | None:
    chunks = []
    while length:
        chunk = os.read(source, min(length, 1 << 20))
        if not chunk:
            return None
        chunks.append(chunk)
        length -= len(chunk)
    return b"".join(chunks)
