"""Ours: `cuewire serve` with many open streams, `alone` or with `slow` readers among them, who are not counted.

Each slow reader takes a little a second, far less than the model says; the packets are of the size of a real network's,
so that the buffers of the system do not hold a whole answer.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from bench.sides.gateway import Loads, Target, free_port, load_from_arguments, serving, stored_prompt_body
from bench.sides.gateway_ours import PROMPT, command, database_url, prepared
from bench.sides.meter import print_figures
from bench.sides.processes import cpu_s

STREAMS, SLOW, SLOW_RATE = 500, 50, 1_000
SPREAD_S = 2.0
LEAST_BYTES = 256_000
ENDS = "data: [DONE]"


def main() -> None:
    """Open the streams, and print how long those took that read as fast as they can."""
    load, port, key = load_from_arguments(), free_port(), asyncio.run(prepared())
    body = {**stored_prompt_body(f"prompt/{PROMPT}"), "stream": True}
    target = Target(port, "/v1/chat/completions", body, {"Authorization": f"Bearer {key}"})
    checked = ["--mss", "1460", "--least-bytes", str(LEAST_BYTES)]
    slow = ["--aside-rate", str(SLOW_RATE)] if load.kind == "slow" else []
    with serving(command(port), port, CUEWIRE_DATABASE_URL=database_url()) as pid:
        loads = Loads(target, marker=ENDS)
        loads.run(connections=STREAMS // 5, seconds=0.1, more=checked)
        before = cpu_s(pid)
        more = [*checked, "--spread", str(SPREAD_S), "--aside", str(SLOW), *slow]
        found = loads.run(connections=STREAMS, seconds=SPREAD_S + load.seconds, more=more)
        print_figures(
            {
                "streams": found["good"],
                "p50_s": found["p50_us"] / 1e6,
                "p99_s": found["p99_us"] / 1e6,
                "cpu_share": (cpu_s(pid) - before) / found["wall_s"],
                "peak_mb": peak_mb(pid),
            }
        )


def peak_mb(pid: int) -> float:
    """Give the largest resident memory that the server had."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


if __name__ == "__main__":
    main()
