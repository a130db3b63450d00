"""The questions of banking77 with their labels and their vectors, which are made once and kept.

Without the data, or before ours has made the vectors, a side ends and says so. Imports numpy, and nothing of ours but
to make the vectors, because the peer reads them too.
"""

from __future__ import annotations

import csv
import hashlib
import os
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from bench.kit.environments import BANKING77, banking77_folder, cache_folder

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Numbers = NDArray[numpy.float32]

FILES = ("banking77-test.csv", "banking77-train.csv")
_AT_ONCE = 24
"""Texts of one pass."""


@dataclass(frozen=True, slots=True)
class Questions:
    """Texts, none twice, with the label of each: row n of the vectors is that of text n."""

    texts: tuple[str, ...]
    labels: tuple[str, ...]
    path: Path

    def vectors(self) -> Numbers:
        """Give the vectors, 384 numbers of length 1 for each text."""
        import numpy

        if not self.path.exists():
            _make(self)
        vectors: Numbers = numpy.load(self.path)
        return vectors


@cache
def questions() -> Questions:
    """Read the data; ends this process where there is none."""
    files = [banking77_folder() / name for name in FILES]
    if not all(file.is_file() for file in files):
        sys.exit(f"banking77 is not here: name the folder of {' and '.join(FILES)} in {BANKING77}")
    data = b"".join(file.read_bytes() for file in files)
    rows = [row for file in files for row in csv.DictReader(file.read_text(encoding="utf-8").splitlines(keepends=True))]
    labels: dict[str, str] = {}
    for row in rows:
        labels.setdefault(row["text"], row["category"])
    mark = hashlib.sha256(data).hexdigest()[:12]
    return Questions(tuple(labels), tuple(labels.values()), cache_folder() / f"banking77-{mark}.npy")


def vectors_of(texts: tuple[str, ...]) -> Numbers:
    """Give the vectors of texts by the model on this machine."""
    import numpy

    try:
        from cuewire.model.errors import MissingExtra
        from cuewire.providers.local_embeddings_files import find_files
        from cuewire.providers.local_encoder import Encoder
    except ModuleNotFoundError as error:
        sys.exit(f"the vectors are made by a row of ours, which has to run before: {error}")
    try:
        encoder = Encoder(find_files(None, cache_folder()))
    except MissingExtra as error:
        sys.exit(f"{error.message}: {error.hint}")
    made = numpy.empty((len(texts), 384), numpy.float32)
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    for start in range(0, len(order), _AT_ONCE):
        places = order[start : start + _AT_ONCE]
        made[places] = encoder.vectors(encoder.pieces([texts[place] for place in places], first=0))
    return made


def _make(questions: Questions) -> None:
    import numpy

    print(f"making {len(questions.texts)} vectors ...", file=sys.stderr, flush=True)
    made = vectors_of(questions.texts)
    questions.path.parent.mkdir(parents=True, exist_ok=True)
    making = questions.path.with_suffix(f".{os.getpid()}.npy")
    numpy.save(making, made)
    making.replace(questions.path)
