"""What every test gets: the contract marks, and property tests that end the same way on each run in CI."""

from __future__ import annotations

import gc
import os

from hypothesis import settings

pytest_plugins = ["tests.plugins.contracts", "pytester"]

settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what eleven thousand tests are made of, for it stays."""
    gc.collect()
    gc.freeze()
