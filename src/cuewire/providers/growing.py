"""The text of an answer that grows, event by event."""

from __future__ import annotations


class GrowingText:
    """What the growing answers of all wire formats have in common; see `Growing` in upstream.py."""

    __slots__ = ("_taken", "_texts", "error", "first_token_ms")

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._taken = 0
        self.error: object = None
        self.first_token_ms: float | None = None

    @property
    def text(self) -> str:
        """What has arrived of the text."""
        return "".join(self._texts)

    def take(self) -> str:
        """Return the text that was added since the last time."""
        text = "".join(self._texts[self._taken :])
        self._taken = len(self._texts)
        return text
