"""A folder of prompt files: the prompt a.b/c is the file a.b/c.prompt.

Where a prompt has more than one, the others name their strategy and language too: c@de.prompt, c@momentum@de.prompt.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from cuewire.files.prompt_text import from_text, to_text
from cuewire.model.errors import InvalidInput
from cuewire.model.prompt_files import PromptFile
from cuewire.model.references import DEFAULT_LANGUAGE, check_name

SUFFIX = ".prompt"
MAX_BYTES = 1_000_000


class PromptFolder:
    """Implements `ports.PromptFolder`. Whatever a prompt is called, its file is below the folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self) -> Sequence[PromptFile]:
        """Return what all files say, by name. Raises one InvalidInput that lists everything that is wrong."""
        found, problems = [], []
        for path in self._paths():
            try:
                found.append(self._file(path))
            except InvalidInput as error:
                problems.append((str(path.relative_to(self._root)), error.message))
        if problems:
            listed = "; ".join(f"{shown}: {problem}" for shown, problem in problems)
            raise InvalidInput(listed, problems=tuple(problems))
        return found

    def find(self, name: str) -> PromptFile | None:
        """Return the file of the global prompt of a name, in English. Raises InvalidInput if it cannot be used."""
        path = self._path_of(PromptFile(prompt=check_name(name), messages=()))
        return self._file(path) if path in self._paths() else None

    def write(self, file: PromptFile) -> bool:
        """Write a file, and return whether that changed anything. Raises InvalidInput if it cannot be written."""
        path, data = self._path_of(file), to_text(file).encode()
        try:
            if path.is_file() and path.read_bytes() == data:
                return False
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(path.name + ".part")
            part.write_bytes(data)
            part.replace(path)
        except OSError as error:
            raise InvalidInput(f"{str(path)!r} cannot be written: {error.strerror}") from None
        return True

    def _paths(self) -> Iterator[Path]:
        if not self._root.is_dir():
            raise InvalidInput(f"there is no folder {str(self._root)!r}", hint="make one with: cuewire prompts pull")
        for folder, folders, names in os.walk(self._root):  # follows no links
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            yield from (Path(folder) / name for name in sorted(names) if name.endswith(SUFFIX))

    def _file(self, path: Path) -> PromptFile:
        try:
            if path.is_symlink() or path.stat().st_size > MAX_BYTES:
                raise InvalidInput(f"it is a link, or larger than {MAX_BYTES:,} bytes")
            text = path.read_bytes().decode()
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInput(f"cannot be read: {error}") from None
        shown = path.relative_to(self._root).with_name(path.name.removesuffix(SUFFIX).partition("@")[0])
        file = from_text(check_name(shown.as_posix().replace("%2E", ".")), text)
        if self._path_of(file) != path:
            raise InvalidInput(f"the prompt {file.prompt!r} belongs into {self._path_of(file).name!r}")
        return file

    def _path_of(self, file: PromptFile) -> Path:
        """Return where a prompt's file is. A part that begins with a dot would mean something else there."""
        parts = file.prompt.split("/")
        if not all(parts):
            raise InvalidInput(
                f"prompt {file.prompt!r} has a name that is no path", hint="publish it under another name"
            )
        language = file.language if file.language != DEFAULT_LANGUAGE else None
        marks = [quote(mark, safe="").replace(".", "%2E") for mark in (file.strategy, language) if mark is not None]
        return self._root.joinpath(
            *(f"%2E{part[1:]}" if part.startswith(".") else part for part in parts[:-1]),
            "@".join([parts[-1], *marks]) + SUFFIX,
        )
