"""Prompts in files, and those that we bring."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cuewire.ports import PromptFolder

if TYPE_CHECKING:
    from cuewire.files.gallery import Gallery
    from cuewire.files.prompt_text import Start
    from cuewire.model.bundles import Bundle, BundledVersion, Exported, Format
    from cuewire.model.prompt_files import PromptFile
    from cuewire.remote.desk import PromptDesk as PromptDesk


def prompt_folder(path: Path) -> PromptFolder:
    """Return the prompt files of a folder, which need not exist."""
    from cuewire.files.prompt_folder import PromptFolder as Folder  # YAML costs 15 ms

    return Folder(path)


def read_prompt_file(text: str) -> tuple[PromptFile, Sequence[Start]]:
    """Return what the text of a prompt file says, and where in it each message begins. Raises InvalidInput."""
    from cuewire.files.prompt_text import from_text, starts

    return from_text("", text), starts(text)


def gallery() -> Gallery:
    """Return the prompts that come with Cuewire."""
    from cuewire.files.gallery import Gallery

    return Gallery()


def read_prompts(data: bytes, *, format: Format | None = None, name: str = "prompt") -> Bundle:
    """Return the prompts of a document of any format. Raises InvalidInput."""
    from cuewire.files.formats import read  # YAML costs 15 ms

    return read(data, format=format, name=name)


def write_prompts(versions: Sequence[BundledVersion], *, format: Format = "bundle") -> Exported:
    """Return prompts as a document of a format. Raises InvalidInput."""
    from cuewire.files.formats import write

    return write(versions, format=format)
