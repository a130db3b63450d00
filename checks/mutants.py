"""Breaks the code that decides about money and answers, one place at a time, and counts what the unit tests notice.

    python checks/mutants.py                        all of it, about ten minutes on two cores
    python checks/mutants.py "cuewire.engine.retry*"    what has such a name; only what changed is tried again

What is broken, and which tests run, is said in `pyproject.toml`. Exits with 1 if of anything too much goes unnoticed;
`mutmut show NAME` then shows what was changed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
MUTMUT = Path(sys.executable).parent / "mutmut"
LEAST = 0.85
PARTS = {
    "retry": ("cuewire.engine.retry.", "cuewire.engine.failover."),
    "breaker": ("cuewire.engine.breaker.",),
    "limit": (
        *("cuewire.engine.gate.", "cuewire.engine.lane.", "cuewire.engine.allowance.", "cuewire.engine.sizes."),
        *("cuewire.engine.spend.", "cuewire.limiters.", "cuewire.model.limits."),
    ),
    "select": ("cuewire.engine.select.",),
    "cache key": ("cuewire.engine.cache_key.",),
}
UNNOTICED = ("survived", "no tests")
UNTRIED = ("not checked", "skipped")


def main() -> int:
    """Break what the arguments name, or all, and print what was noticed of each part."""
    tried = subprocess.run([MUTMUT, "run", "--max-children", str(os.cpu_count() or 1), *sys.argv[1:]], cwd=PROJECT)
    if tried.returncode:
        return tried.returncode
    shown = subprocess.run(
        [MUTMUT, "results", "--all", "true"], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    return report(dict(line.strip().split(": ", 1) for line in shown.stdout.splitlines() if ": " in line))


def report(ends: Mapping[str, str]) -> int:
    """Print what became of each part, and of what the names of the mutants tell; 1 if of one too much is unnoticed."""
    parts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name, end in ends.items():
        parts[part_of(name)][end] += 1
    print(f"\n  {'part':<12}{'broken':>8}{'unnoticed':>11}{'noticed':>9}   goal: at least {LEAST:.0%}")
    is_good = True
    for part in PARTS:
        found = parts[part]
        broken = found.total() - sum(found[each] for each in UNTRIED)
        if not broken:
            print(f"  {part:<12}{'not tried':>8}")
            continue
        unnoticed = sum(found[each] for each in UNNOTICED)
        share = 1 - unnoticed / broken
        is_good = is_good and share >= LEAST
        print(f"  {part:<12}{broken:>8,}{unnoticed:>11,}{share:>9.1%}{'' if share >= LEAST else '   too little'}")
    return 0 if is_good else 1


def part_of(name: str) -> str:
    """Return the part that a mutant is of."""
    for part, beginnings in PARTS.items():
        if name.startswith(beginnings):
            return part
    raise SystemExit(f"{name!r} is of no part: name its module in PARTS")


if __name__ == "__main__":
    sys.exit(main())
