"""Runs the stub model server."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench.kit.programs import built


@dataclass(frozen=True, slots=True)
class Stub:
    """How the stub answers: the size of the text, in how many events a stream has it, and how far they are apart."""

    answer_bytes: int = 128
    chunks: int = 64
    event_us: int = 0

    def arguments(self) -> tuple[str, ...]:
        """Give its options."""
        sizes = ("--answer-bytes", str(self.answer_bytes), "--chunks", str(self.chunks))
        return (*sizes, "--split", "1", "--event-us", str(self.event_us)) if self.event_us else sizes


AT_ONCE = Stub()


@contextmanager
def stub_server(stub: Stub = AT_ONCE) -> Iterator[str]:
    """Run the stub on a free loopback port and give the base URL to put before /chat/completions."""
    process = subprocess.Popen([str(built("stub")), *stub.arguments()], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
    finally:
        process.kill()
        process.wait()
