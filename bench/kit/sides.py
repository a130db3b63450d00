"""A measured side: one script in its own process, which prints one JSON line of figures."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.kit.environments import (
    BENCH,
    OURS,
    NotInstalled,
    banking77_folder,
    cache_folder,
    child_environment,
    home_of,
    python_of,
)
from bench.kit.programs import built

SCRIPTS = BENCH / "sides"


@dataclass(frozen=True, slots=True)
class Side:
    """What to run: a script of bench/sides, in an environment, with arguments."""

    name: str
    script: str
    arguments: tuple[str, ...]
    environment: str = OURS
    timeout_s: float = 180.0


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures that a side printed, by name."""

    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Broken:
    """A side that could not be installed or did not finish, with the last lines it wrote."""

    reason: str


def measure(side: Side, *, base_url: str) -> Measured | Broken:
    """Run a side once in a fresh folder, and remove the folder."""
    try:
        python_of(side.environment)
    except NotInstalled as error:
        return Broken(str(error))
    scratch = cache_folder() / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    folder = tempfile.mkdtemp(dir=scratch)
    try:
        return _run(side, base_url, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(side: Side, base_url: str, folder: str) -> Measured | Broken:
    command = [str(python_of(side.environment)), str(SCRIPTS / side.script), *side.arguments]
    variables = child_environment(
        OPENAI_BASE_URL=base_url,
        OPENAI_API_KEY="x",
        BENCH_FOLDER=folder,
        BENCH_LOAD=str(built("load")),
        BENCH_PEER=str(home_of(side.environment)),
        BENCH_CACHE=str(cache_folder()),
        BENCH_BANKING77=str(banking77_folder()),
        CUEWIRE_DATA_FOLDER=folder,
    )
    project = BENCH.parent
    variables["PYTHONSAFEPATH"] = "1"
    variables["PYTHONPATH"] = f"{project / 'src'}:{project}" if side.environment == OURS else str(project)
    output = Path(folder) / "output.txt"
    with output.open("w+", encoding="utf-8") as out:
        process = subprocess.Popen(
            command, cwd=folder, env=variables, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            code = process.wait(side.timeout_s)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _end_group(process)
    lines = output.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    figures = next((_figures(line) for line in reversed(lines) if line.startswith("{")), None)
    if code == 0 and figures:
        return Measured(figures)
    why = f"took longer than {side.timeout_s:g} s" if code is None else f"exit code {code}"
    return Broken("; ".join([why, *lines[-3:]]))


def _figures(line: str) -> Mapping[str, float] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End whatever the side left behind: it runs in a session of its own."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
