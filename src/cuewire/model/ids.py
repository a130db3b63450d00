"""Execution ids: UUIDv7 (RFC 9562), so that ids sort by time of creation and callers may make them."""

from __future__ import annotations

import re

from cuewire.model.errors import ExecutionNotFound

_PATTERN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def uuid7(*, unix_ms: int, random_bits: int) -> str:
    """Return the canonical text of a UUIDv7 from 48 bits of time and 74 random bits (any larger number is cut)."""
    high = (unix_ms & 0xFFFFFFFFFFFF) << 16 | 0x7000 | (random_bits >> 62) & 0xFFF
    low = 0x8000000000000000 | random_bits & 0x3FFFFFFFFFFFFFFF
    text = f"{high:016x}{low:016x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def seed_of(execution_id: str) -> int:
    """Return a number that is as good as drawn, and always the same for an execution."""
    return int(execution_id[-12:], 16)


def is_execution_id(text: str) -> bool:
    """Tell whether the text has the form of an execution id."""
    return _PATTERN.fullmatch(text) is not None


def check_execution_id(execution_id: object) -> str:
    """Return the id if it has the form of one: nothing else can be found, and in a URL it could be another path.

    Raises ExecutionNotFound.
    """
    if isinstance(execution_id, str) and is_execution_id(execution_id):
        return execution_id
    raise ExecutionNotFound(f"{repr(execution_id)[:80]} is not the id of an execution", field="/execution_id")


def no_execution(execution_id: str) -> ExecutionNotFound:
    """Return the error of an id that no execution has."""
    return ExecutionNotFound(f"there is no execution {execution_id!r}", field="/execution_id")
