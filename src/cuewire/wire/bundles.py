"""What became of an import, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from cuewire.model.bundles import Loss
from cuewire.model.prompt_files import FileChange
from cuewire.model.references import DEFAULT_LANGUAGE
from cuewire.wire.shapes import Shape, shown


class FileChangeShape(Shape, frozen=True):
    """What came of a prompt: whether it was new, has new versions now, or had them all; and its newest number."""

    prompt: str
    change: Literal["new", "changed", "unchanged"]
    number: int
    strategy: str | None = None
    language: str = DEFAULT_LANGUAGE


class LossShape(Shape, frozen=True):
    """Something that could not be carried over: where it stood, what it was, and why not."""

    place: str
    what: str
    why: str


class ImportedShape(Shape, frozen=True):
    """What became of an import, prompt by prompt, and what was lost on the way."""

    items: tuple[FileChangeShape, ...]
    losses: tuple[LossShape, ...]

    @classmethod
    def of(cls, changes: Sequence[FileChange], losses: Sequence[Loss]) -> ImportedShape:
        """Return the report as JSON."""
        return cls(
            items=tuple(shown(change, FileChangeShape) for change in changes),
            losses=tuple(shown(loss, LossShape) for loss in losses),
        )
