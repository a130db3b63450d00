"""One server for each SQLite file: held by a lock that the kernel drops when the process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cuewire.model.errors import StoreBusy


@contextmanager
def only_server(path: Path) -> Iterator[None]:
    """Be the only server of the file during the block. Raises StoreBusy when another process is."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path.with_name(f"{path.name}-serve"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreBusy(
                f"another process serves {str(path)!r} already",
                hint="end it first, or name another database; a SQLite file has one server",
            ) from None
        yield
    finally:
        os.close(descriptor)
