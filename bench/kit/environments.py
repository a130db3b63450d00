"""One virtual environment per peer, made on demand from its pinned list in bench/peers."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent
OURS = "ours"
BANKING77 = "CUEWIRE_BANKING77"
"""Names the folder of banking77, which is not ours to bring."""


def cache_folder() -> Path:
    """Give the folder that holds environments, the built stub, what is made once, and scratch files.

    A side is told both folders under names of their own, because whatever begins with CUEWIRE_ is a setting there.
    """
    named = os.environ.get("BENCH_CACHE") or os.environ.get("CUEWIRE_BENCH_ENVS")
    if named:
        return Path(named).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cuewire-bench"


def banking77_folder() -> Path:
    """Give the folder of banking77: as the environment says, else `shared/data` beside the checkout."""
    named = os.environ.get("BENCH_BANKING77") or os.environ.get(BANKING77)
    return Path(named).expanduser() if named else BENCH.parent.parent / "shared" / "data"


class NotInstalled(Exception):
    """A peer that cannot be had on this machine."""


def home_of(environment: str) -> Path:
    """Give the folder of a peer's environment."""
    return cache_folder() / environment


@cache
def prepare(environment: str) -> str:
    """Install the pins of an environment when they are new or changed; give why that failed, or nothing."""
    if environment == OURS:
        return ""
    pins = pins_of(environment)
    home, text = home_of(environment), pins.read_text(encoding="utf-8")
    mark = home / "installed-pins.txt"
    if mark.exists() and mark.read_text(encoding="utf-8") == text:
        return ""
    print(f"installing the environment {environment!r} ...", file=sys.stderr, flush=True)
    try:
        (_install_node if pins.suffix == ".json" else _install_python)(home, pins)
    except (OSError, subprocess.CalledProcessError) as error:
        return f"could not be installed: {error}"
    mark.write_text(text, encoding="utf-8")
    return ""


def pins_of(environment: str) -> Path:
    """Give the pinned list of a peer: Python's, or one for Node."""
    listed = BENCH / "peers" / f"{environment}.txt"
    return listed if listed.exists() else listed.with_suffix(".json")


def python_of(environment: str) -> Path:
    """Give the interpreter that runs the sides of an environment. Raises NotInstalled."""
    if reason := prepare(environment):
        raise NotInstalled(reason)
    own = home_of(environment) / "bin" / "python"
    return own if environment != OURS and pins_of(environment).suffix == ".txt" else Path(sys.executable)


def _install_python(home: Path, pins: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    install = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "--no-input", "-r", str(pins)], check=True)


def _install_node(home: Path, pins: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    (home / "package.json").write_bytes(pins.read_bytes())
    install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"]
    subprocess.run(install, cwd=home, check=True)


def child_environment(**more: str) -> dict[str, str]:
    """Give the environment variables of a measured process: byte code on, no word from the outside."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")
    base = {name: os.environ[name] for name in kept if name in os.environ}
    quiet = {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "PHOENIX_TELEMETRY_ENABLED": "false",
        "PYTHONUNBUFFERED": "1",
    }
    return {**base, **quiet, **more}
