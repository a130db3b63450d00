"""Time zones by name, also where no file may be opened."""

from __future__ import annotations

import os
import re
import zoneinfo
from collections.abc import Iterator, Sequence
from datetime import tzinfo
from functools import cache
from importlib.util import find_spec
from io import BytesIO

from cuewire.model.errors import TemplateError

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9+_-]{0,31}(?:/[A-Za-z0-9+_-]{1,31}){0,2}")
_DOUBLES = ("posix", "right")
"""Folders of the same zones again, and with leap seconds."""
_MAX_BYTES = 65_536


class Zones:
    """The time zones that lie in some folders; what was used stays in memory."""

    def __init__(self, folders: Sequence[str]) -> None:
        """`folders` hold files as the operating system has them; the first that has a zone is asked."""
        self._folders = [folder for folder in folders if os.path.isdir(folder)]
        self._files: dict[str, bytes] = {}
        self._zones: dict[str, tzinfo] = {}

    def get(self, name: str) -> tzinfo:
        """Return the time zone of a name such as 'Asia/Tokyo'. Raises TemplateError; reads a file the first time."""
        known = self._zones.get(name)
        if known is not None:
            return known
        is_name = _NAME.fullmatch(name) and not name.startswith(_DOUBLES)
        data = (self._files.get(name) or self._file(name)) if is_name else b""
        try:
            made = zoneinfo.ZoneInfo.from_file(BytesIO(data), key=name)
        except ValueError:
            raise TemplateError(
                f"there is no time zone {name[:40]!r}",
                hint="use a name such as 'Europe/Paris'; on a machine without time zones install the package tzdata",
            ) from None
        return self._zones.setdefault(name, made)

    def read_all(self) -> None:
        """Read all files, some 700 kB in 10 ms, so that this process and its forks need none later."""
        for folder in reversed(self._folders):
            for name in _names(folder, ""):
                self._files[name] = _read(folder, name)

    def _file(self, name: str) -> bytes:
        for folder in self._folders:
            if os.path.isfile(os.path.join(folder, name)):
                return _read(folder, name)
        return b""


@cache
def zones() -> Zones:
    """Return the time zones of this machine: what the system has, then what Python's own package has."""
    package = find_spec("tzdata")
    packaged = [os.path.join(os.path.dirname(package.origin), "zoneinfo")] if package and package.origin else []
    return Zones([*zoneinfo.TZPATH, *packaged])


def _names(folder: str, above: str) -> Iterator[str]:
    for entry in os.scandir(os.path.join(folder, above)):
        name = above + entry.name
        if entry.is_dir():
            if entry.name not in _DOUBLES:
                yield from _names(folder, name + "/")
        elif _NAME.fullmatch(name):
            yield name


def _read(folder: str, name: str) -> bytes:
    with open(os.path.join(folder, name), "rb", buffering=0) as file:
        return file.read(_MAX_BYTES)
