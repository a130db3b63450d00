"""What a conversion loses, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cuewire.model.bundles import Loss
from cuewire.model.text import cleaned

MAX_LOSSES = 1_000
_WIDE = 120


class Losses:
    """Gathers what is lost. Beyond a bound it only counts, so that a hostile source makes no endless report."""

    def __init__(self) -> None:
        self._lines: dict[Loss, None] = {}
        self._more = 0
        self._places: list[str] = []

    def add(self, what: object, why: str, *, line: int = 0) -> None:
        """Tell of a loss in the current place, once."""
        place = ", ".join([*self._places, *([f"line {line}"] if line else [])])
        shown = cleaned(" ".join(str(what)[: 4 * _WIDE].split()))[0]
        loss = Loss(place=place, what=shown if len(shown) <= _WIDE else shown[: _WIDE - 1] + "…", why=why)
        if len(self._lines) < MAX_LOSSES:
            self._lines[loss] = None
        else:
            self._more += loss not in self._lines

    @contextmanager
    def within(self, place: str) -> Iterator[None]:
        """Say where what follows stands."""
        self._places.append(cleaned(place[:_WIDE])[0])
        try:
            yield
        finally:
            self._places.pop()

    def all(self) -> tuple[Loss, ...]:
        """Return what was lost, in the order in which it was found."""
        more = [Loss(place="", what=f"{self._more:,} more", why="they are too many to list")] if self._more else []
        return (*self._lines, *more)
