"""Places in a list, as text that a caller hands back: which list it is of, and the last key that was given out.

A cursor carries a checksum, so that one that was altered, cut, or made for another list is refused instead of obeyed.
It is no secret, and whoever knows how may make one: its key is only ever a bound value in a query that its reader may
make anyway, and one that no row can have is refused.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from hashlib import blake2b

from cuewire.model.errors import InvalidInput
from cuewire.model.text import is_storable

_CHECK_BYTES = 8


def make_cursor(key: str, *, of: str) -> str:
    """Return the cursor that continues the list `of` after the key."""
    return urlsafe_b64encode(_check(key.encode(), of) + key.encode()).decode().rstrip("=")


def read_cursor(cursor: str, *, of: str) -> str:
    """Return the key. Raises InvalidInput if the cursor was not made for this list."""
    try:
        key = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))[_CHECK_BYTES:].decode()
    except (NotBase64, UnicodeError):
        key = ""
    if not key or not is_storable(key) or make_cursor(key, of=of) != cursor:
        raise InvalidInput(
            "the cursor was not made for this list", field="/after", hint="take `next` of the page before, unchanged"
        )
    return key


def _check(key: bytes, of: str) -> bytes:
    return blake2b(of.encode() + b"\0" + key, digest_size=_CHECK_BYTES).digest()
