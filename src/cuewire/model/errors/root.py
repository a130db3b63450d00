"""The root of all errors, and the way through the tree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar


class CuewireError(Exception):
    """Root of all errors raised on purpose.

    `code` is stable and meant for programs. `field` is a JSON pointer into what the caller gave, where one applies.
    `execution_id` names the record that holds the failure, where one was opened.
    """

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, hint: str = "", field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.field = field
        self.execution_id: str | None = None

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


def kinds_of(root: type[CuewireError]) -> Iterator[type[CuewireError]]:
    """Yield an error class and all that are made from it."""
    yield root
    for child in root.__subclasses__():
        yield from kinds_of(child)
