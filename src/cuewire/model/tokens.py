"""Secrets that open something: `<kind>_<id>_<secret>_<check>`. Kept are the id and a hash of the secret."""

from __future__ import annotations

import re
from functools import cache
from hashlib import sha256
from hmac import compare_digest
from zlib import crc32

from cuewire.model.values import Value

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID_DIGITS, _SECRET_DIGITS, _CHECK_DIGITS = 10, 43, 6
SECRET_BITS = 256


class Token(Value, frozen=True):
    """A secret, and the id by which its hash is found."""

    kind: str
    id: str
    secret: str

    @property
    def text(self) -> str:
        """The token as it is handed out."""
        body = f"{self.kind}_{self.id}_{self.secret}"
        return f"{body}_{_check(body)}"

    @property
    def hash(self) -> str:
        """What is kept of the secret."""
        return sha256(self.secret.encode()).hexdigest()

    def fits(self, kept: str) -> bool:
        """Tell whether this is the secret of a hash, in the same time whether it is or not."""
        return compare_digest(self.hash, kept)


def make_token(kind: str, *, id_bits: int, secret_bits: int) -> Token:
    """Return a token made of random bits: 59 of the id, 256 of the secret; more are cut off."""
    id_, secret = _base62(id_bits, _ID_DIGITS), _base62(secret_bits % 2**SECRET_BITS, _SECRET_DIGITS)
    return Token(kind=kind, id=id_, secret=secret)


def parse_token(kind: str, text: str) -> Token | None:
    """Return the token that a text is, None if it is none of the kind: mistyped, cut, or something else."""
    found = _form(kind).fullmatch(text)
    if found is None or found["check"] != _check(found["body"]):
        return None
    return Token(kind=kind, id=found["id"], secret=found["secret"])


@cache
def _form(kind: str) -> re.Pattern[str]:
    some = "[0-9A-Za-z]"
    body = f"{kind}_(?P<id>{some}{{{_ID_DIGITS}}})_(?P<secret>{some}{{{_SECRET_DIGITS}}})"
    return re.compile(f"(?P<body>{body})_(?P<check>{some}{{{_CHECK_DIGITS}}})")


def _check(body: str) -> str:
    """Return the digits that tell a mistyped token, and a token in a leaked file, from other text."""
    return _base62(crc32(body.encode()), _CHECK_DIGITS)


def _base62(number: int, digits: int) -> str:
    made = ""
    for _ in range(digits):
        number, digit = divmod(number, len(_DIGITS))
        made = _DIGITS[digit] + made
    return made
