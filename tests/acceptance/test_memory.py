"""Memory stays flat however many executions are streamed."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.soaker import WARM_UP

GROWTH_MIB = 50


@pytest.fixture
def base_url() -> Iterator[str]:
    """Run a model server in a process of its own."""
    program = [sys.executable, "-m", "tests.support.streaming_server"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.kill()


def assert_flat(path: Path, base_url: str, count: int) -> None:
    program = [sys.executable, "-m", "tests.acceptance.soaker", str(path), base_url, str(count)]

    output = subprocess.run(program, stdout=subprocess.PIPE, text=True, check=True).stdout

    warm, end = map(float, output.split())
    assert end - warm < GROWTH_MIB
    with closing(sqlite3.connect(path)) as connection:
        counted = connection.execute("SELECT count(*) FROM executions WHERE status = 'succeeded'").fetchone()[0]
    assert counted == count + WARM_UP


def test_ten_thousand_streamed_executions_leave_memory_flat(tmp_path: Path, base_url: str) -> None:
    assert_flat(tmp_path / "cue.db", base_url, 10_000)


@pytest.mark.soak
def test_a_hundred_thousand_streamed_executions_leave_memory_flat(tmp_path: Path, base_url: str) -> None:
    assert_flat(tmp_path / "cue.db", base_url, 100_000)
