"""The prompts that come with Cuewire: a gallery to choose from, and the seeds that a registry can begin with."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from cuewire.files.prompt_folder import SUFFIX
from cuewire.files.prompt_text import from_text, to_text
from cuewire.model.errors import PromptNotFound
from cuewire.model.prompt_files import PromptFile


class Gallery:
    """Both, each by name. They are files of the package and only read."""

    def prompts(self) -> Sequence[PromptFile]:
        """Return the gallery without the seeds."""
        return _read("gallery")

    def seeds(self) -> Sequence[PromptFile]:
        """Return one prompt for each type that deals with markets, and one that understands what a user says."""
        return _read("gallery/seeds")

    def get(self, name: str) -> PromptFile:
        """Return one of both. Raises PromptNotFound."""
        for file in (*self.prompts(), *self.seeds()):
            if file.prompt == name:
                return file
        raise PromptNotFound(
            f"the gallery has no prompt {name!r}", hint="see what it has with: cuewire prompts gallery", field="/prompt"
        )

    def text(self, name: str) -> str:
        """Return one as the text of its file. Raises PromptNotFound."""
        return to_text(self.get(name))


@cache
def _read(folder: str) -> tuple[PromptFile, ...]:
    found = (path for path in files(__package__).joinpath(folder).iterdir() if path.name.endswith(SUFFIX))
    texts = {path.name.removesuffix(SUFFIX): path.read_text(encoding="utf-8") for path in found}
    return tuple(from_text(name, texts[name]) for name in sorted(texts))
