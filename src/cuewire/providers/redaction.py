"""What of a provider's words may be kept: a short start, without anything that looks like a key. Pure."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import quote

from cuewire.model.secrets import redacted

MAX_SNIPPET = 2_048
"""Bytes, as UTF-8, of a provider's error that are kept."""


def snippet_of(body: bytes, *, secret: str = "") -> str:
    """Return the start of an error body with the secret, and whatever else looks like one, blotted out."""
    text = body.decode("utf-8", "replace").replace("\x00", "\ufffd")
    for form in _forms(secret):
        text = text.replace(form, "[key]")
    return redacted(text).encode()[:MAX_SNIPPET].decode("utf-8", "ignore")


def _forms(secret: str) -> tuple[str, ...]:
    if not secret:
        return ()
    return secret, quote(secret, safe=""), b64encode(secret.encode()).decode().rstrip("=")
