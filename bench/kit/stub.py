"""Builds and runs the stub model server."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from bench.kit.environments import BENCH, cache_folder

SOURCE = BENCH / "stub" / "stub.c"
ANSWER_BYTES, CHUNKS = 128, 64


@contextmanager
def stub_server(*, latency_us: int = 0) -> Iterator[str]:
    """Run the stub on a free loopback port and give the base URL to put before /chat/completions."""
    command = [
        _built(),
        "--answer-bytes",
        str(ANSWER_BYTES),
        "--chunks",
        str(CHUNKS),
        "--latency-us",
        str(latency_us),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
    finally:
        process.kill()
        process.wait()


def _built() -> str:
    source = SOURCE.read_bytes()
    program = cache_folder() / f"stub-{hashlib.sha256(source).hexdigest()[:12]}"
    if not program.exists():
        program.parent.mkdir(parents=True, exist_ok=True)
        building = program.with_suffix(f".{os.getpid()}")
        subprocess.run([os.environ.get("CC", "cc"), "-O2", "-o", str(building), str(SOURCE)], check=True)
        building.replace(program)
    return str(program)
