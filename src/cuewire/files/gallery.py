"""The prompts that come with Cuewire: a gallery to choose from, and the seeds that a registry can begin with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from cuewire.files.prompt_folder import SUFFIX
from cuewire.files.prompt_text import from_text, to_text
from cuewire.model.errors import PromptNotFound
from cuewire.model.prompt_files import PromptFile

_SEEDS = "seeds"
"""The folder in that of the gallery which is no part of it."""


class Gallery:
    """Both, each by name. They are files of the package and only read."""

    def prompts(self) -> Sequence[PromptFile]:
        """Return the gallery without the seeds."""
        return _read("gallery")

    def seeds(self) -> Sequence[PromptFile]:
        """Return an analysis of markets, a consolidation, a system message, and what understands what a user says."""
        return _read(f"gallery/{_SEEDS}")

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
    texts = dict(_texts(files(__package__).joinpath(folder)))
    return tuple(from_text(name, texts[name]) for name in sorted(texts))


def _texts(folder: Traversable, above: str = "") -> Iterator[tuple[str, str]]:
    for path in folder.iterdir():
        name = above + path.name
        if name.endswith(SUFFIX):
            yield name.removesuffix(SUFFIX), path.read_text(encoding="utf-8")
        elif name != _SEEDS:
            yield from _texts(path, f"{name}/")
