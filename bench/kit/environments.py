"""One virtual environment per peer, made on demand from its pinned list in bench/peers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent
OURS = "ours"


def cache_folder() -> Path:
    """Give the folder that holds environments, the built stub and scratch files."""
    named = os.environ.get("CUEWIRE_BENCH_ENVS")
    if named:
        return Path(named).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cuewire-bench"


def python_of(environment: str) -> Path:
    """Give the interpreter of an environment, installing its pins when they are new or changed."""
    if environment == OURS:
        return Path(sys.executable)
    pins = (BENCH / "peers" / f"{environment}.txt").read_text(encoding="utf-8")
    home = cache_folder() / environment
    python, mark = home / "bin" / "python", home / "installed-pins.txt"
    if python.exists() and mark.exists() and mark.read_text(encoding="utf-8") == pins:
        return python
    print(f"installing the environment {environment!r} ...", file=sys.stderr, flush=True)
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    subprocess.run([*install, "-r", str(BENCH / "peers" / f"{environment}.txt")], check=True)
    mark.write_text(pins, encoding="utf-8")
    return python


def command_of(environment: str, name: str) -> Path:
    """Give the path of an installed command of an environment."""
    return python_of(environment).parent / name


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
