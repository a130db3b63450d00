"""Versions as they were last read from a server: in memory, and in files that only their owner may read."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import msgspec

from cuewire.wire.versions import VersionShape

_MAX_CACHED = 10_000


class LastKnown:
    """Keeps what each reference meant on one server. A file that cannot be written or read is as if it were absent."""

    def __init__(self, server_url: str, *, folder: Path) -> None:
        self._server_url = server_url
        self._folder = folder
        self._known: dict[str, VersionShape] = {}

    async def keep(self, reference: str, version: VersionShape) -> None:
        """Keep a version; what has not changed is not written again."""
        if self._known.get(reference) == version:
            return
        if len(self._known) >= _MAX_CACHED:
            self._known.clear()  # the files are still there
        self._known[reference] = version
        with suppress(OSError):
            await asyncio.to_thread(_write, self._file(reference), msgspec.json.encode(version))

    async def find(self, reference: str) -> VersionShape | None:
        """Return the version that was last kept for the reference, None if there is none."""
        if reference in self._known:
            return self._known[reference]
        try:
            return msgspec.json.decode(await asyncio.to_thread(self._file(reference).read_bytes), type=VersionShape)
        except (OSError, msgspec.DecodeError):
            return None

    async def forget(self, reference: str) -> None:
        """Keep no version for the reference: the server has said that there is none."""
        self._known.pop(reference, None)
        with suppress(OSError):
            await asyncio.to_thread(self._file(reference).unlink, missing_ok=True)

    def _file(self, reference: str) -> Path:
        return self._folder / f"{sha256(f'{self._server_url} {reference}'.encode()).hexdigest()[:32]}.json"


def _write(file: Path, content: bytes) -> None:
    """Write a file in one step, so that a reader sees the old content or the new."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = file.with_suffix(f".{os.getpid()}")
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(content)
    unfinished.replace(file)
