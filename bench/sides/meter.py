"""The clock of every measured side: drives load, counts CPU of this process only, prints one JSON line.

Standard library only, because it runs inside each peer's own environment.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

QUESTION = "Is this message a bug report or an idea? Answer with one word. Message {number}: {text}"
TEXT = "It crashes when I save a file whose name has a space in it, and then the window is gone."
ITEMS = tuple(f"Step {n}: open the menu and choose entry {n * 7}" for n in range(12))
EVENTS_PER_STREAM = 67
ANSWER_BYTES = 128
CHECK_EVERY = 16


@dataclass(frozen=True, slots=True)
class Load:
    """How hard and how long to drive: stop after `cpu_s` seconds of CPU or `wall_s` of wall clock."""

    kind: str
    in_flight: int
    cpu_s: float
    wall_s: float
    warm: int


def load_from_arguments() -> Load:
    """Read the load from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kind")
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--cpu-s", type=float, default=2.0)
    parser.add_argument("--wall-s", type=float, default=20.0)
    parser.add_argument("--warm", type=int, default=200)
    return Load(**vars(parser.parse_args()))


def question(number: int | str) -> str:
    """Give the prompt of one request, under 0.2 KB and never the same twice."""
    return QUESTION.format(number=number, text=TEXT)


def base_url() -> str:
    """Give the address of the stub model server, without a slash at the end."""
    return os.environ["OPENAI_BASE_URL"].rstrip("/")


def folder() -> str:
    """Give the empty folder that this run may fill."""
    return os.environ["BENCH_FOLDER"]


def must_be_answer(text: str) -> None:
    """Stop the run when the client did not deliver the whole answer."""
    if len(text) != ANSWER_BYTES:
        raise SystemExit(f"answer has {len(text)} characters, expected {ANSWER_BYTES}")


def memory_peak_mb() -> float:
    """Give the peak resident memory of this process since it was executed."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))
    except OSError:
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def written_bytes() -> int:
    """Give how many bytes this process has sent towards the disk, 0 where the system does not tell."""
    try:
        with open("/proc/self/io", encoding="ascii") as counters:
            return next(int(line.split()[1]) for line in counters if line.startswith("write_bytes"))
    except OSError:
        return 0


class Meter:
    """CPU, wall clock and disk of this process, all its threads, from the moment it is made."""

    def __init__(self) -> None:
        self._written = written_bytes()
        self._cpu = time.process_time()
        self._wall = time.perf_counter()

    def cpu_s(self) -> float:
        """Give the CPU seconds since the start."""
        return time.process_time() - self._cpu

    def wall_s(self) -> float:
        """Give the wall seconds since the start."""
        return time.perf_counter() - self._wall

    def report(self, requests: int) -> None:
        """Print the figures of a run."""
        cpu_s, wall_s = self.cpu_s(), self.wall_s()
        figures = {
            "requests": requests,
            "cpu_s": cpu_s,
            "wall_s": wall_s,
            "per_cpu_s": requests / cpu_s,
            "per_s": requests / wall_s,
            "us_each": cpu_s / requests * 1e6,
            "rss_mb": memory_peak_mb(),
        }
        if written := written_bytes() - self._written:
            figures["disk_kb_per_row"] = written / 1_024 / requests
        print_figures(figures)


def print_figures(figures: Mapping[str, float]) -> None:
    """Print the one JSON line that the harness reads."""
    print(json.dumps({name: round(value, 4) for name, value in figures.items()}), flush=True)


class Drive:
    """Closed-loop load: `in_flight` tasks that each start the next request when theirs is answered."""

    def __init__(self, load: Load, one: Callable[[int], Awaitable[int]]) -> None:
        self._load = load
        self._one = one
        self._numbers = itertools.count()

    async def warm(self) -> None:
        """Run the warm-up requests, uncounted."""
        await self._run(lambda done: done >= self._load.warm)

    async def measure(self, meter: Meter) -> int:
        """Run until the budget is spent and give the units completed."""
        load, next_look = self._load, 0

        def is_spent(done: int) -> bool:
            nonlocal next_look
            if done < next_look:
                return False
            next_look = done + CHECK_EVERY
            return meter.cpu_s() >= load.cpu_s or meter.wall_s() >= load.wall_s

        return await self._run(is_spent)

    async def _run(self, is_over: Callable[[int], bool]) -> int:
        done, units, over = 0, 0, False

        async def work() -> None:
            nonlocal done, units, over
            while not over:
                completed = await self._one(next(self._numbers))
                units += completed
                done += 1
                if is_over(done):
                    over = True

        await asyncio.gather(*(work() for _ in range(self._load.in_flight)))
        return units


async def drive(load: Load, one: Callable[[int], Awaitable[int]]) -> None:
    """Warm up, measure, print; `one` takes a request number and gives the units it completed."""
    driver = Drive(load, one)
    await driver.warm()
    meter = Meter()
    meter.report(await driver.measure(meter))


async def drive_quietly(load: Load, one: Callable[[int], Awaitable[int]]) -> int:
    """Measure without warm-up, and give the units completed."""
    return await Drive(load, one).measure(Meter())


def run_on_uvloop(main: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine on uvloop."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)
