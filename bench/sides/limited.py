"""Runs against a model server that holds its key to a limit: so many in flight until the server has measured enough.

Standard library only, because it runs inside each peer's own environment.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import itertools
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from bench.sides.limited_server import TOKENS_IN, TOKENS_OUT
from bench.sides.meter import Meter, memory_peak_mb, print_figures

SERVER = Path(__file__).with_name("limited_server.py")
PER_MINUTE = 6_000
BURST_S = 1.0
"""The burst is what so many seconds bring, as of a provider that holds calls to its limit within each second."""
TOKENS = TOKENS_IN + TOKENS_OUT
LATENCY_S = 0.2
RETRIES = 10
"""How often each side may ask again for one run; more cannot be said of ours."""
LOOK_S = 0.25
"""How often the server is asked whether it has measured enough."""
WARM = 20
"""Runs before anything counts."""
PRESS_S, DRAIN_S = 100.0, 40.0
"""The longest time in which runs begin, and which those then have that have begun."""


@dataclass(frozen=True, slots=True)
class Load:
    """Which way of asking, how many runs at once, and over how many seconds it is counted."""

    kind: str
    in_flight: int
    seconds: float


def load_from_arguments() -> Load:
    """Read the load from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kind")
    parser.add_argument("--in-flight", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    return Load(**vars(parser.parse_args()))


@dataclass(frozen=True, slots=True)
class LimitedServer:
    """A server that runs."""

    port: int

    @property
    def url(self) -> str:
        """Its address as clients want it."""
        return f"http://127.0.0.1:{self.port}/v1"

    def tell(self, path: str) -> Mapping[str, Any]:
        """Give what it tells of the key that all sides have."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", path, headers={"Authorization": f"Bearer {os.environ['OPENAI_API_KEY']}"})
        found: Mapping[str, Any] = json.loads(connection.getresponse().read())
        connection.close()
        return found


@contextmanager
def limited_server(load: Load) -> Iterator[LimitedServer]:
    """Run the server, with a limit of requests or, for the kind `tokens`, as many requests' worth of tokens."""
    cost = TOKENS if load.kind == "tokens" else 1
    options = {
        "--per-minute": PER_MINUTE * cost,
        "--burst": PER_MINUTE / 60 * BURST_S * cost,
        "--cost": cost,
        "--window-s": load.seconds,
        "--latency-s": LATENCY_S,
    }
    named = [text for name, value in options.items() for text in (name, str(value))]
    process = subprocess.Popen([sys.executable, str(SERVER), *named], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield LimitedServer(int(process.stdout.readline()))
    finally:
        process.kill()
        process.wait()


@dataclass(slots=True)
class Runs:
    """What became of all runs; the kinds of errors are those that the runs ended with."""

    begun: int = 0
    took_s: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    unended: int = 0

    @property
    def answered(self) -> int:
        """How many got their answer."""
        return len(self.took_s)


async def press(ask: Callable[[int], Awaitable[None]], load: Load, server: LimitedServer) -> tuple[Runs, Meter]:
    """Warm up, keep runs in flight until the server has counted long enough, and let those end that have begun."""
    await asyncio.gather(*(ask(number) for number in range(WARM)))
    await asyncio.to_thread(server.tell, "/begin")
    runs, meter, numbers, is_over = Runs(), Meter(), itertools.count(WARM), False

    async def work() -> None:
        while not is_over:
            runs.begun += 1
            begun = perf_counter()
            try:
                await ask(next(numbers))
            except Exception as error:  # noqa: BLE001 - whatever a side raises, its run got no answer
                runs.errors[type(error).__name__] += 1
                await asyncio.sleep(0)
            else:
                runs.took_s.append(perf_counter() - begun)

    tasks = [asyncio.create_task(work()) for _ in range(load.in_flight)]
    end = perf_counter() + PRESS_S
    while perf_counter() < end:
        await asyncio.sleep(LOOK_S)
        if (await asyncio.to_thread(server.tell, "/counts"))["is_over"]:
            break
    is_over = True
    _, late = await asyncio.wait(tasks, timeout=DRAIN_S)
    runs.unended = len(late)
    for task in late:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return runs, meter


def report(runs: Runs, server: LimitedServer, meter: Meter, more: Mapping[str, float] | None = None) -> None:
    """Print the figures; why runs failed goes to the side's output."""
    cpu_s, wall_s, counts = meter.cpu_s(), meter.wall_s(), server.tell("/counts")
    if not (runs.took_s and counts["per_s"]):
        raise SystemExit(f"no run got an answer in the time that is measured: {dict(runs.errors)}")
    took_s = sorted(runs.took_s)
    asked = counts["let_through"] + counts["refused"]
    print_figures(
        {
            "limit used %": counts["used_pct"],
            "spilt %": counts["spilt_pct"],
            "per_s": counts["per_s"],
            "answered": runs.answered,
            "failed": sum(runs.errors.values()) + runs.unended,
            "unended": runs.unended,
            "429s": counts["refused"],
            "requests each": asked / runs.answered,
            "early": counts["early"],
            "crossed": counts["crossed"],
            "latest crossed s": counts["latest_crossed_s"],
            "p50 s": took_s[len(took_s) // 2],
            "p99 s": took_s[len(took_s) * 99 // 100],
            "wall s": wall_s,
            "cpu ms each": cpu_s / runs.answered * 1_000,
            "rss_mb": memory_peak_mb(),
            **{f"failed: {kind}": count for kind, count in runs.errors.items()},
            **(more or {}),
        }
    )
