"""The two C programs of this suite, the stub model server and the load generator, built when they are new."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

from bench.kit.environments import BENCH, cache_folder


def built(name: str) -> Path:
    """Give the program of bench/stub/NAME.c."""
    source = BENCH / "stub" / f"{name}.c"
    program = cache_folder() / f"{name}-{hashlib.sha256(source.read_bytes()).hexdigest()[:12]}"
    if not program.exists():
        program.parent.mkdir(parents=True, exist_ok=True)
        building = program.with_suffix(f".{os.getpid()}")
        subprocess.run([os.environ.get("CC", "cc"), "-O2", "-o", str(building), str(source)], check=True)
        building.replace(program)
    return program
