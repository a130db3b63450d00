"""Bodies that no route takes, and names that nothing has: the same for the tests of every route."""

from __future__ import annotations

from typing import Any

MALFORMED = (b"", b"{", b'{"a": NaN}', b'{"a": 1, "a": 2}', b"\xff\xfe", b"[" * 100_000, b'{"a": 1e999}')
"""No strict JSON."""
WRONG_SHAPE: tuple[Any, ...] = ([], "text", 7, None, {"unknown": 1})
"""JSON of another shape than that of any request."""
HOSTILE = ("%00", "%C2%B2", "a%00b", "..%2F..%2Fetc", "'%20OR%201=1--", "%ED%A0%80", "A", "x" * 129, "%7B%7B7*7%7D%7D")
"""Names, as they stand in a path, that nothing has or can have."""
