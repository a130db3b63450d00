"""CPU and memory of a process with all that it started, read from /proc. Standard library only."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


def family(pid: int) -> list[int]:
    """Give a process and all below it."""
    parents = {int(entry.name): _parent(entry) for entry in _PROC.iterdir() if entry.name.isdigit()}
    found = [pid]
    for member in found:
        found.extend(child for child, parent in parents.items() if parent == member)
    return found


def cpu_s(pid: int) -> float:
    """Give the CPU seconds, user and system, of the family's threads, those that have ended included."""
    return sum(sum(map(int, _stat(_PROC / str(member))[11:15])) for member in family(pid)) / _TICKS


def memory_mb(pid: int) -> float:
    """Give the resident memory of the family; what its processes share is counted once."""
    return sum(_kilobytes(_PROC / str(member) / "smaps_rollup", "Pss:") for member in family(pid)) / 1024


def _parent(entry: Path) -> int:
    fields = _stat(entry)
    return int(fields[1]) if fields else 0


def _stat(entry: Path) -> list[str]:
    """Give the fields after the name, which is the only one that may hold spaces; none when the process is gone."""
    try:
        return (entry / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _kilobytes(path: Path, name: str) -> int:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(name)), 0)
