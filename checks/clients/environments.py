"""One environment per client, made on demand from its pins: virtual ones for Python, a folder of packages for Node."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
NODE = ("promptfoo",)
"""Clients that are Node programs."""
_KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")
_NOWHERE = "http://127.0.0.1:9"
_MACHINES = {"x86_64": "x64", "aarch64": "arm64", "AMD64": "x64"}


def cache_folder() -> Path:
    """Give the folder that holds the environments."""
    named = os.environ.get("CUEWIRE_CLIENT_ENVS")
    if named:
        return Path(named).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cuewire-clients"


def environment_of(client: str) -> Path:
    """Give the folder with a client's commands, installing its pins when they are new or changed."""
    listed = HERE / "pins" / f"{client}.txt"
    pins = listed.read_text(encoding="utf-8")
    home = cache_folder() / client
    mark = home / "installed-pins.txt"
    if not mark.exists() or mark.read_text(encoding="utf-8") != pins:
        print(f"installing {client} ...", file=sys.stderr, flush=True)
        home.mkdir(parents=True, exist_ok=True)
        if client in NODE:
            _install_for_node(home, pins)
        else:
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
            install = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*install, "--no-input", "--no-deps", "-r", str(listed)], check=True)
        mark.write_text(pins, encoding="utf-8")
    return home / ("node_modules/.bin" if client in NODE else "bin")


def variables(commands: Path, home: Path, **more: str) -> dict[str, str]:
    """Give the variables of a client: nothing of this machine, no way to any other, all its files in `home`."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    shut = {"HTTP_PROXY": _NOWHERE, "HTTPS_PROXY": _NOWHERE, "NO_PROXY": "127.0.0.1,localhost"}
    quiet = {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "PROMPTFOO_DISABLE_TELEMETRY": "1",
        "PROMPTFOO_DISABLE_UPDATE": "1",
        "LLM_USER_PATH": str(home),
        "DO_NOT_TRACK": "1",
        "PYTHONSAFEPATH": "1",
        "PYTHONPATH": str(PROJECT),
    }
    return {**kept, **shut, **quiet, "HOME": str(home), "PATH": f"{commands}:{kept.get('PATH', '')}", **more}


def _install_for_node(home: Path, pins: str) -> None:
    """Install what the first line names as it was on the day of the second, without what is optional."""
    system = sys.platform + ("-" + _MACHINES.get(platform.machine(), platform.machine()))
    names, day = pins.format(machine=system + ("-gnu" if sys.platform == "linux" else "")).splitlines()
    leave = ["--omit=optional", "--omit=peer", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]
    (home / "package.json").write_text('{"private": true}', encoding="utf-8")
    subprocess.run(["npm", "install", "--silent", "--before", day, *leave, *names.split()], cwd=home, check=True)
