"""Floor: the nearest of SIZE vectors of 32-bit numbers by numpy's product with all of them; no answer is looked up."""

from __future__ import annotations

import argparse
import gc
import os
import time

from bench.sides.asked import figures_of
from bench.sides.meter import print_figures
from bench.sides.processes import memory_mb


def main() -> None:
    """Measure at the size, and with the threads, that the command line names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("size", type=int)
    parser.add_argument("--threads", type=int, help="as many as numpy takes, unless said")
    options = parser.parse_args()
    if options.threads:  # read when numpy is imported
        os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), str(options.threads)))
    import numpy as np

    from bench.sides.many_questions import Crowd

    crowd = Crowd(options.size)
    asked = crowd.asked()
    gc.collect()
    before = memory_mb(os.getpid())
    rows = crowd.rows()
    gc.collect()
    grown = memory_mb(os.getpid()) - before
    times_ms: list[float] = []
    cpu_s = time.process_time()
    for wanted, row in zip(asked.hits, asked.hit_rows, strict=True):
        begun = time.perf_counter()
        found = int(np.argmax(rows @ wanted))
        times_ms.append((time.perf_counter() - begun) * 1_000)
        if found != row:
            raise SystemExit(f"row {row} was to be found, and not {found}")
    cpu_ms = (time.process_time() - cpu_s) * 1_000 / len(times_ms)
    print_figures({**dict(figures_of("hit", times_ms)), "hit cpu ms": cpu_ms, "index MB": grown})


if __name__ == "__main__":
    main()
