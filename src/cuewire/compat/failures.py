"""What goes wrong in a function that raises nothing: its reason, what to tell of it, and how often it came."""

from __future__ import annotations

from collections import Counter
from threading import Lock

from cuewire.model.errors import CuewireError


class Failures:
    """Counts failures by reason, from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: Counter[str] = Counter()

    def add(self, reason: str) -> None:
        """Count one more."""
        with self._lock:
            self._counts[reason] += 1

    def counts(self) -> dict[str, int]:
        """Return how many there were of each reason."""
        with self._lock:
            return dict(self._counts)


def reason_of(error: Exception) -> str:
    """Return the code of an error of ours, `timeout` or `internal_error`."""
    if isinstance(error, CuewireError):
        return error.code
    return "timeout" if isinstance(error, TimeoutError) else "internal_error"


def problem_of(error: Exception) -> str:
    """Return what to tell of an error: of one that is not ours its kind, because nobody knows what it says."""
    return str(error) if isinstance(error, CuewireError) else type(error).__name__
