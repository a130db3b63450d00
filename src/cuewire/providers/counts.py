"""Numbers in what providers report: what is no count of tokens and no amount of money is None. Pure."""

from __future__ import annotations

MAX_TOKENS = 2**53
"""A count beyond this is no count."""


def count_of(value: object) -> int | None:
    """Return a count of tokens; some servers write it as 7.0."""
    if type(value) is float and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value <= MAX_TOKENS else None


def count_in(details: object, name: str) -> int | None:
    """Return a count out of a breakdown, which may be absent or anything else."""
    return count_of(details.get(name)) if isinstance(details, dict) else None


def amount_of(value: object) -> float | None:
    """Return an amount of money, neither negative nor infinite."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf"):
        return float(value)
    return None
