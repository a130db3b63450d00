"""Diffs as JSON."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from cuewire.model.diffs import Diff
from cuewire.wire.shapes import Request, Shape, read


class DiffRequest(Request, frozen=True):
    """`POST /api/v1/prompts/{prompt}/diff`: two numbers; with `inputs` both are also rendered with these."""

    first: int
    second: int
    inputs: dict[str, Any] | None = None


class DiffLineShape(Shape, frozen=True):
    """A line of either version, or of both; a number is null on the side that does not have it."""

    kind: Literal["same", "removed", "added"]
    text: str
    first: int | None
    second: int | None


class TextDiffShape(Shape, frozen=True):
    """One message of both versions, line by line; a role is null where there is no such message."""

    first_role: str | None
    second_role: str | None
    lines: tuple[DiffLineShape, ...]


class FieldDiffShape(Shape, frozen=True):
    """A part of the version beside its messages that differs."""

    field: str
    first: Any
    second: Any


class DiffShape(Shape, frozen=True):
    """What differs between two versions; `rendered` is null unless inputs were given."""

    prompt: str
    first: int
    second: int
    is_empty: bool
    messages: tuple[TextDiffShape, ...]
    fields: tuple[FieldDiffShape, ...]
    rendered: tuple[TextDiffShape, ...] | None

    @classmethod
    def of(cls, diff: Diff) -> DiffShape:
        """Return the diff as JSON."""
        return msgspec.convert(msgspec.to_builtins(diff) | {"is_empty": diff.is_empty}, cls)

    def diff(self) -> Diff:
        """Return the diff that the JSON says."""
        return read(self, Diff)
