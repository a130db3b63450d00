"""What importing one module costs: CPU of this process for the import alone, and its memory afterwards.

Nothing but two built-in modules is loaded before the clock starts, so that nothing is imported for free.
"""

import sys
import time

started = time.process_time()
__import__(sys.argv[1])
cpu_s = time.process_time() - started

from bench.sides.meter import memory_peak_mb  # noqa: E402 - the clock must stop first

print(f'{{"cpu_ms": {cpu_s * 1_000:.3f}, "rss_mb": {memory_peak_mb():.2f}, "modules": {len(sys.modules)}}}')
