"""Thousands of clients that do nothing, or do it very slowly: they are dropped in time, and disturb nobody."""

from __future__ import annotations

import asyncio
import resource
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

import pytest

from tests.support.command_line import CommandLine
from tests.support.serving import Serving, serving, status_of

RUN = "/api/v1/executions"
IDLE = min(5_000, (resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 500))
"""5,000, unless a process here may not have that many files open."""
AT_ONCE = 500
"""Fewer than the kernel lets wait to be taken on; those above it do not get as far as the server."""
SLOW = 50
DROPPED_S = 15.0
HEALTHY_S = 0.1
SLACK = 3


@pytest.fixture
def _many_files() -> Iterator[None]:
    """Let this process, and those that it starts, have as many files open as they may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def server(_many_files: None, tmp_path: Path) -> Iterator[Serving]:
    with serving(CommandLine(tmp_path)) as running:
        yield running


async def staying(server: Serving, whole: bytes, dripped: bytes = b"") -> tuple[float, bytes]:
    """Send something whole and then a byte a second, until the server hangs up; return when that was, and its reply."""
    began = monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(whole)
    said = asyncio.create_task(everything(reader))
    for byte in dripped:
        if (await asyncio.wait([said], timeout=1.0))[0]:
            break
        writer.write(bytes([byte]))
    reply = await said
    writer.transport.abort()
    return monotonic() - began, reply


async def everything(reader: asyncio.StreamReader) -> bytes:
    """Read to the end, even if that comes rudely."""
    try:
        return await reader.read()
    except ConnectionError:
        return b""


@asynccontextmanager
async def probed(server: Serving) -> AsyncIterator[list[float]]:
    """Probe the server while the block runs; yield a list of the seconds that each took, filled at its end."""
    took: list[float] = []
    prober = [sys.executable, "-m", "tests.faults.prober", str(server.port)]
    process = await asyncio.create_subprocess_exec(*prober, stdin=PIPE, stdout=PIPE)
    yield took
    said, _ = await process.communicate(b"")
    took += map(float, said.split())


async def test_thousands_of_idle_and_slow_clients_are_dropped_and_disturb_nobody(server: Serving) -> None:
    head = server.head("POST", RUN, Content_Length="1000")
    kept = server.head("GET", "/healthz").replace(b"Connection: close", b"Connection: keep-alive")
    slow_heads = [asyncio.create_task(staying(server, b"", head)) for _ in range(SLOW)]
    slow_bodies = [asyncio.create_task(staying(server, head, b" " * 1_000)) for _ in range(SLOW)]
    kept_alive = [asyncio.create_task(staying(server, kept)) for _ in range(SLOW)]
    async with probed(server) as took:
        idle = []
        for _ in range(IDLE // AT_ONCE):
            idle += [asyncio.create_task(staying(server, b"")) for _ in range(AT_ONCE)]
            await asyncio.to_thread(server.ask, "GET", "/healthz")  # it has taken on all who came before
        ends = await asyncio.gather(*slow_heads, *slow_bodies, *kept_alive, *idle)

    assert len(took) > 20
    assert sorted(took)[int(len(took) * 0.95)] < SLACK * HEALTHY_S  # of so few, the last hundredth is this machine's
    assert max(stayed_s for stayed_s, _ in ends) < SLACK * DROPPED_S
    assert {status_of(task.result()[1]) for task in slow_bodies} == {408}
    assert {status_of(task.result()[1]) for task in kept_alive} == {200}
    assert {task.result()[1] for task in idle} == {b""}
