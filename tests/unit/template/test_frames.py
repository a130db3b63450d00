"""Frames arrive whole or not at all, and errors survive the trip."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from cuewire.model.errors import TemplateError, TemplateForbidden, TemplateUndefined
from cuewire.template import frames


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    source, target = os.pipe()
    yield source, target
    os.close(source)


def test_a_frame_larger_than_the_pipe_arrives_whole(pipe: tuple[int, int]) -> None:
    body = os.urandom(3_000_000)
    writer = threading.Thread(target=frames.write_all, args=(pipe[1], frames.framed(7, body)))
    writer.start()

    frame = frames.read_frame(pipe[0])

    writer.join()
    os.close(pipe[1])
    assert frame == (7, body)
    assert frames.read_frame(pipe[0]) is None


@pytest.mark.parametrize("length", [3, 8, 11])
def test_a_torn_frame_is_the_end(pipe: tuple[int, int], length: int) -> None:
    os.write(pipe[1], frames.framed(7, b"body")[:length])
    os.close(pipe[1])

    assert frames.read_frame(pipe[0]) is None


def test_a_frame_that_claims_too_much_is_the_end(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], frames.framed(7, b"body"))
    os.close(pipe[1])

    assert frames.read_frame(pipe[0], max_bytes=3) is None


@pytest.mark.parametrize("kind", [TemplateError, TemplateUndefined, TemplateForbidden])
def test_an_error_survives_the_trip(kind: type[TemplateError]) -> None:
    error = kind("what", hint="do", field="/inputs/a", line=2, column=3)

    reply = frames.decode_reply(frames.encode(frames.failed(error)))

    assert isinstance(reply, frames.Failed)
    back = frames.error_of(reply)
    assert (type(back), str(back), back.field) == (kind, str(error), "/inputs/a")
