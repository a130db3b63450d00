"""What of a provider's words may be kept: a short start, without anything that looks like a key. Pure."""

from __future__ import annotations

import re
from base64 import b64encode
from urllib.parse import quote

MAX_SNIPPET = 2_048
"""Bytes, as UTF-8, of a provider's error that are kept."""

_PREFIXED = re.compile(r"\b(?:sk|pk|rk|gsk|xai|key)-[\w*.-]{4,}", re.ASCII)
_RUN = re.compile(r"[\w+=%-]{24,}", re.ASCII)
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[^\s\"',;]+")


def snippet_of(body: bytes, *, secret: str = "") -> str:
    """Return the start of an error body with the secret, and whatever else looks like one, blotted out."""
    text = body.decode("utf-8", "replace").replace("\x00", "\ufffd")
    for form in _forms(secret):
        text = text.replace(form, "[key]")
    text = _PREFIXED.sub("[redacted]", _BEARER.sub(r"\1 [redacted]", text))
    text = _RUN.sub(_redact_token, text)
    return text.encode()[:MAX_SNIPPET].decode("utf-8", "ignore")


def _redact_token(run: re.Match[str]) -> str:
    """Blot out a long run of letters if digits are among them, as in keys, signatures and their encoded forms."""
    return "[redacted]" if any(character.isdigit() for character in run.group()) else run.group()


def _forms(secret: str) -> tuple[str, ...]:
    if not secret:
        return ()
    return secret, quote(secret, safe=""), b64encode(secret.encode()).decode().rstrip("=")
