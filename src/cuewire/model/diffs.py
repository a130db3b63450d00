"""Diffs: what two versions of a prompt say differently."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from cuewire.model.values import Value

LineKind: TypeAlias = Literal["same", "removed", "added"]


class DiffLine(Value, frozen=True):
    """A line of either side, or of both; numbers count from 1, None on the side that does not have it."""

    kind: LineKind
    text: str
    first: int | None
    second: int | None


class TextDiff(Value, frozen=True):
    """One message of both versions, line by line; a role is None where there is no such message."""

    first_role: str | None
    second_role: str | None
    lines: tuple[DiffLine, ...]


class FieldDiff(Value, frozen=True):
    """A part of the version beside its messages that differs, such as `model` or `variables`."""

    field: str
    first: Any
    second: Any


class Diff(Value, frozen=True):
    """What differs between two versions of a prompt; `rendered` is there where inputs were given."""

    prompt: str
    first: int
    second: int
    messages: tuple[TextDiff, ...]
    fields: tuple[FieldDiff, ...]
    rendered: tuple[TextDiff, ...] | None = None

    @property
    def is_empty(self) -> bool:
        """Tell whether both say the same."""
        unequal = [line for text in self.messages for line in text.lines if line.kind != "same"]
        others = [text for text in self.messages if text.first_role != text.second_role]
        return not unequal and not others and not self.fields
