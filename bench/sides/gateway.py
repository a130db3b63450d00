"""Measures a gateway, which is a process of its own: CPU of its whole family, the time that it adds, its memory.

Standard library only, because it runs inside each peer's own environment. The load generator is another process.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from bench.sides.meter import ANSWER_BYTES, TEXT, base_url, folder, print_figures, question
from bench.sides.processes import cpu_s, memory_mb

NUMBER = "@" * 10
"""Where the load generator writes the number of the request."""
ANSWER_TEXT = ("The quick brown fox jumps over the lazy dog while seven wizards boil jugs of tea. " * 2)[:ANSWER_BYTES]
MODEL = "gpt-4o-mini"
MESSAGES = {"model": MODEL, "messages": [{"role": "user", "content": question(NUMBER)}]}
FEW, MANY = 16, 64
ONE_S = 0.8
START_S = 120.0
SYNCS = 50


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked of a gateway, and how long, with 64 connections after a warm-up."""

    kind: str
    seconds: float
    warm_s: float


@dataclass(frozen=True, slots=True)
class Target:
    """Where to send what."""

    port: int
    path: str
    body: Mapping[str, Any]
    headers: Mapping[str, str]

    def request(self) -> bytes:
        """Give the bytes of one request."""
        body = json.dumps(self.body).encode()
        own = {"Host": f"127.0.0.1:{self.port}", "Content-Type": "application/json", "Content-Length": str(len(body))}
        lines = (f"{name}: {value}\r\n" for name, value in {**own, **self.headers}.items())
        return f"POST {self.path} HTTP/1.1\r\n{''.join(lines)}\r\n".encode() + body


class Loads:
    """Runs the load generator against one target; no two requests of all its runs have the same text."""

    def __init__(self, target: Target, *, marker: str = ANSWER_TEXT) -> None:
        self._target = target
        self._marker = marker
        self._file = Path(folder()) / f"request-{target.port}"
        self._file.write_bytes(target.request())
        self._first = 0

    def run(self, *, connections: int, seconds: float, more: Sequence[str] = ()) -> Mapping[str, float]:
        """Load the target and give what the generator printed; ends this process after a bad reply."""
        options = {"--port": self._target.port, "--connections": connections, "--seconds": seconds}
        named = [text for name, value in {**options, "--first": self._first}.items() for text in (name, str(value))]
        command = [os.environ["BENCH_LOAD"], *named, *more, str(self._file), self._marker]
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode:
            sys.exit(f"{run.stdout.strip()} {run.stderr.strip()}"[:900])
        found: Mapping[str, float] = json.loads(run.stdout)
        self._first += int(found["good"]) + connections
        return found


def stub_target() -> Target:
    """Give the stub model server, asked without a gateway."""
    address = urlsplit(base_url())
    return Target(address.port or 80, f"{address.path}/chat/completions", MESSAGES, {})


def load_from_arguments() -> Load:
    """Read the load from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kind")
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--warm-s", type=float, default=1.5)
    return Load(**vars(parser.parse_args()))


def free_port() -> int:
    """Give a port that nobody listens on."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        return int(taken.getsockname()[1])


@contextmanager
def serving(command: Sequence[str], port: int, **variables: str) -> Iterator[int]:
    """Run a gateway, and give its process id when it listens."""
    log = Path(folder()) / "gateway.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=folder(), env={**os.environ, **variables}, stdout=out, stderr=subprocess.STDOUT
        )
        try:
            _wait_for(port, process, log)
            yield process.pid
        finally:
            process.kill()
            process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    sys.exit(f"the gateway did not start: {log.read_text(errors='replace')[-700:]}")


def measure(pid: int, target: Target, load: Load) -> None:
    """Warm the gateway up, load it with 64 connections, then with one beside the stub itself, and print."""
    loads, direct = Loads(target), Loads(stub_target())
    loads.run(connections=FEW, seconds=load.warm_s)
    loads.run(connections=MANY, seconds=load.warm_s / 2)
    before = cpu_s(pid)
    many = loads.run(connections=MANY, seconds=load.seconds)
    spent = cpu_s(pid) - before
    added = []
    for _ in range(3):
        through = loads.run(connections=1, seconds=ONE_S)
        added.append((through["p50_us"] - direct.run(connections=1, seconds=ONE_S / 4)["p50_us"]) / 1_000)
    print_figures(
        {
            "requests": many["good"],
            "cpu_s": spent,
            "wall_s": many["wall_s"],
            "per_cpu_s": many["good"] / spent,
            "us_each": spent / many["good"] * 1e6,
            "per_s": many["good"] / many["wall_s"],
            "p50_ms": many["p50_us"] / 1_000,
            "p99_ms": many["p99_us"] / 1_000,
            "added_p50_ms": max(median(added), 0.001),
            "sync_ms": sync_ms(),
            "rss_mb": memory_mb(pid),
        }
    )


def sync_ms() -> float:
    """Give what the disk takes at this hour to make 4 KB durable, which is part of the time that ours adds."""
    took = []
    with (Path(folder()) / "synced").open("wb", buffering=0) as file:
        for _ in range(SYNCS):
            begun = time.perf_counter()
            file.write(bytes(4_096))
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - begun)
    return median(took) * 1_000


def stored_prompt_body(model: str) -> dict[str, Any]:
    """Give a request that names a stored prompt and gives its inputs."""
    return {"model": model, "inputs": {"number": NUMBER, "text": TEXT}}
