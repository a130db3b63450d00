"""API keys: `cw_<id>_<secret>_<check>`. The server stores the id and a hash of the secret, never the secret."""

from __future__ import annotations

import re
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest
from zlib import crc32

from cuewire.model.values import Value

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID_DIGITS, _SECRET_DIGITS, _CHECK_DIGITS = 10, 43, 6
SECRET_BITS = 256
_FORM = re.compile(r"(?P<body>cw_(?P<id>[0-9A-Za-z]{10})_(?P<secret>[0-9A-Za-z]{43}))_(?P<check>[0-9A-Za-z]{6})")
MAX_NAME = 100


class ApiKey(Value, frozen=True):
    """A key as stored; a revoked one opens nothing any more."""

    id: str
    name: str
    secret_hash: str
    created_at: datetime
    revoked_at: datetime | None = None


class IssuedKey(Value, frozen=True):
    """A key at the one moment when its text is known."""

    text: str
    key: ApiKey


def issue_key(name: str, *, id_bits: int, secret_bits: int, now: datetime) -> IssuedKey:
    """Return a new key made of random bits: 59 of the id, 256 of the secret; more are cut off."""
    id_, secret = _base62(id_bits, _ID_DIGITS), _base62(secret_bits % 2**SECRET_BITS, _SECRET_DIGITS)
    body = f"cw_{id_}_{secret}"
    key = ApiKey(id=id_, name=name, secret_hash=_hash(secret), created_at=now)
    return IssuedKey(text=f"{body}_{_check(body)}", key=key)


def parse_key(text: str) -> tuple[str, str] | None:
    """Return the id and the secret in the text of a key, None if it is none: mistyped, cut, or something else."""
    found = _FORM.fullmatch(text)
    if found is None or found["check"] != _check(found["body"]):
        return None
    return found["id"], found["secret"]


def opens(secret: str, key: ApiKey) -> bool:
    """Tell whether the secret is the key's, in the same time whether it is or not."""
    return compare_digest(_hash(secret), key.secret_hash)


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def _check(body: str) -> str:
    """Return the digits that tell a mistyped key, and a key in a leaked file, from other text."""
    return _base62(crc32(body.encode()), _CHECK_DIGITS)


def _base62(number: int, digits: int) -> str:
    made = ""
    for _ in range(digits):
        number, digit = divmod(number, len(_DIGITS))
        made = _DIGITS[digit] + made
    return made
