"""A folder of prompt files: the prompt a.b/c is the file a.b/c.prompt."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from cuewire.files.prompt_text import from_text, to_text
from cuewire.model.errors import InvalidInput
from cuewire.model.prompt_files import PromptFile
from cuewire.model.prompts import check_name

SUFFIX = ".prompt"
MAX_BYTES = 1_000_000


class PromptFolder:
    """Implements `ports.PromptFolder`. Whatever a prompt is called, its file is below the folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self) -> Sequence[PromptFile]:
        """Return what all files say, by name. Raises one InvalidInput that lists everything that is wrong."""
        if not self._root.is_dir():
            raise InvalidInput(f"there is no folder {str(self._root)!r}", hint="make one with: cuewire prompts pull")
        found, problems = [], []
        for path in self._paths():
            shown = str(path.relative_to(self._root))
            try:
                found.append(self._file(path))
            except InvalidInput as error:
                problems.append((shown, error.message))
            except (OSError, UnicodeDecodeError) as error:
                problems.append((shown, f"cannot be read: {error}"))
        if problems:
            listed = "; ".join(f"{shown}: {problem}" for shown, problem in problems)
            raise InvalidInput(listed, problems=tuple(problems))
        return found

    def write(self, file: PromptFile) -> bool:
        """Write a file, and return whether that changed anything. Raises InvalidInput if it cannot be written."""
        path, data = self._path_of(file.prompt), to_text(file).encode()
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
        for folder, folders, names in os.walk(self._root):  # follows no links
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            yield from (Path(folder) / name for name in sorted(names) if name.endswith(SUFFIX))

    def _file(self, path: Path) -> PromptFile:
        name = check_name(path.relative_to(self._root).as_posix().removesuffix(SUFFIX).replace("%2E", "."))
        if self._path_of(name) != path:
            raise InvalidInput(f"the prompt {name!r} belongs into {self._path_of(name).name!r}")
        if path.is_symlink() or path.stat().st_size > MAX_BYTES:
            raise InvalidInput(f"it is a link, or larger than {MAX_BYTES:,} bytes")
        return from_text(name, path.read_bytes().decode())

    def _path_of(self, prompt: str) -> Path:
        """Return where a prompt's file is. A part that begins with a dot would mean something else there."""
        parts = prompt.split("/")
        if not all(parts):
            raise InvalidInput(f"prompt {prompt!r} has a name that is no path", hint="publish it under another name")
        return self._root.joinpath(
            *(f"%2E{part[1:]}" if part.startswith(".") else part for part in parts[:-1]), parts[-1] + SUFFIX
        )
