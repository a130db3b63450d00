"""A program run to its end, with all that it said. Standard library only: clients' environments use it too."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LATE = 124
"""The exit code of what did not end in time, as `timeout` has it."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended."""

    code: int
    out: str
    err: str

    @property
    def fault(self) -> str:
        """Say what went wrong, nothing if the program says that nothing did."""
        return f"exit code {self.code}: {(self.out + self.err)[-600:]}" if self.code else ""


def run(command: Sequence[str], *, folder: Path, environment: Mapping[str, str], within_s: float) -> Ended:
    """Run a program in a folder, with no input."""
    try:
        ended = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=within_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Ended(LATE, "", f"it took longer than {within_s:g} s")
    return Ended(ended.returncode, ended.stdout, ended.stderr)
